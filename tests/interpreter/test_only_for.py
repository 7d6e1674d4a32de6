"""`only_for` in an honest function, and the events in one that is not."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.building import compiler
from tests.attacks.lib import packages
from tests.support import Guarded, interpreters, rules, run_guarded, settle

HOST = "127.66.66.66"
EXTRA = """
import tintbox_core, requests, stripe

def direct(address):
    return requests.get(address)

def drive(address):
    return stripe.charge(address)
"""
HANDLER = """
import asyncio, json, sys, threading
import stripe, requests, tintbox
ADDRESS = ("127.66.66.66", int(sys.argv[1]))

async def main():
    return await stripe.acharge(ADDRESS)

async def child():
    return await asyncio.create_task(stripe.acharge(ADDRESS))

async def pooled():
    return await asyncio.get_running_loop().run_in_executor(None, stripe.charge, ADDRESS)

acts = {
    "stripe": lambda: stripe.charge(ADDRESS),
    "thread": lambda: stripe.in_thread(stripe.charge, ADDRESS),
    "asyncio": lambda: asyncio.run(main()),
    "requests": lambda: requests.get(ADDRESS),
    "direct": lambda: tintbox.direct(ADDRESS),
    "drive": lambda: tintbox.drive(ADDRESS),
    "child": lambda: asyncio.run(child()),
    "pooled": lambda: asyncio.run(pooled()),
}
said = {}
for name, act in acts.items():
    try:
        said[name] = bool(act())
    except OSError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.fixture
def sink() -> Iterator[int]:
    """The port of a listener on HOST that accepts every connection."""
    with socket.create_server((HOST, 0), backlog=64) as server:
        yield server.getsockname()[1]


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    packages.install_all(folder)
    packages.install(folder, "tintbox", {"tintbox.py": EXTRA, "tintbox_core/__init__.py": "#\n"})
    (folder / "app.py").write_text(HANDLER)
    settle()
    return folder


def policy(*names: str) -> dict[str, Any]:
    entry = {"cidr": f"{HOST}/32", "ports": ["1-65535"], "only_for": [*names]}
    return rules({"mode": "block", "allow": [entry]})


def run(python: Path | str, task: Path, port: int, *names: str) -> tuple[dict[str, Any], Guarded]:
    done = run_guarded(
        [python, task / "app.py", str(port)],
        policy=policy(*names),
        env={"LAMBDA_TASK_ROOT": str(task)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done


def run_raw(task: Path, port: int, *names: str) -> tuple[str, Guarded]:
    done = run_guarded(
        [sys.executable, task / "app.py", str(port)],
        policy=policy(*names),
        env={"LAMBDA_TASK_ROOT": str(task)},
    )
    return done.stdout, done


@pytest.mark.parametrize("native", ["allow", "block"])
@pytest.mark.parametrize("python", interpreters(), ids=lambda path: path.parts[-3][-12:])
def test_modules_that_python_has_frozen(python: Path, task: Path, native: str) -> None:
    """From 3.11 on, `os` is frozen. What it does for the function counts as the function's act."""
    name = f"/tmp/fs-frozen-{task.parent.name}-{python.parts[-3]}"
    (task / "app.py").write_text(
        "import os, shutil, sys\n"
        "os.makedirs(sys.argv[1] + '/a/b')\n"
        "print([names for _, names, _ in os.walk(sys.argv[1])])\n"
        "shutil.rmtree(sys.argv[1])\n"
    )
    settle()
    entries = [{"path": path, "only_for": ["function"]} for path in (name, f"{name}/**")]
    done = run_guarded(
        [python, task / "app.py", name],
        policy=rules(tmp={"mode": "block", "allow": entries}, native_code=native),
        env={"LAMBDA_TASK_ROOT": str(task)},
    )
    assert done.stdout == "[['a'], ['b'], []]\n", done
    assert not done.violations


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: path.parts[-3][-12:])
def test_the_named_one_and_what_it_requires(python: Path, task: Path, sink: int) -> None:
    results, done = run(python, task, sink, "stripe")
    assert [results[name] for name in ("stripe", "thread", "asyncio")] == [True] * 3
    assert "allowed for stripe; asked by function" in results["requests"]
    assert "allowed for stripe; asked by tintbox" in results["direct"]
    assert "allowed for stripe; asked by tintbox" in results["drive"]
    # Neither a task that other code made nor a pool shows the original caller.
    assert "allowed for stripe; asked by unknown" in results["child"]
    assert "allowed for stripe; asked by unknown" in results["pooled"]
    events = done.of("outbound_connectivity")
    assert {event["asker"] for event in events} == {"function", "tintbox", "unknown"}
    assert {event["only_for"] for event in events} == {"stripe"}
    assert {(event["reason"], event["entry_source"], event["rule"]) for event in events} == {
        ("only_for", "test.yaml:6", None)
    }


def test_unknown_is_admitted_by_name(task: Path, sink: int) -> None:
    results, _ = run(sys.executable, task, sink, "stripe", "unknown")
    assert [results[name] for name in ("stripe", "child", "pooled")] == [True] * 3
    assert "asked by tintbox" in results["drive"]


def test_the_function_by_name(task: Path, sink: int) -> None:
    results, _ = run(sys.executable, task, sink, "function", "requests")
    assert results["requests"] is True
    assert "asked by stripe" in results["stripe"]
    assert "asked by tintbox" in results["direct"]


def test_a_name_may_be_written_as_pip_shows_it(task: Path, sink: int) -> None:
    results, _ = run(sys.executable, task, sink, "Stripe", "TintBox")
    assert results["drive"] is True


def test_changed_code_is_nobodys(task: Path, sink: int) -> None:
    """The file is newer than the function's process, which may have written it."""
    app = task / "app.py"
    app.write_text(
        "import pathlib, sys, stripe, requests\n"
        "pathlib.Path(requests.__file__).write_text(pathlib.Path(requests.__file__).read_text())\n"
        "stripe.charge(('127.66.66.66', int(sys.argv[1])))\n"
    )
    settle()
    done = run_guarded(
        [sys.executable, app, str(sink)],
        policy=policy("stripe"),
        env={"LAMBDA_TASK_ROOT": str(task)},
    )
    assert "allowed for stripe; asked by unknown" in done.stderr


EVERY_RULE = """
import json, os, subprocess, sys
import stripe, tintbox

def write():
    with open(sys.argv[1], "w") as file:
        file.write("x")

acts = {
    "read_write_tmp": lambda who: who.write(sys.argv[1]),
    "create_child_process": lambda who: who.start(),
    "native_code": lambda who: who.load(),
}
said = {}
for rule, act in acts.items():
    for who in (stripe, tintbox):
        try:
            act(who)
            said[f"{rule} {who.__name__}"] = True
        except (OSError, ImportError) as error:
            said[f"{rule} {who.__name__}"] = str(error)
print(json.dumps(said))
"""
ACTS = """
import subprocess, sys

def write(path):
    with open(path, "w") as file:
        file.write("x")

def start():
    subprocess.run(["/usr/bin/env", "true"], check=True)

def load():
    sys.modules.pop("_ctypes", None)
    import _ctypes
"""


def test_entries_of_every_rule(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    # The module that needs machine code is named, but not the module that drives it.
    drives = f"{ACTS.partition('def load')[0]}import stripe\n\ndef load():\n    stripe.load()\n"
    for name, source in (("tintbox", drives), ("stripe", ACTS)):
        packages.install(folder, name, {f"{name}/__init__.py": source})
    (folder / "app.py").write_text(EVERY_RULE)
    settle()
    made = Path("/tmp") / f"fshield-only-for-{tmp_path.name}"
    document = rules(
        tmp={"mode": "block", "allow": [{"path": str(made), "only_for": ["stripe"]}]},
        process={
            "mode": "block",
            "allow": [
                {"path": str(Path("/usr/bin/env").resolve()), "only_for": ["stripe"]},
                "/usr/bin/true",
            ],
        },
        native_code={"mode": "block", "allow": [{"library": "stripe", "only_for": ["stripe"]}]},
    )
    done = run_guarded(
        [sys.executable, folder / "app.py", made],
        policy=document,
        env={"LAMBDA_TASK_ROOT": str(folder)},
    )
    made.unlink(missing_ok=True)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    for rule in ("read_write_tmp", "create_child_process", "native_code"):
        assert results[f"{rule} stripe"] is True, results
        assert "allowed for stripe; asked by tintbox" in str(results[f"{rule} tintbox"])


LIBRARY = """
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *reach(void *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(long)port)};
    inet_pton(AF_INET, "127.66.66.66", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    long done = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return (void *)done;
}

/* As grpc and librdkafka do: by a thread of the library's own. */
long in_thread(long port)
{
    pthread_t thread;
    void *done = NULL;
    if (pthread_create(&thread, NULL, reach, (void *)port) != 0) return -1;
    pthread_join(thread, &done);
    return (long)done;
}
"""
LOADER = """
import ctypes, os

def reach(port):
    library = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "library.so"))
    library.in_thread.restype, library.in_thread.argtypes = ctypes.c_long, [ctypes.c_long]
    return library.in_thread(port)
"""


def test_a_library_that_connects_from_a_thread_of_its_own(tmp_path: Path, sink: int) -> None:
    folder, source = tmp_path / "task", tmp_path / "library.c"
    folder.mkdir()
    source.write_text(LIBRARY)
    library = tmp_path / "library.so"
    compile_ = [*compiler(), "-shared", "-fPIC", "-O1", "-pthread", "-o", library, source]
    subprocess.run([str(word) for word in compile_], check=True, capture_output=True)
    for name in ("stripe", "tintbox"):
        packages.install(folder, name, {f"{name}/__init__.py": LOADER, f"{name}/library.so": ""})
        shutil.copy(library, folder / name)
    app = "import sys, stripe, tintbox\nport = int(sys.argv[1])\n"
    (folder / "app.py").write_text(f"{app}print(stripe.reach(port), tintbox.reach(port))\n")
    settle()
    results, done = run_raw(folder, sink, "stripe")
    assert results == "1 0\n", done.stderr
    (event,) = done.of("outbound_connectivity")
    assert (event["reason"], event["asker"]) == ("only_for", "tintbox")


STARVED = """
import os, resource, stripe

def reaches(address):
    try:
        return stripe.charge(address)
    except OSError as error:
        return str(error)

def starved(address):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        os.close(held.pop())
    reaches(address)
    for fd in held:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return reaches(address)
"""


def charged(task: Path, port: int, code: str, **environment: str) -> str:
    """What a handler with this code prints about the sink."""
    app = task / "app.py"
    app.write_text(f"import sys\nADDRESS = ('{HOST}', int(sys.argv[1]))\n{code}")
    settle()
    done = run_guarded(
        [sys.executable, app, str(port)],
        policy=policy("stripe"),
        env={"LAMBDA_TASK_ROOT": str(task), **environment},
    )
    return done.stdout + done.stderr


def test_a_package_is_not_the_function_where_its_list_cannot_be_read(task: Path, sink: int) -> None:
    """Without a free fd, and at a path that is too long to look up."""
    packages.install(task, "other-name", {"tintkit.py": STARVED})
    results = charged(task, sink, "import tintkit; print(tintkit.starved(ADDRESS))")
    assert "allowed for stripe; asked by " in results
    deep = "/".join("d" * 100 for _ in range(6))
    packages.install(task, "deep-name", {f"{deep}/tintdeep.py": STARVED})
    results = charged(
        task,
        sink,
        f"sys.path.append('{task}/{deep}')\nimport tintdeep; print(tintdeep.reaches(ADDRESS))",
    )
    assert "allowed for stripe; asked by " in results


def test_threads_that_could_not_be_started_take_no_room(task: Path, sink: int) -> None:
    code = """
import threading, stripe
threading.stack_size(1 << 46)
failed = 0
for _ in range(100):
    try: threading.Thread(target=print).start()
    except RuntimeError: failed += 1
threading.stack_size(0)
print(failed, stripe.in_thread(stripe.charge, ADDRESS))
"""
    assert charged(task, sink, code) == "100 True\n"


def test_a_process_that_optimises(task: Path, sink: int) -> None:
    """Under PYTHONOPTIMIZE, the standard library is compiled differently from its cached files."""
    code = "import stripe; print(stripe.charge(ADDRESS))"
    assert charged(task, sink, code, PYTHONOPTIMIZE="2", PYTHONDONTWRITEBYTECODE="1") == "True\n"
