"""The entry `fork`: a fork passes if its child executes nothing, and the child is guarded like its
parent."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from tests.processes.programs import acts
from tests.processes.test_blocked import FORKS, UNAME
from tests.support import Guarded, rules, run_bare, run_guarded

PYTHON = str(Path(sys.executable).resolve())
FORK = {"mode": "block", "allow": ["fork"]}
ENTRY = {"path": "fork", "only_for": ["stripe"]}
OWN_MEMORY = [name for name in FORKS if name != "clone-vm"]


def python(code: str, process: object = FORK, **more: object) -> Guarded:
    begin = "import os, socket, sys\n"
    return run_guarded([PYTHON, "-c", begin + code], policy=rules(process=process, **more))


def refused(result: Guarded) -> bool:
    return result.stdout == f"refused {errno.EACCES}\n"


@pytest.mark.parametrize("name", [*OWN_MEMORY, "daemon"])
def test_forks_pass(name: str) -> None:
    bare = run_bare([acts(), name, UNAME])
    result = run_guarded([acts(), name, UNAME], policy=rules(process=FORK))
    assert "ran" in result.stdout
    assert (result.stdout, result.violations) == (bare.stdout, []), result


@pytest.mark.parametrize("name", ["clone-vm", "clone-files", "syscall-clone-vm"])
def test_a_child_that_shares_memory_or_fds_does_not(name: str) -> None:
    assert "ran" in run_bare([acts(), name, UNAME]).stdout
    result = run_guarded([acts(), name, UNAME], policy=rules(process=FORK))
    assert refused(result), result
    [event] = result.violations
    assert event["mode"] == "block" and "entry" not in event


def test_programs_need_entries_of_their_own() -> None:
    code = (
        "pid = os.fork()\n"
        "if pid == 0:\n"
        f"    try: os.execv({UNAME!r}, ['uname'])\n"
        "    except PermissionError: os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    result = python(code)
    assert result.stdout == "7\n", result
    [event] = result.violations
    assert event["details"]["path"] == UNAME
    both = python(code, {"mode": "block", "allow": ["fork", UNAME]})
    assert both.stdout == "Linux\n0\n" and not both.violations, both


@pytest.mark.parametrize("allow", [["/**"], ["/fork"], [UNAME]])
def test_a_pattern_of_programs_is_no_entry_for_forks(allow: list[str]) -> None:
    result = python("os.fork()", {"mode": "block", "allow": allow})
    assert len(result.of("create_child_process")) == 1 and result.returncode == 1, result


@pytest.mark.parametrize("start", ["os.execvp('fork', ['fork'])", "os.execv('./fork', ['fork'])"])
def test_a_program_of_that_name_is_not_meant(start: str, tmp_path: Path) -> None:
    program = tmp_path / "fork"
    program.write_text("#!/bin/sh\necho started\n")
    program.chmod(0o755)
    code = f"os.chdir({str(tmp_path)!r})\nos.environ['PATH'] = '.:{tmp_path}'\n{start}"
    result = python(code)
    assert "started" not in result.stdout
    assert [event["details"]["path"] for event in result.violations] == [str(program)], result


# What a child may do. It is not on probation, in which it could neither fork nor use the network.
# Otherwise it is like its parent.
CHILD = """
listener = socket.create_server(("127.0.0.1", 0))
def act(host, port):
    try: socket.create_connection((host, port), 1).close()
    except PermissionError: return "refused"
    return "connected"
def below(depth):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(depth, act("127.0.0.1", listener.getsockname()[1]), act("127.66.66.66", 9), flush=True)
    if depth < 3: below(depth + 1)
    os._exit(0)
below(1)
"""


def test_children_and_their_children_are_guarded() -> None:
    result = python(CHILD, outbound="block")
    assert result.stdout.splitlines() == [f"{depth} connected refused" for depth in (1, 2, 3)]
    events = result.of("outbound_connectivity")
    # Each process counts separately.
    assert len({event["pid"] for event in events}) == len(events) == 3
    assert {event["mode"] for event in events} == {"block"}
    assert len({event["nonce"] for event in events}) == 3


def test_the_message_names_the_entry() -> None:
    result = python("os.fork()", "block")
    [event] = result.violations
    assert event["message"].endswith(
        "tried to fork: blocked, no rule allows it; an exception is create_child_process:"
        " {allow: [fork]}"
    )
    assert event["entry"] == "path: fork" and event["details"]["path"] is None
    assert "create_child_process: {allow: [fork]}" in result.stderr


@pytest.mark.parametrize("process", ["block", {"mode": "block", "allow": [ENTRY]}])
def test_a_fork_that_is_to_execute_needs_another_entry(process: object) -> None:
    """The guard does not yet know which program the child will execute."""
    result = run_guarded([acts(), "vfork", UNAME], policy=rules(process=process))
    assert refused(result), result
    [event] = result.violations
    assert " tried to start a program: blocked, " in event["message"]
    assert event["details"]["operation"] == "execute" and "entry" not in event
    assert "an exception is" not in event["message"]


def test_alert_reports_none_that_an_entry_allows() -> None:
    code = "pid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)"
    assert len(python(code, "alert").violations) == 1
    result = python(code, {"mode": "alert", "allow": ["fork"]})
    assert result.returncode == 0 and not result.violations, result
    others = {"mode": "alert", "allow": [ENTRY]}
    [event] = python(code, others).violations
    assert (event["reason"], event["mode"]) == ("only_for", "alert")


@pytest.mark.parametrize("name", OWN_MEMORY)
def test_an_entry_for_others_is_no_probation(name: str) -> None:
    """Only an entry for a program makes a fork the first half of starting one."""
    others = {"mode": "block", "allow": [ENTRY]}
    result = run_guarded([acts(), name, UNAME], policy=rules(process=others))
    assert refused(result), result
    [event] = result.violations
    assert event["reason"] == "only_for"


@pytest.mark.parametrize("name", ["fork", "vfork"])
def test_the_first_use_is_told(name: str) -> None:
    policy = {**rules(process=FORK), "events": {"format": "json", "allowed": "first"}}
    result = run_guarded([acts(), name, UNAME], policy=policy)
    events = [event for event in result.events if event["event"] == "allowed"]
    # The child of a vfork is about to start a program.
    assert len(events) == (1 if name == "fork" else 0), result.events
    assert all(event["details"]["operation"] == "fork" for event in events)


WORKERS = {
    "Process and Pipe": """
context = multiprocessing.get_context("fork")
def work(pipe): pipe.send(sum(range(1000))); pipe.close()
mine, theirs = context.Pipe()
workers = [context.Process(target=work, args=(theirs,)) for _ in range(3)]
for worker in workers: worker.start()
print([mine.recv() for _ in workers], [worker.join() or worker.exitcode for worker in workers])
""",
    "Pool": """
with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(abs, [-1, -2, -3]))
""",
    "ProcessPoolExecutor": """
import concurrent.futures
context = multiprocessing.get_context("fork")
with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
    print([*pool.map(abs, [-1, -2, -3])])
""",
}


@pytest.mark.parametrize("way", WORKERS)
def test_multiprocessing(way: str) -> None:
    code = "import multiprocessing\n" + WORKERS[way]
    bare = run_bare([PYTHON, "-c", code])
    result = python(code, outbound="block", tmp="block", native_code="alert")
    assert (result.stdout, result.returncode) == (bare.stdout, 0), result
    assert not result.of("create_child_process") and not result.of("read_write_tmp"), result.events
