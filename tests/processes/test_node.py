"""Node's child processes: each makes one event, which names the program. If they are blocked,
nothing starts."""

from __future__ import annotations

import shutil

import pytest

from tests.support import rules, run_bare, run_guarded

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no Node on this machine")

ACTS = {
    "execFileSync": "console.log(cp.execFileSync('/usr/bin/uname', ['-m']).toString())",
    "execSync": "console.log(cp.execSync('uname -s; uname -m | cat').toString())",
    "execFile": (
        "cp.execFile('uname', (error, out) => { if (error) throw error; console.log(out) })"
    ),
    "spawn": (
        "cp.spawn('/usr/bin/uname', [], {stdio: 'inherit', env: {LD_PRELOAD: ''}}).on('error', e =>"
        " { throw e })"
    ),
}


def code(act: str) -> str:
    return "const cp = require('child_process'); " + ACTS[act]


@pytest.mark.parametrize("act", ACTS)
def test_alert(act: str) -> None:
    bare = run_bare([str(NODE), "-e", code(act)])
    result = run_guarded([str(NODE), "-e", code(act)], policy=rules(process="alert"))
    assert (result.returncode, result.stdout, result.stderr) == (0, bare.stdout, bare.stderr)
    [event] = result.of("create_child_process")
    assert event["details"]["path"].startswith("/usr/bin/")


@pytest.mark.parametrize("act", ACTS)
def test_block(act: str) -> None:
    result = run_guarded([str(NODE), "-e", code(act)], policy=rules(process="block"))
    assert (
        "EACCES" in result.stderr and "Linux" not in result.stdout and "x86_64" not in result.stdout
    ), result
    [event] = result.of("create_child_process")
    assert event["mode"] == "block"
    assert event["details"]["path"].startswith("/usr/bin/")
