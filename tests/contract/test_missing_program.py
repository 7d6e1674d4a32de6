"""Starting a program that does not exist is not blocked: Python raises the same error as without
the guard, and no event is written."""

from __future__ import annotations

import json
import sys

import pytest

from tests import support

STARTS = {
    "by name": "subprocess.run(['no-such-program', 'x'])",
    "by path": "subprocess.run('/no/such/program')",
    "as bytes": "subprocess.run([b'/no/such/program'])",
    "relative": "subprocess.run(['./no-such-program'])",
    "in a folder": "subprocess.run(['no-such-program'], cwd='/usr')",
    "by another path": "subprocess.run(['true'], env={'PATH': '/no/such'})",
    "popen": "subprocess.Popen(['no-such-program'], stdout=subprocess.PIPE)",
    "without close_fds": "subprocess.run(['no-such-program'], close_fds=False)",
    "executable": "subprocess.run(['true'], executable='/no/such/program')",
    "spawn": "os.posix_spawn('/no/such/program', ['x'], {})",
    "spawnp": "os.posix_spawnp('no-such-program', ['x'], {})",
    "asyncio": "asyncio.run(asyncio.create_subprocess_exec('no-such-program'))",
    "execvp": "os.execvp('no-such-program', ['x'])",
    "execv": "os.execv('/no/such/program', ['x'])",
}
PROGRAM = """
import asyncio, json, os, subprocess
try:
    {start}
except OSError as error:
    told = [type(error).__name__, error.errno, error.strerror, str(error.filename), str(error)]
    print(json.dumps(told))
"""


@pytest.mark.parametrize("policy", ["default", "monitor"])
@pytest.mark.parametrize("start", STARTS)
def test_it_fails_as_bare_without_an_event(start: str, policy: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(start=STARTS[start])]
    bare = support.run_bare(command)
    guarded = support.run_guarded(command, policy=policy)
    assert json.loads(bare.stdout)[:2] == ["FileNotFoundError", 2]
    assert json.loads(guarded.stdout) == json.loads(bare.stdout)
    assert guarded.violations == []
