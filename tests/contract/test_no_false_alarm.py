"""What causes no event under ``default`` and Lambda's own runtime client: ordinary bugs, and what
ordinary libraries do. The source stays unread, and the answers equal those of a bare run."""

from __future__ import annotations

from pathlib import Path

import pytest

from fshield.local import components, pins
from tests.runtimes.api import Served, serve
from tests.support import interpreters, policy_file

SECRET = "the recipe of the house"
HANDLER = f'''
# {SECRET}
import inspect, linecache, os, subprocess, sys, traceback

THIEF = """
import os, socket
for fd in range(3, 64):
    try:
        socket.socket(fileno=os.dup(fd)).recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        pass
"""

def fails(event):
    return deeper(event["missing"])

def deeper(value):
    return value

def handled(event):
    try:
        fails(event)
    except KeyError:
        return traceback.format_exc().splitlines()[-1]

def first_call(event):
    "FastAPI asks this of each endpoint, to name its line in an error."
    told = []
    for ask in (inspect.getsourcelines, inspect.getsource, inspect.getsourcefile):
        try:
            told.append(len(ask(fails)) > 0)
        except (OSError, TypeError):
            told.append("no source")
    inspect.signature(fails), inspect.getdoc(first_call), inspect.unwrap(fails)
    inspect.getmodule(fails), inspect.stack()
    return told[2]

def sentry(event):
    "What error trackers put beside a frame."
    linecache.checkcache(__file__)
    linecache.getlines(__file__)
    return linecache.getline("/no/such/file.py", 1)

def missing_program(event):
    try:
        subprocess.run(["no-such-program"])
    except FileNotFoundError as error:
        return str(error)

def xray(event):
    "The X-Ray SDK and Powertools' Tracer mark that they are there."
    try:
        os.makedirs("/tmp/.aws-xray", exist_ok=True)
        with open("/tmp/.aws-xray/initialized", "w+") as sentinel:
            os.utime(sentinel.name, None)
    except OSError:
        pass
    return "marked"

def by_the_shell(event):
    "Programs that are started past subprocess inherit what is not close-on-exec."
    return os.system("true; true")

def thief(event):
    words = [sys.executable, "-c", THIEF]
    return os.waitpid(os.posix_spawn(sys.executable, words, os.environ), 0)[1]

def handler(event, context):
    return globals()[event["act"]](event)
'''
ACTS = ("handled", "first_call", "sentry", "missing_program")


#: `default`, where the function may start any program.
PROGRAMS = """
version: 1
policy:
  outbound_connectivity: block
  read_write_tmp: block
  create_child_process: {mode: block, allow: [/**]}
  read_handler: block
  runtime_api: block
"""


def run(python: Path, task: Path, acts: tuple[str, ...], policy: str | None) -> Served:
    (task / "app.py").write_text(HANDLER)
    client = components.runtime_client(python, components.python_version(python))
    return serve(
        [python, client / "bootstrap.py", client / "opt"],
        task=task,
        events=[{"act": act} for act in acts],
        policy=policy,
        env={"LAMBDA_RUNTIME_DIR": str(client)},
    )


def clients() -> list[Path]:
    """The interpreters that have a runtime client."""
    newest = pins.RUNTIME_CLIENT_NEWEST
    return [one for one in interpreters() if components.python_version(one) <= newest]


@pytest.fixture(params=clients(), ids=lambda path: path.name)
def python(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_ordinary_acts(python: Path, tmp_path: Path) -> None:
    bare = run(python, tmp_path, ACTS, None).bodies
    # A bare run would leave its mark on this machine.
    done = run(python, tmp_path, (*ACTS, "xray", "fails", "fails"), "default")
    assert done.violations == []
    assert {event["level"] for event in done.events} <= {"INFO", "DEBUG"}, done.events
    assert len(bare) == len(ACTS), done.output
    assert done.bodies == [*bare, "marked", "error", "error"], done.output
    assert "KeyError" in done.output
    assert SECRET not in done.output
    assert 'return deeper(event["missing"])' not in done.output


def test_an_exception_at_import(python: Path, tmp_path: Path) -> None:
    client = components.runtime_client(python, components.python_version(python))
    (tmp_path / "app.py").write_text(f"raise ValueError('told')  # {SECRET}\n")
    done = serve(
        [python, client / "bootstrap.py", client / "opt"],
        task=tmp_path,
        events=[{}],
        policy="default",
        env={"LAMBDA_RUNTIME_DIR": str(client)},
    )
    assert done.violations == []
    assert b"told" in b"".join(done.init_errors) or "told" in done.output
    assert SECRET not in done.output


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_a_program_that_inherits_the_clients_connection_does_nothing(
    python: Path, tmp_path: Path, mode: str
) -> None:
    policy = policy_file(PROGRAMS.replace("runtime_api: block", f"runtime_api: {mode}"))
    done = run(python, tmp_path, ("by_the_shell", "by_the_shell"), policy)
    assert done.bodies == [0, 0], done.output
    # Each shell is a guarded process of its own.
    assert {event["event"] for event in done.events} == {"armed"}, done.events


def test_a_program_that_uses_the_clients_connection_is_named(python: Path, tmp_path: Path) -> None:
    done = run(python, tmp_path, ("thief", "handled"), "monitor")
    assert len(done.bodies) == 2 and done.bodies[0] == 0, done.output
    (event,) = [event for event in done.violations if event["policy"] == "runtime_api"]
    assert event["mode"] == "alert" and "MSG_PEEK" in event["origin"]["command"]
