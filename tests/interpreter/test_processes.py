"""Processes: what Python is about to start, and the caller."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import rules, run_guarded, settle

BLOCK = rules(process="block")
ALERT = rules(process="alert")
TRUE = str(Path("/bin/true").resolve())
ALLOWED = rules(process={"mode": "block", "allow": [TRUE]})

ACTS = [
    ("subprocess.run(['true', 'x'])", TRUE, "true x"),
    ("subprocess.run(['/bin/true'])", TRUE, "/bin/true"),
    ("subprocess.run('true; true', shell=True)", "/usr/bin/dash", "/bin/sh -c true; true"),
    ("subprocess.run(['true'], env={'PATH': '/bin'}, close_fds=False)", TRUE, "true"),
    ("subprocess.run(['./true'], cwd='/bin')", TRUE, "./true"),
    ("subprocess.run([b'true', pathlib.Path('x')])", TRUE, None),
    ("os.system('true')", "/usr/bin/dash", "sh -c true"),
    ("os.popen('true').close()", "/usr/bin/dash", "/bin/sh -c true"),
    ("os.fork() or os._exit(0)", None, None),
    ("os.forkpty()[0] or os._exit(0)", None, None),
    ("pty.spawn(['true'])", TRUE, "true"),
    ("os.execv('/bin/true', ['true'])", TRUE, "true"),
    ("os.execvp('true', ['true'])", TRUE, "true"),
    ("os.posix_spawn('/bin/true', ['true'], {})", TRUE, "true"),
    ("os.spawnv(os.P_WAIT, '/bin/true', ['true'])", None, None),
    ("multiprocessing.get_context('fork').Process(target=print).start()", None, None),
]

PROGRAM = """
import multiprocessing, os, pathlib, pty, subprocess, sys
try:
    {act}
except PermissionError as error:
    print(type(error).__name__, error.policy, error.reason)
    sys.exit()
print("done")
"""


@pytest.mark.parametrize(("act", "path", "arguments"), ACTS, ids=[act for act, _, _ in ACTS])
def test_block(python: Path, act: str, path: str | None, arguments: str | None) -> None:
    done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=BLOCK)
    assert done.stdout == "PolicyViolation create_child_process no_rule\n", done
    (event,) = done.violations
    assert event["ring"] == "interpreter"
    assert event["origin"]["distribution"] == "__main__"
    assert event["details"]["path"] == path
    if arguments:
        assert event["details"]["arguments"] == arguments


def test_what_raises_no_audit_event_is_told_as_a_start(python: Path) -> None:
    """`multiprocessing`'s spawn: before Python 3.10 by a fork, then by a vfork."""
    act = "multiprocessing.util.spawnv_passfds(b'/bin/true', [b'true'], [])"
    code = f"import multiprocessing.util\ntry: {act}\nexcept PermissionError: print('refused')"
    done = run_guarded([python, "-c", code], policy=BLOCK)
    assert done.stdout == "refused\n", done
    (event,) = done.violations
    assert event["details"] == {"path": None, "arguments": None, "operation": "execute"}
    assert event["message"] == "__main__ tried to start a program: blocked, no rule allows it"


@pytest.mark.parametrize(
    "act",
    [
        "subprocess.run(['true'])",
        "subprocess.run('true', shell=True)",
        "os.system('true')",
        "pty.spawn(['true'])",
        "os.popen('true').close()",
    ],
)
def test_alert_is_one_event(python: Path, act: str) -> None:
    done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=ALERT)
    assert done.stdout == "done\n", done
    assert [(event["mode"], event["count"]) for event in done.violations] == [("alert", 1)]


@pytest.mark.parametrize(
    "act",
    [
        "subprocess.run(['true'], check=True)",
        "subprocess.run(['true'], close_fds=False, check=True)",
        "subprocess.run(['./true'], cwd=pathlib.Path('/bin'), check=True)",
        "os.execvp('true', ['true'])",
        "pty.spawn(['true'])",
    ],
)
def test_an_exception_passes(python: Path, act: str) -> None:
    done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=ALLOWED)
    assert "Violation" not in done.stdout
    assert done.returncode == 0
    assert done.violations == []


def test_an_exception_is_for_one_program(python: Path) -> None:
    done = run_guarded(
        [python, "-c", PROGRAM.format(act="subprocess.run(['cat', '/etc/hostname'])")],
        policy=ALLOWED,
    )
    assert done.stdout == "PolicyViolation create_child_process no_rule\n"
    assert len(done.violations) == 1


def test_a_python_child_is_armed(python: Path, tmp_file: Path) -> None:
    """A child interpreter has the hook too, and none of our variables."""
    policy = rules(tmp="block", process={"mode": "block", "allow": [str(Path(python).resolve())]})
    child = f"""
import os
ours = ("LD_PRELOAD", "PYTHONPATH")
print(sorted(name for name in os.environ if "SHIELD_STATE" in name or name in ours))
try:
    open({str(tmp_file)!r})
except PermissionError as error:
    print(type(error).__name__)
"""
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {child!r}],"
        " check=True)"
    )
    done = run_guarded([python, "-c", parent], policy=policy)
    assert done.stdout == "[]\nPolicyViolation\n", done
    (event,) = done.violations
    assert event["ring"] == "interpreter"


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the runtime client needs Python 3.10")
def test_the_runtime_client_forks_its_workers(python: Path, tmp_path: Path) -> None:
    """Managed instances: only awslambdaric may fork, and only before the handler is imported."""
    package = tmp_path / "awslambdaric"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "from awslambdaric.pool import start; import other\nstart()\nother.start()\n"
    )
    body = """
import os
def start():
    try:
        if (pid := os.fork()) == 0: os._exit(0)
        os.waitpid(pid, 0); print(__name__, "forked")
    except PermissionError: print(__name__, "refused")
"""
    (package / "pool.py").write_text(body)
    (tmp_path / "other.py").write_text(body)
    env = {"PYTHONPATH": str(tmp_path), "AWS_LAMBDA_MAX_CONCURRENCY": "4", "_HANDLER": "app.handle"}
    settle()
    done = run_guarded([python, "-m", "awslambdaric"], policy=BLOCK, env=env)
    assert done.stdout == "awslambdaric.pool forked\nother refused\n", done
    del env["AWS_LAMBDA_MAX_CONCURRENCY"]
    done = run_guarded([python, "-m", "awslambdaric"], policy=BLOCK, env=env)
    assert done.stdout == "awslambdaric.pool refused\nother refused\n"
