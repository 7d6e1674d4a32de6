"""Never unguarded: real and effective ids that differ, or parts of the layer that the user cannot
read, stop the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.helpers import (
    copy_layer,
    core_of,
    launch,
    policy_of,
    refusal,
)
from tests.support import rules

BLOCK = rules("block", "block", "block", "block")


def as_nobody(argv: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run as an unprivileged user, so that file modes apply."""
    return subprocess.run(
        argv,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder outside /tmp that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="function-shield-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


@needs_root
@pytest.mark.parametrize("how", ["egid", "euid", "both", "real"])
@pytest.mark.parametrize(
    "command", [["/bin/sh", "-c", "echo ran"], ["/usr/bin/python3", "-ISc", "print('ran')"]]
)
def test_ids_that_differ(open_folder: Path, how: str, command: list[str]) -> None:
    """AT_SECURE: the loader would silently drop LD_PRELOAD."""
    launcher = copy_layer(open_folder / "layer")

    def change() -> None:
        if how in {"egid", "both"}:
            os.setegid(65534)
        if how in {"euid", "both"}:
            os.seteuid(65534)
        if how == "real":
            os.setreuid(65534, 0)

    assert "real user" in refusal(launch(command, launcher=launcher, preexec_fn=change, cwd="/"))


@needs_root
def test_a_launcher_that_takes_other_rights(open_folder: Path) -> None:
    launcher = copy_layer(open_folder / "layer")
    launcher.chmod(0o4755)
    done = as_nobody([str(launcher), "/bin/sh", "-c", "echo ran"], {})
    assert (done.returncode, done.stdout) == (78, ""), done
    assert "setuid" in done.stderr


@needs_root
def test_an_unprivileged_user_is_guarded(open_folder: Path) -> None:
    launcher = copy_layer(open_folder / "layer")
    code = (
        "try: open('/tmp/function-shield-nonexistent')\nexcept OSError as error:"
        " print(type(error).__name__)"
    )
    done = as_nobody([str(launcher), "/usr/bin/python3", "-c", code], {})
    assert done.stdout == "PolicyViolation\n", done


@needs_root
@pytest.mark.parametrize("what", ["policy", "core", "policies folder", "site"])
def test_unreadable_parts(open_folder: Path, what: str) -> None:
    launcher = copy_layer(open_folder / "layer")
    part = {
        "policy": policy_of(launcher, "default"),
        "core": core_of(launcher),
        "policies folder": policy_of(launcher, "default").parent,
        "site": launcher.parent / "function-shield.d" / "site",
    }[what]
    part.chmod(0)
    done = as_nobody([str(launcher), "/usr/bin/python3", "-c", "print('ran')"], {})
    part.chmod(0o700)
    if what == "site":
        # The witness is needed only if the hook is missing.
        assert '"event":"armed"' in done.stderr or done.returncode == 78
    else:
        assert (done.returncode, done.stdout, done.stderr.count('"event":"refused"')) == (
            78,
            "",
            1,
        ), done
