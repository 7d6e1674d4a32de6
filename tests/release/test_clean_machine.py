"""The wheel on a Debian that has Python and no compiler. It takes a minute or two, and builds
nothing."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.fleet.functions import Fleet
from tests.fleet.stand_in import KEYS, running
from tests.release.test_installed import TEST
from tests.replica.image import debian
from tests.support import ROOT

SUITES = ("bookworm", "trixie")
PACKAGES = ("python3", "python3-venv", "ca-certificates")
#: pip needs this machine's name resolution and certificates.
OF_THIS_MACHINE = ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt")
ENTER = """
set -eu
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" sh -c 'cd /srv/work && exec ./clean_machine.sh "$@"' clean_machine "$2" "$3" "$4"
"""
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c")
_CPU_S = 60

pytestmark = pytest.mark.skipif(
    os.environ.get("RELEASE_CHECK") != "1",
    reason="takes minutes and needs PyPI: make release-check",
)


@pytest.fixture(params=SUITES)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A root file system."""
    root = tmp_path / "root"
    root.mkdir()
    with tarfile.open(debian(request.param, PACKAGES)) as archive:
        archive.extractall(root, filter="fully_trusted")
    for name in ("dev", "proc", "sys", "tmp", "srv/work"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for name in OF_THIS_MACHINE:
        if Path("/", name).is_file():
            shutil.copyfile(Path("/", name), root / name)
    return root


def test_the_wheel_needs_no_compiler(machine: Path, wheel: Path) -> None:
    work = machine / "srv" / "work"
    shutil.copy(wheel, work)
    shutil.copy(ROOT / "tests" / "release" / "clean_machine.sh", work)
    (work / "pytest.ini").write_text("[pytest]\n")
    # Its second test must fail.
    (work / "test_it.py").write_text(TEST.partition('@pytest.mark.function_shield(policy="')[0])
    (work / "app.py").write_text("def handler(event, context):\n    return 1\n")
    variables = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
    variables |= {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "COLUMNS": "100",
        **KEYS,
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with running() as stand_in:
        fleet = Fleet(stand_in)
        fleet.function("mine")
        done = subprocess.run(
            [*ALONE, ENTER, "enter", str(machine), wheel.name, stand_in.url, "mine"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert fleet.layers("mine") == ["function-shield-x86_64"]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(done.stdout)
    assert "5 of 5 acts stopped and named; same response, same picture" in done.stdout
    assert "1 passed" in done.stdout
    assert done.stdout.count("step: ") == 4
    # The promise is two minutes on an idle machine. This one may be busy, so it gets longer.
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < _CPU_S, f"{used:.0f} s of CPU"
