"""The first invocation, with the share of a processor that a function of 128 MB gets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measures import Bench, Figure, emulated, interleaved, succeeded

#: 128 of the 1,769 MB for which Lambda gives one processor.
SHARE = 0.07
_PERIOD_US = 20_000
_ROOT = Path("/sys/fs/cgroup")


class Quota:
    """A control group whose processes share a part of one processor."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self._home = folder, home

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Children started here stay inside. This process leaves afterwards."""
        _move(self.folder)
        try:
            yield
        finally:
            _move(self._home)


def _move(folder: Path) -> None:
    (folder / "cgroup.procs").write_text(str(os.getpid()))


def _groups() -> tuple[Path, Path]:
    """The mount of the `cpu` controller, and this process's group in it."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            mount = _ROOT / "cpu"
        elif controllers == "":
            mount = _ROOT
        else:
            continue
        home = mount / path.lstrip("/")
        if (home / "cgroup.procs").exists():
            return mount, home
    raise FileNotFoundError("this machine has no control group for the CPU")


def _limit(folder: Path, share: float) -> None:
    quota = int(share * _PERIOD_US)
    if (folder / "cpu.max").exists():
        (folder / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
    else:
        (folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (folder / "cpu.cfs_quota_us").write_text(str(quota))


@contextmanager
def quota(share: float) -> Iterator[Quota | None]:
    """A group with that quota. None if this machine does not permit one."""
    try:
        mount, home = _groups()
        folder = mount / f"function-shield-{os.getpid()}"
        folder.mkdir()
    except OSError:
        yield None
        return
    try:
        try:
            _limit(folder, share)
        except OSError:
            yield None
        else:
            yield Quota(folder, home)
    finally:
        folder.rmdir()


def small(bench: Bench) -> Iterator[Figure]:
    """Emulator, interpreter, function and guard share 0.07 of a processor. This process is not
    included."""
    with quota(SHARE) as group:
        if group is None:
            return

        def first(how: str) -> Callable[[], float]:
            def run() -> float:
                with ExitStack() as stack:
                    with group.inside():
                        function = stack.enter_context(emulated(bench, how))
                    return succeeded(function, settle=False)

            return run

        found = interleaved(bench.samples(30), {how: first(how) for how in ("bare", "guarded")})
        yield Figure("invoke_first_small", f"first invocation, {SHARE} CPU", "ms", found)
