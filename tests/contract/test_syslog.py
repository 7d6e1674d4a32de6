"""libc's syslog writes the same to the system's log and to standard error as without the guard."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.contract.test_alert import namespaces
from tests.support import (
    LAUNCHER,
    ROOT,
    UNGUARDED,
    clean_environment,
    policy_file,
    rules,
    split_events,
)

# In a mount namespace: make a /dev with a log, run the command, and print what the log got.
OUTER = """
import json, subprocess, sys, tempfile, threading
from pathlib import Path
from tests.attacks.inside import open_log
lines = []
def read():
    while line := log.recv(4096):
        lines.append(line.decode())
with tempfile.TemporaryDirectory(dir="build", ignore_cleanup_errors=True) as folder:
    log = open_log(Path(folder) / "dev")
    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
    log.shutdown(0)
    reader.join()
print(json.dumps([done.returncode, done.stdout, done.stderr, lines]))
"""
EVERY_OPTION = """
import syslog
syslog.syslog("before openlog")
syslog.openlog("mine", syslog.LOG_PID | syslog.LOG_PERROR | syslog.LOG_NDELAY, syslog.LOG_LOCAL3)
syslog.syslog(syslog.LOG_ERR, "ends with a newline\\n")
syslog.syslog(syslog.LOG_LOCAL1 | syslog.LOG_WARNING, "a facility of its own, 100 %s")
syslog.setlogmask(syslog.LOG_UPTO(syslog.LOG_ERR))
syslog.syslog(syslog.LOG_INFO, "masked")
syslog.syslog(syslog.LOG_CRIT, "x" * 700)
syslog.closelog()
syslog.openlog("other")
syslog.syslog(syslog.LOG_ALERT, "no pid")
print("end")
"""
WHILE_OTHERS_OPEN = """
import syslog, threading
def log():
    for at in range(50):
        syslog.syslog(f"line {at}")
threads = [threading.Thread(target=log) for _ in range(3)]
[thread.start() for thread in threads]
for at in range(300):
    syslog.openlog(f"name-{at}" * 20, syslog.LOG_PID * (at % 2))
[thread.join() for thread in threads]
print("end")
"""


def logged(code: str, *, guarded: bool) -> tuple[int, str, str, list[str]]:
    """The exit status, both outputs, and the log's lines without their times."""
    launcher = [str(LAUNCHER)] if guarded and not UNGUARDED else []
    command = ["unshare", "-m", sys.executable, "-c", OUTER, *launcher, sys.executable, "-c", code]
    policy = policy_file(rules(outbound="block"))
    done = subprocess.run(
        command,
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy, "PYTHONPATH": str(ROOT)}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    status, out, err, lines = json.loads(done.stdout)
    rest, events = split_events(err)
    assert [event["event"] for event in events] == ["armed"] * bool(launcher)
    steady = [re.sub(r"[A-Z][a-z]{2} [ \d]\d [\d:]{8}", "TIME", line) for line in lines]
    return status, out, re.sub(r"\[\d+\]", "[PID]", rest), steady


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    if not namespaces():
        pytest.skip("no mount namespace can be made here")


def test_every_option_is_as_bare() -> None:
    ends = []
    for guarded in (False, True):
        status, out, err, lines = logged(EVERY_OPTION, guarded=guarded)
        pids = set(re.findall(r"\[(\d+)\]", "".join(lines)))
        assert len(pids) == 1, "each line must have the process's own pid"
        ends.append((status, out, err, [re.sub(r"\[\d+\]", "[PID]", line) for line in lines]))
    bare, guarded_end = ends
    assert guarded_end == bare
    assert len(bare[3]) == 5 and "mine[PID]: ends with a newline\n" in bare[2]


def test_threads_log_while_one_opens() -> None:
    status, out, err, lines = logged(WHILE_OTHERS_OPEN, guarded=True)
    assert (status, out, err) == (0, "end\n", "")
    assert all(re.search(r" (-c|(name-(\d+))\2*(\[\d+\])?): line \d+", line) for line in lines), (
        lines
    )
