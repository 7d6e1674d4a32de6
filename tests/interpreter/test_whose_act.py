"""Who is charged with an act, for `only_for`: acts of C code that raises no audit event.

An act is charged to the code on the stack at that moment, not to code that did the same a moment
before.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.lib import packages
from tests.support import interpreters, rules, run_guarded, settle

STRIPE = """
import os, sqlite3, subprocess

hooks = []

def load(path):
    with open(path, "rb") as file:
        return len(file.read()) > 0

def query(path):
    connection = sqlite3.connect(path)
    # CPython 3.9 makes no event where the connection is there.
    return connection.execute("SELECT * FROM notes").fetchall() == [("secret",)]

def make(path):
    os.mkfifo(path)
    return True

def run(program):
    return subprocess.run([program]).returncode == 0

def run_as_shell():
    return os.system("exit 3") >> 8 == 3

def spawn(program):
    pid = os.posix_spawn(program, [program], {})
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

def call(function, *arguments):
    return function(*arguments)
"""
TINTBOX = """
import os, sqlite3, ssl, sys
import _posixsubprocess

connection = sqlite3.connect(":memory:")
attach = connection.execute
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

def steal(path):
    try:
        attach("ATTACH ? AS other", (path,))
        return attach("SELECT * FROM other.notes").fetchall()
    except sqlite3.Error as error:
        return str(error)

def make(path):
    return os.mkfifo(path)

def trust(path):
    return context.load_verify_locations(path)

def run(program):
    errors = os.pipe()
    arguments = [[os.fsencode(program)], (os.fsencode(program),), True, (), None, None,
                 -1, -1, -1, -1, -1, -1, *errors, True, False]
    if sys.version_info >= (3, 11):
        arguments.append(-1)  # process_group
    arguments += [None, None, None, -1, None]
    if (3, 11) <= sys.version_info < (3, 14):
        arguments.append(True)  # allow_vfork
    pid = _posixsubprocess.fork_exec(*arguments)
    status = os.waitpid(pid, 0)[1]
    for fd in errors:
        os.close(fd)
    return os.waitstatus_to_exitcode(status)

class Hook:
    path = None
    got = None

hook = Hook()

def audit(event, arguments):
    if event == "sqlite3.connect" and hook.path:
        path, hook.path = hook.path, None
        hook.got = steal(path)
"""
HANDLER = """
import json, sys
import stripe, tintbox
path, program = sys.argv[1:3]
said = {}
def act(name, function, *arguments):
    try:
        said[name] = function(*arguments)
    except OSError as error:
        said[name] = type(error).__name__
"""


@pytest.fixture
def database(tmp_name: Path) -> Iterator[Path]:
    """A database under /tmp with one row, a secret."""
    with sqlite3.connect(tmp_name) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("INSERT INTO notes VALUES ('secret')")
    connection.close()
    yield tmp_name


def run(python: Path | str, tmp_path: Path, path: Path, body: str, *names: str) -> dict[str, Any]:
    only_for = names or ("stripe",)
    task = tmp_path / "task"
    task.mkdir(parents=True)
    packages.install(task, "stripe", {"stripe.py": STRIPE})
    packages.install(task, "tintbox", {"tintbox.py": TINTBOX})
    (task / "app.py").write_text(HANDLER + body + "print(json.dumps(said))\n")
    program = os.path.realpath("/usr/bin/true")
    settle()
    files = {"path": f"{path}*", "only_for": [*only_for]}
    programs = [{"path": one, "only_for": [*only_for]} for one in (program, shell())]
    done = run_guarded(
        [python, task / "app.py", str(path), program],
        policy=rules(
            tmp={"mode": "block", "allow": [files]},
            process={"mode": "block", "allow": programs},
        ),
        env={"LAMBDA_TASK_ROOT": str(task)},
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return results


def shell() -> str:
    return os.path.realpath("/bin/sh")


each = pytest.mark.parametrize("python", interpreters(), ids=lambda path: path.parts[-3][-12:])


@each
def test_the_allowed_package_may(python: Path, tmp_path: Path, database: Path) -> None:
    """Through any C code, with and without the interpreter's lock."""
    body = """
act("open", stripe.load, path)
act("sqlite3", stripe.query, path)
act("sqlite3 again", stripe.query, path)
act("mkfifo", stripe.make, path + ".pipe")
act("subprocess", stripe.run, program)
act("os.system", stripe.run_as_shell)
act("posix_spawn", stripe.spawn, program)
"""
    results = run(python, tmp_path, database, body)
    Path(f"{database}.pipe").unlink()
    assert results == dict.fromkeys(results, True)


@each
def test_a_statement_that_opens_what_another_opened(
    python: Path, tmp_path: Path, database: Path
) -> None:
    body = """
act("open", stripe.load, path)
act("attach after open", tintbox.steal, path)
act("sqlite3", stripe.query, path)
act("attach after sqlite3", tintbox.steal, path)
act("within", stripe.call, tintbox.steal, path)
"""
    results = run(python, tmp_path, database, body)
    assert results.pop("open") is True
    assert results.pop("sqlite3") is True
    assert {name: "unable to open" in str(text) for name, text in results.items()} == dict.fromkeys(
        results, True
    )


@each
def test_a_pipe_and_certificates_where_another_opened(
    python: Path, tmp_path: Path, database: Path
) -> None:
    body = """
act("open", stripe.load, path)
act("mkfifo", tintbox.make, path)
act("again", stripe.load, path)
act("certificates", tintbox.trust, path)
"""
    results = run(python, tmp_path, database, body)
    assert results == {
        "open": True,
        "mkfifo": "PermissionError",
        "again": True,
        "certificates": "PermissionError",
    }


@each
def test_a_hook_between_the_event_and_the_act(python: Path, tmp_path: Path, database: Path) -> None:
    body = """
sys.addaudithook(tintbox.audit)
tintbox.hook.path = path
try:
    stripe.query(path)
except Exception:
    pass
said["hook"] = tintbox.hook.got
"""
    assert "unable to open" in run(python, tmp_path, database, body)["hook"]


@each
def test_a_child_of_another_after_the_allowed_one(
    python: Path, tmp_path: Path, database: Path
) -> None:
    body = """
act("subprocess", stripe.run, program)
act("fork_exec", tintbox.run, program)
act("within", stripe.call, tintbox.run, program)
act("subprocess again", stripe.run, program)
"""
    results = run(python, tmp_path, database, body)
    assert results["subprocess"] is results["subprocess again"] is True
    assert (
        results["fork_exec"] == results["within"] == 255
    )  # the child could not execute the program
    results = run(python, tmp_path / "control", database, body, "stripe", "tintbox")
    assert results == {"subprocess": True, "fork_exec": 0, "within": 0, "subprocess again": True}
