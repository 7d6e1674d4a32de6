"""The kernel ring: when it is active, what it stops, and what `armed` says if it is not active."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import (
    LAUNCHER,
    Event,
    clean_environment,
    interpreters,
    policy_file,
    rules,
    run_guarded,
    split_events,
)

HERE = Path(__file__).resolve().parent
PYTHON = interpreters()[0]
ON = {"kernel": {"file_size": "on"}}
CLOSED = rules(tmp="block", **ON)

# Lambda's mounts, in a separate mount namespace: all but /tmp are read-only.
SANDBOX = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /tmp
{more}
for point in $(cut -d' ' -f5 /proc/self/mountinfo); do
    case $point in
        /tmp|/proc|/proc/*|/dev|/dev/*|/sys|/sys/*{keep}) ;;
        *) mount -o remount,bind,ro "$point" ;;
    esac
done
exec "$@"
"""


def sandboxed(
    argv: list[str | Path],
    policy: Mapping[str, object],
    more: str = ":",
    keep: str = "",
    env: Mapping[str, str] | None = None,
) -> tuple[str, int, list[Event]]:
    """Run guarded in the sandbox. Returns the output, the status and the events."""
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("mount namespaces are not permitted here")
    chosen = policy_file(policy)
    script = SANDBOX.format(more=more, keep=keep)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sandbox", str(LAUNCHER), *map(str, argv)],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": chosen, **(env or {})}),
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    rest, events = split_events(done.stderr)
    return done.stdout + rest, done.returncode, events


@pytest.fixture(scope="module")
def grow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that writes without libc."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not here")
    out = tmp_path_factory.mktemp("grow") / "grow"
    subprocess.run(["gcc", "-o", str(out), str(HERE / "grow.c")], check=True)
    return out


def test_machine_code_keeps_nothing(grow: Path) -> None:
    output, status, events = sandboxed([grow, "/tmp/kept"], CLOSED)
    assert (output, status) == ("File too large limited\n", 0)
    assert (events[0]["rings"], events[0]["kernel"]) == (["libc", "kernel"], "file_size")


def test_without_it_machine_code_does(grow: Path) -> None:
    output, _, events = sandboxed([grow, "/tmp/kept"], rules(tmp="block"))
    assert output == "kept unlimited\n"
    assert (events[0]["rings"], events[0]["kernel"]) == (["libc"], None)


def test_python_and_its_children(grow: Path) -> None:
    code = f"""
import os, resource, signal, subprocess, sys
print(resource.getrlimit(resource.RLIMIT_FSIZE), flush=True)
subprocess.run([{str(grow)!r}, "/tmp/kept"], check=True)
read, write = os.pipe()
os.write(write, b"x" * 5000)
sys.stdout.write("pipes go on\\n")
"""
    output, status, events = sandboxed([PYTHON, "-c", code], CLOSED)
    assert (output, status) == ("(0, 0)\nFile too large limited\npipes go on\n", 0)
    assert events[0]["rings"] == ["interpreter", "libc", "kernel"]
    assert [event["event"] for event in events] == ["armed"]


def test_nobody_raises_it_again(grow: Path) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not here")
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    python, code = (
        "/usr/bin/python3",
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))",
    )
    if not Path(python).exists():
        pytest.skip("no Python that every user may start")
    more = (
        'mount -t tmpfs layer /opt; cp -r "$(dirname "$1")" /opt/layer; cp'
        ' "$FUNCTION_SHIELD_POLICY" /opt/own.policy'
    )
    as_user = (
        "setpriv --reuid 993 --regid 990 --clear-groups env FUNCTION_SHIELD_POLICY=/opt/own.policy"
    )
    script = SANDBOX.format(more=more, keep="").replace(
        'exec "$@"', f'shift; exec {as_user} /opt/layer/function-shield "$@"'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sandbox", str(LAUNCHER), python, "-I", "-c", code],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(CLOSED)}),
        capture_output=True,
        text=True,
        cwd="/",
        timeout=30,
        check=False,
    )
    rest, events = split_events(done.stderr)
    assert events[0]["kernel"] == "file_size", (rest, events)
    assert "not allowed to raise maximum limit" in rest


def test_a_write_past_it_is_an_error_and_no_death(grow: Path) -> None:
    """sh changes no signal disposition, and its children inherit what it had."""
    output, status, _ = sandboxed(["/bin/sh", "-c", f"{grow} /tmp/kept; echo still here"], CLOSED)
    assert (output, status) == ("File too large limited\nstill here\n", 0)


OFF = {
    "exceptions": (
        rules(tmp={"mode": "block", "allow": ["/tmp/cache/**"]}, **ON),
        "read_write_tmp has exceptions",
    ),
    "alert": (rules(tmp="alert", process="block", **ON), "read_write_tmp does not block"),
}


@pytest.mark.parametrize("name", OFF)
def test_off_by_policy(grow: Path, name: str) -> None:
    policy, reason = OFF[name]
    output, _, events = sandboxed([grow, "/nowhere/file"], policy)
    assert output.endswith("unlimited\n")
    assert (events[0]["rings"], events[0]["kernel"]) == (["libc"], reason)


def test_off_in_a_dry_run(grow: Path) -> None:
    policy = {**CLOSED, "allow_mode_override": ["alert"]}
    _, _, events = sandboxed([grow, "/nowhere/file"], policy, env={"FUNCTION_SHIELD_MODE": "alert"})
    assert (events[0]["rings"], events[0]["kernel"]) == (["libc"], "a dry run blocks nothing")


def test_off_where_another_mount_is_writable(grow: Path) -> None:
    """A file system mounted like EFS."""
    _, _, events = sandboxed(
        [grow, "/nowhere/file"], CLOSED, more="mount -t tmpfs efs /srv", keep="|/srv"
    )
    assert events[0]["rings"] == ["libc"]
    assert events[0]["kernel"] == "another file system can be written to: /srv"


def test_off_where_the_root_is_writable(grow: Path) -> None:
    """As on a workstation."""
    done = run_guarded([grow, "/nowhere/file"], policy=CLOSED)
    assert done.stdout.endswith("unlimited\n")
    assert done.events[0]["kernel"].startswith("another file system can be written to: ")


@pytest.mark.parametrize(
    ("redirect", "reason"), [("1>", "standard output"), ("2>", "standard error")]
)
def test_off_where_output_is_a_file(grow: Path, tmp_path: Path, redirect: str, reason: str) -> None:
    out, events_file = tmp_path / "out", tmp_path / "events"
    environment = clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(CLOSED)})
    command = f"exec {LAUNCHER} {grow} /nowhere/file {redirect}{out}"
    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    events_file.write_text(done.stderr + out.read_text())
    _, events = split_events(events_file.read_text())
    assert events[0]["kernel"] == f"{reason} is a regular file"


def test_off_where_events_go_to_a_file(grow: Path, tmp_path: Path) -> None:
    out = tmp_path / "events"
    run_guarded([grow, "/nowhere/file"], policy=CLOSED, env={"FUNCTION_SHIELD_EVENTS": str(out)})
    _, events = split_events(out.read_text())
    assert events[0]["kernel"] == "events go to a regular file"


def test_strict_asks_for_it(grow: Path) -> None:
    assert run_guarded([grow, "/nowhere/file"], policy="strict").events[0]["kernel"]
    assert run_guarded([grow, "/nowhere/file"], policy="default").events[0]["kernel"] is None
