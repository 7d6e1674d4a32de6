"""Alert mode changes nothing that a program can see, and each act makes one event."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.processes.programs import acts
from tests.processes.test_blocked import EXECS, FORKS, SHELLS, SPAWNS, UNAME
from tests.support import rules, run_bare, run_guarded

ALERT = rules(process="alert")
PYTHON = str(Path(sys.executable).resolve())


@pytest.mark.parametrize("name", FORKS + EXECS + SPAWNS + SHELLS)
@pytest.mark.parametrize(
    "policy", [ALERT, rules(process="alert", outbound="block")], ids=["monitor", "mixed"]
)
def test_same_output_one_event(name: str, policy: dict[str, object]) -> None:
    bare = run_bare([acts(), name, UNAME])
    if name == "wordexp" and policy is not ALERT:
        pytest.skip(
            "libc starts this shell past every door, so it is refused only if a rule blocks"
        )
    result = run_guarded([acts(), name, UNAME], policy=policy)
    assert (result.returncode, result.stdout, result.stderr) == (
        bare.returncode,
        bare.stdout,
        bare.stderr,
    )
    if name in ("vfork", "clone-vm"):
        # In alert mode the event waits until the child executes, to name the program. This child
        # executes nothing.
        assert result.violations == []
        return
    [event] = result.violations
    assert (event["policy"], event["mode"]) == ("create_child_process", "alert")


PYTHON_ACTS = {
    "subprocess": "subprocess.run(['/usr/bin/uname'])",
    "subprocess on PATH": "subprocess.run(['uname'])",
    "subprocess, start_new_session": "subprocess.run(['/usr/bin/uname'], start_new_session=True)",
    "subprocess, shell": "subprocess.run('uname; uname -m | cat', shell=True)",
    "os.system": "os.system('uname; uname -m | cat')",
    "os.popen": "print(os.popen('uname -m').read())",
    "os.posix_spawn": "os.waitpid(os.posix_spawn('/usr/bin/uname', ['uname'], os.environ), 0)",
    "os.execv": "os.execv('/usr/bin/uname', ['uname'])",
    "os.execvp": "os.execvp('uname', ['uname'])",
    "os.fork": "pid = os.fork()\nif pid == 0: os._exit(3)\nprint(os.waitpid(pid, 0)[1])",
    "fork_exec": (
        "import _posixsubprocess, multiprocessing.util\npid ="
        " multiprocessing.util.spawnv_passfds(b'/usr/bin/uname', [b'uname'],"
        " [])\nos.waitpid(pid, 0)"
    ),
}


@pytest.mark.parametrize("act", PYTHON_ACTS)
def test_python(act: str) -> None:
    code = "import os, subprocess, sys\n" + PYTHON_ACTS[act]
    bare = run_bare([PYTHON, "-c", code])
    result = run_guarded([PYTHON, "-c", code], policy=ALERT)
    assert (result.returncode, result.stdout, result.stderr) == (
        bare.returncode,
        bare.stdout,
        bare.stderr,
    )
    events = [(event["mode"], event["details"]) for event in result.of("create_child_process")]
    assert len(events) == 1, events


def test_an_own_fork_and_an_own_exec_are_two_acts() -> None:
    code = "import os; os.spawnv(os.P_WAIT, '/usr/bin/uname', ['uname'])"
    result = run_guarded([PYTHON, "-c", code], policy=ALERT)
    assert [event["details"]["path"] for event in result.violations] == [None, "/usr/bin/uname"]


ANNOUNCED = {
    "subprocess.Popen": "sys.audit('subprocess.Popen', '/usr/bin/true', ['true'], None, None)",
    "os.posix_spawn": "sys.audit('os.posix_spawn', '/usr/bin/true', ['true'], {})",
    "os.system": "sys.audit('os.system', 'true')",
    "nothing": "sys.audit('subprocess.Popen', 'missing', ['missing'], None, None)",
}
OTHER = "os.waitpid(multiprocessing.util.spawnv_passfds(b'/usr/bin/uname', [b'uname'], []), 0)"


@pytest.mark.parametrize("event", ANNOUNCED)
def test_another_program_than_the_announced_one_is_told(event: str) -> None:
    code = f"import multiprocessing.util, os, sys\n{ANNOUNCED[event]}\n{OTHER}"
    result = run_guarded([PYTHON, "-c", code], policy=ALERT)
    assert result.stdout == "Linux\n"
    assert "/usr/bin/uname" in [act["details"]["path"] for act in result.violations]


@pytest.mark.parametrize("allow", [[], ["/usr/bin/true"]], ids=["reported", "allowed"])
@pytest.mark.parametrize("start", ["os.execv('/usr/bin/uname', ['uname'])", OTHER])
def test_another_program_in_an_announced_terminal_is_told(allow: list[str], start: str) -> None:
    code = (
        "import multiprocessing.util, os, sys\n"
        "sys.audit('pty.spawn', ['/usr/bin/true'])\n"
        "pid, fd = os.forkpty()\n"
        "if pid == 0:\n"
        f"    {start}\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    policy = rules(process={"mode": "alert", "allow": allow})
    result = run_guarded([PYTHON, "-c", code], policy=policy)
    assert "/usr/bin/uname" in [act["details"]["path"] for act in result.violations]


@pytest.mark.parametrize("act", PYTHON_ACTS)
def test_python_blocked(act: str) -> None:
    code = "import os, subprocess, sys\n" + PYTHON_ACTS[act]
    result = run_guarded([PYTHON, "-c", code], policy=rules(process="block"))
    assert "Linux" not in result.stdout and "x86_64" not in result.stdout, result
    events = [(event["mode"], event["count"]) for event in result.of("create_child_process")]
    assert events == [("block", 1)], result.events
