"""The arm64 layer under qemu: the same acts with Debian's arm64 Python and our arm64 core.

qemu's user mode cannot replace itself by another arm64 program, so these tests make the launcher's
state. The launcher itself runs only in tests of what it refuses.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from fshield.local.cache import cache_folder
from tests import support

QEMU = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
ROOT = cache_folder("arm64")
REQUIRED = "arm64" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")

pytestmark = pytest.mark.skipif(
    not REQUIRED and not (QEMU and (ROOT / "complete").exists()),
    reason="needs qemu-user-static and tests/arm64/fetch.sh",
)


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arm64-layer")
    with zipfile.ZipFile(support.ROOT / "dist" / "function-shield-layer-arm64.zip") as archive:
        archive.extractall(folder)
    (folder / "function-shield").chmod(0o755)
    return folder


def run(layer: Path, policy: str, program: str) -> support.Guarded:
    """Run the Python text `program` under the arm64 core."""
    assert QEMU, "qemu-aarch64-static is missing"
    python = ROOT / "usr" / "bin" / (ROOT / "complete").read_text().strip()
    compiled = layer / "function-shield.d" / "policies" / f"{policy}.policy"
    digest = hashlib.sha256(compiled.read_bytes()).hexdigest()
    # qemu runs the program in its own process, so its pid is that of the shell that becomes qemu.
    values = {"VERSION": "1", "PID": "$$", "EVENT_FD": "9", "POLICY_SHA": digest}
    values |= {"POLICY": str(compiled), "LAYER": str(layer)}
    header = support.core_file("handed_on.h").read_text()
    fields = re.findall(r"^    STATE_FIELD_(\w+),", header, re.MULTILINE)
    state = "\x1f".join(values.get(field, "") for field in fields)
    core = layer / "function-shield.d" / "function-shield.so"
    sets = f'-E "PYTHONHOME={ROOT}/usr" -E "LD_PRELOAD={core}" -E "FUNCTION_SHIELD_STATE={state}"'
    script = f'exec 9>&2; exec "$0" -L "{ROOT}" {sets} "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, QEMU, str(python), "-B", "-c", program],
        env=support.clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    stderr, events = support.split_events(done.stderr)
    return support.Guarded(done.returncode, done.stdout, stderr, events)


ACTS = {
    "read_write_tmp": "open(PATH).read()",
    "read_write_tmp by openat": "os.chdir('/'); open(PATH[1:]).read()",
    "outbound_connectivity": "socket.create_connection(('127.66.66.66', 9), 2)",
    "outbound_connectivity by name": "socket.getaddrinfo('evil.example', 443)",
    "create_child_process": "os.fork()",
    "create_child_process by exec": "os.execv('/bin/true', ['true'])",
}


@pytest.mark.parametrize("act", ACTS)
def test_blocked(layer: Path, act: str, tmp_file: Path) -> None:
    text = f"import os, socket\nPATH = {str(tmp_file)!r}\n{ACTS[act]}\nprint('REACHED')"
    done = run(layer, "strict", text)
    assert "REACHED" not in done.stdout
    assert "Permission" in done.stderr or "PolicyViolation" in done.stderr, done
    assert [event["policy"] for event in done.violations] == [act.split(" ", 1)[0]], done


def test_armed(layer: Path) -> None:
    done = run(layer, "default", "print('honest work')")
    assert done.stdout == "honest work\n", done
    assert [event["event"] for event in done.events] == ["armed"]
    assert done.events[0]["rings"] == ["interpreter", "libc"]


def test_alert_changes_nothing(layer: Path, tmp_file: Path) -> None:
    done = run(layer, "monitor", f"print(open({str(tmp_file)!r}).read())")
    assert done.stdout == "stashed\n\n", done
    assert [event["mode"] for event in done.violations] == ["alert"]


def test_launcher_refuses(layer: Path) -> None:
    assert QEMU, "qemu-aarch64-static is missing"
    (layer / "function-shield.d" / "policies" / "broken.policy").write_bytes(b"FSPOLICY")
    environment = support.clean_environment({"FUNCTION_SHIELD_POLICY": "broken"})
    command = [QEMU, str(layer / "function-shield"), "/bin/true"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 78, done
    assert '"event":"refused"' in done.stderr


def test_lookup(layer: Path) -> None:
    """qemu has no child that shares memory, so the lookup runs in the calling process."""
    done = run(
        layer,
        "strict",
        "import socket\nprint(socket.getaddrinfo('localhost', 443, socket.AF_INET)[0][4])",
    )
    assert done.stdout == "('127.0.0.1', 443)\n", done
    assert done.violations == []
