"""The launcher's --self-test: the rings as JSON and exit status 0, or 78 with a reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.contract.helpers import (
    PYTHON,
    build,
    copy_layer,
    core_of,
    executable,
    policy_of,
)
from tests.support import (
    LAUNCHER,
    clean_environment,
)


def test_self_test(tmp_path: Path) -> None:
    for argv in (["--self-test"], ["--self-test", PYTHON], ["--self-test", "/bin/true"]):
        done = subprocess.run(
            [LAUNCHER, *argv],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        answer = json.loads(done.stdout)
        assert done.stdout.count("\n") == 1
        assert answer["policy_name"] == "default"
        assert answer["rings"] == (["libc"] if "/bin/true" in argv else ["interpreter", "libc"])


@pytest.mark.parametrize("broken", ["policy", "core", "command", "name", "floor", "mode"])
def test_self_test_of_what_is_broken(tmp_path: Path, broken: str) -> None:
    launcher = copy_layer(tmp_path / "layer")
    argv, env = [str(launcher), "--self-test"], {}
    if broken == "policy":
        policy_of(launcher, "default").write_bytes(b"rubbish")
    elif broken == "floor":
        policy_of(launcher, "floor").write_bytes(b"rubbish")
    elif broken == "core":
        core_of(launcher).write_bytes(b"rubbish")
    elif broken == "command":
        argv.append("/no/such/python")
    elif broken == "name":
        env["FUNCTION_SHIELD_POLICY"] = "no-such-policy"
    else:
        env["FUNCTION_SHIELD_MODE"] = "nonsense"
    done = subprocess.run(
        argv, env=clean_environment(env), capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (78, "")
    assert json.loads(done.stderr)["event"] == "refused"


def test_self_test_does_not_run_the_command(tmp_path: Path) -> None:
    made = tmp_path / "made"
    script = executable(tmp_path / "script", f"#!/bin/sh\ntouch {made}\n")
    for command in (
        [script],
        [PYTHON, "-c", f"open({str(made)!r}, 'w')"],
        [build("acts.c", "acts"), "create", made],
    ):
        done = subprocess.run(
            [LAUNCHER, "--self-test", *map(str, command)],
            env=clean_environment(),
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0
        assert not made.exists()
