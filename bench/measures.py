"""The measures. Each runs its variants in turn, many times, so that other load on the machine
affects all of them equally."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from native_tools import Tools

from fshield.local.emulator import Function

FUNCTION = Path(__file__).resolve().parent / "function"
POLICY = "default"
_AUDIT = """
import sys, time
audit, clock = sys.audit, time.perf_counter_ns
rounds = []
for _ in range(9):
    begin = clock()
    for _ in range(100000):
        audit("bench.unwatched", 1)
    rounds.append((clock() - begin) / 100000)
print(sorted(rounds)[4])
"""
_MEMORY = """
with open("/proc/self/status") as file:
    print(*(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM")))
"""
_MOUNT = 'mount -t tmpfs tmpfs /tmp && exec "$@"'


@dataclass(frozen=True)
class Figure:
    """One measure.

    Args:
        key: its name in budgets.toml.
        title: a title for people.
        unit: the unit of the figures.
        samples: all results by variant: bare, guarded, floor. Results at the same index were
            measured side by side.
    """

    key: str
    title: str
    unit: str
    samples: dict[str, list[float]]

    def median(self, variant: str) -> float | None:
        """The median of a variant's results; None if the variant was not measured."""
        results = self.samples.get(variant)
        return statistics.median(results) if results else None

    def ratio(self, variant: str, base: str) -> float | None:
        """The median ratio of side-by-side results."""
        pairs = self._pairs(variant, base)
        return statistics.median(one / other for one, other in pairs) if pairs else None

    def added(self, variant: str, base: str) -> float | None:
        """The median difference of side-by-side results."""
        pairs = self._pairs(variant, base)
        return statistics.median(one - other for one, other in pairs) if pairs else None

    def _pairs(self, variant: str, base: str) -> list[tuple[float, float]]:
        return list(zip(self.samples.get(variant, []), self.samples.get(base, []), strict=False))


@dataclass(frozen=True)
class Bench:
    """What is measured, and the tools for it.

    Args:
        layer: the unpacked layer.
        tools: the compiled tools.
        scratch: a scratch folder outside /tmp.
        python: the interpreter, not one of a virtual environment.
        quick: take few samples, only to see that it works.
    """

    layer: Path
    tools: Tools
    scratch: Path
    python: str
    quick: bool

    @property
    def launcher(self) -> str:
        """The layer's exec wrapper."""
        return str(self.layer / "function-shield")

    def samples(self, many: int) -> int:
        """The number of samples to take."""
        return max(3, many // 10) if self.quick else many

    def environment(self) -> dict[str, str]:
        """The same few environment variables for every variant."""
        return {"PATH": os.defpath, "LANG": "C.UTF-8", "FUNCTION_SHIELD_POLICY": POLICY}


def interleaved(count: int, variants: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """`count` results of each variant. The order is reversed each time."""
    results: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(count + 1):
        names = list(variants) if number % 2 else list(reversed(variants))
        for name in names:
            value = variants[name]()
            # The first round only warms the caches.
            if number:
                results[name].append(value)
    return results


def printed(command: list[str], environment: dict[str, str]) -> float:
    """The number that the command prints. If it fails, raises RuntimeError with its last words."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command[:3])} …: status {done.returncode}: {done.stderr.strip()[-300:]}"
        )
    return float(done.stdout)


def start(bench: Bench) -> Figure:
    """A process from spawn to exit: ``python3 -c pass``."""
    command = [bench.python, "-c", "pass"]
    environment = bench.environment()
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]

    def spawn(*words: str) -> Callable[[], float]:
        def run() -> float:
            begin = time.perf_counter()
            pid = os.posix_spawn(words[0], words, environment, file_actions=null)
            status = os.waitpid(pid, 0)[1]
            took = time.perf_counter() - begin
            if status:
                raise RuntimeError(f"{words[0]}: status {os.waitstatus_to_exitcode(status)}")
            return took * 1000

        return run

    count = bench.samples(200)
    found = interleaved(
        count,
        {
            "bare": spawn(*command),
            "floor": spawn(str(bench.tools.launcher), *command),
            "guarded": spawn(bench.launcher, *command),
        },
    )
    return Figure("start", "start of python3 -c pass", "ms", found)


def emulated(bench: Bench, how: str) -> Function:
    """A function that does nothing: bare, guarded, or behind a launcher that does nothing."""
    floor = {"AWS_LAMBDA_EXEC_WRAPPER": str(bench.tools.launcher)} if how == "floor" else {}
    if how == "guarded":
        return Function(
            FUNCTION, "app.handler", layer=bench.layer, policy=POLICY, python=bench.python
        )
    return Function(FUNCTION, "app.handler", guarded=False, python=bench.python, env=floor)


def invocations(bench: Bench) -> Iterator[Figure]:
    """First and later invocations of a function that does nothing, under the emulator."""
    count, later = bench.samples(20), bench.samples(400)

    def first(how: str) -> Callable[[], float]:
        def run() -> float:
            with emulated(bench, how) as function:
                return succeeded(function, settle=False)

        return run

    variants = ("bare", "floor", "guarded")
    found = interleaved(count, {how: first(how) for how in variants})
    yield Figure("invoke_first", "first invocation", "ms", found)
    with ExitStack() as stack:
        running = {how: stack.enter_context(emulated(bench, how)) for how in variants}
        for function in running.values():
            succeeded(function, settle=True)
        found = interleaved(
            later,
            {how: partial(succeeded, function, settle=False) for how, function in running.items()},
        )
    yield Figure("invoke_later", "later invocations", "ms", found)


def succeeded(function: Function, *, settle: bool) -> float:
    """The duration of an invocation. Raises RuntimeError if it failed."""
    done = function.invoke({"number": 1}, settle=settle)
    if done.error:
        raise RuntimeError(f"the function failed: {done.error}")
    return done.duration_ms


def calls(bench: Bench) -> Iterator[Figure]:
    """libc calls, timed by a C program, bare and guarded."""
    file = bench.scratch / "file"
    file.write_bytes(b"x")
    own = _own_tmp()
    shared = not Path("/tmp").is_mount()
    for place, wrap in (("own", own), ("shared", [] if shared else None)):
        if wrap is None:
            continue
        where = "/tmp a mount" if place == "own" else "/tmp no mount"
        for call, title, number in (
            ("open", "open+close, reading", "20000"),
            ("create", "open+close, creating", "2000"),
        ):
            yield _call(
                bench, f"{call}_{place}_tmp", f"{title}, {where}", wrap, [call, number, str(file)]
            )
    yield _call(bench, "connect", "connect on loopback", [], ["connect", "2000"])
    yield _call(bench, "lookup", "getaddrinfo, numeric host", [], ["lookup", "5000"])


def _call(bench: Bench, key: str, title: str, wrap: list[str], arguments: list[str]) -> Figure:
    command = [str(bench.tools.micro), *arguments]
    count = bench.samples(12)
    environment = bench.environment()
    found = interleaved(
        count,
        {
            "bare": lambda: printed([*wrap, *command], environment),
            "guarded": lambda: printed([*wrap, bench.launcher, *command], environment),
        },
    )
    return Figure(key, title, "ns", found)


def _own_tmp() -> list[str] | None:
    """The command prefix for a mount namespace in which /tmp is a mount. None if that is not
    possible."""
    if Path("/tmp").is_mount():
        return []
    for unshare in (["unshare", "-m"], ["unshare", "-r", "-m"]):
        words = [*unshare, "sh", "-c", _MOUNT, "sh"]
        try:
            if (
                subprocess.run(
                    [*words, "true"], capture_output=True, timeout=10, check=False
                ).returncode
                == 0
            ):
                return words
        except (OSError, subprocess.TimeoutExpired):
            return None
    return None


def _python(bench: Bench, code: str, count: int) -> dict[str, list[float]]:
    command, environment = [bench.python, "-c", code], bench.environment()
    return interleaved(
        count,
        {
            "bare": lambda: printed(command, environment),
            "floor": lambda: printed([str(bench.tools.launcher), *command], environment),
            "guarded": lambda: printed([bench.launcher, *command], environment),
        },
    )


def audit(bench: Bench) -> Figure:
    """``sys.audit`` of an event that nobody watches."""
    count = bench.samples(15)
    found = _python(bench, _AUDIT, count)
    return Figure("audit", "sys.audit, unwatched event", "ns", found)


def memory(bench: Bench) -> Figure:
    """The largest resident set of ``python3``."""
    count = bench.samples(20)
    found = _python(bench, _MEMORY, count)
    return Figure("memory", "peak memory", "MB", found)


def sizes(dist: Path) -> Iterator[Figure]:
    """The sizes of the layer's zips."""
    for architecture in ("x86_64", "arm64"):
        path = dist / f"function-shield-layer-{architecture}.zip"
        if path.is_file():
            yield Figure(
                f"layer_{architecture}",
                f"layer zip, {architecture}",
                "KB",
                {"guarded": [path.stat().st_size / 1000]},
            )


def plain_python() -> str:
    """The interpreter that starts most like Lambda's: the one that loads the fewest modules by
    itself.

    A ``.pth`` file in a site folder can import a hundred modules. The guard inspects each, and that
    would be another measure.
    """
    base = str(getattr(sys, "_base_executable", sys.executable))
    system = [f"/usr/bin/python3.{minor}" for minor in range(20, 10, -1)]
    return min([*filter(os.path.exists, system), base], key=_modules_at_start)


def _modules_at_start(python: str) -> int:
    done = subprocess.run(
        [python, "-c", "import sys; print(len(sys.modules))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return int(done.stdout) if done.returncode == 0 else sys.maxsize


def python_version(python: str) -> str:
    """The version, such as ``3.13.5``. Raises RuntimeError if the interpreter does not start."""
    done = subprocess.run([python, "-V"], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{python} -V: status {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout.split()[-1]
