"""`ctypes.util.find_library` starts ldconfig, which is static. Events and commands say that no
entry can allow it, both before and after it is blocked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from tests import support

LDCONFIG = "/usr/sbin/ldconfig"
pytestmark = pytest.mark.skipif(not Path("/sbin/ldconfig").exists(), reason="no ldconfig here")
BLOCKED: dict[str, Any] = {"policy": {"default": "block", "native_code": "alert"}}
ALERTED_BESIDE: dict[str, Any] = {"policy": {"default": "block", "create_child_process": "alert"}}
WITH_ENTRY: dict[str, Any] = {
    "policy": {"default": "block", "create_child_process": {"allow": [LDCONFIG]}}
}
STARTS = {
    "find_library": "import ctypes.util; print(ctypes.util.find_library('c'))",
    "Popen": "import subprocess; subprocess.run(['/sbin/ldconfig', '-p'], stdout=-3)",
    "execv": "import os; os.execv('/sbin/ldconfig', ['ldconfig', '--version'])",
    "spawn": "import os; os.waitpid(os.posix_spawn('/sbin/ldconfig', ['ldconfig', '-V'], {}), 0)",
    "libc": "import ctypes; ctypes.CDLL(None).execl(b'/sbin/ldconfig', b'ldconfig', b'-V', None)",
}


def run_and_event(
    start: str, policy: str | dict[str, Any]
) -> tuple[support.Guarded, dict[str, Any]]:
    """A run, and its event about ldconfig."""
    done = support.run_guarded([sys.executable, "-c", STARTS[start]], policy=policy)
    found = [
        event for event in done.of("create_child_process") if event["details"]["path"] == LDCONFIG
    ]
    assert len(found) == 1, (done.stderr, done.events)
    return done, found[0]


@pytest.mark.parametrize("policy", ["monitor", BLOCKED, ALERTED_BESIDE, WITH_ENTRY], ids=str)
@pytest.mark.parametrize("start", STARTS)
def test_the_event_proposes_no_entry(start: str, policy: str | dict[str, Any]) -> None:
    done, event = run_and_event(start, policy)
    assert event["reason"] == "unguardable" and event["rule"] is None
    assert "entry" not in event and "no rule allows it" not in event["message"]
    assert "the guard cannot be loaded into it" in event["message"]
    assert event["mode"] == ("alert" if policy == "monitor" else "block")
    if start == "find_library" and policy == "monitor":
        assert done.stdout.startswith("libc.so")


@pytest.mark.parametrize("seen_under", ["monitor", "default"])
def test_each_command_says_what_the_run_does(tmp_path: Path, seen_under: str) -> None:
    done, _ = run_and_event("find_library", seen_under)
    log = tmp_path / "log"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in done.events))

    def run(*words: str | Path) -> tuple[int, dict[str, Any]]:
        ran = CliRunner().invoke(app, [*map(str, words), "--json"])
        return ran.exit_code, json.loads(ran.stdout)

    learnt = tmp_path / "learnt.yaml"
    _, answer = run("learn", log, "--own", "__main__", "-o", learnt)
    held = {one["what"]: one for one in answer["held"]}
    assert held[LDCONFIG]["accept"] is None and "cannot be loaded" in held[LDCONFIG]["why"]
    assert LDCONFIG not in answer["policy"].partition("tests:")[0]

    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n  create_child_process: alert\n")
    status, answer = run("fix", "-p", policy, log)
    assert status == 1 and not any(LDCONFIG in one["entry"] for one in answer["entries"])
    assert any("cannot be loaded" in one["why"] for one in answer["impossible"])
    _, answer = run("explain", policy, "exec", LDCONFIG)
    assert (answer["mode"], answer["reason"]) == ("block", "unguardable")
    status, answer = run("replay", "--policy", policy, log)
    broken = [one["reason"] for one in answer["blocked"] if one["target"] == LDCONFIG]
    assert broken == (["unguardable"] if seen_under == "monitor" else [])
    policy.write_text(
        f"version: 1\npolicy:\n  default: block\n  create_child_process: {{allow: [{LDCONFIG}]}}\n"
    )
    status, answer = run("check", policy)
    assert status == 1 and "does not start" in answer["findings"][0]["message"]
