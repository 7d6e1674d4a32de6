"""The caller's frames, however its code runs: threads, tasks, callbacks, forked children."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interpreter.origins import ACT, installed, named, origin, write
from tests.support import rules, run_guarded

WAYS = {
    "thread": "import threading\nt = threading.Thread(target=pkg.act); t.start(); t.join()",
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor as P\nwith P() as p:"
        " p.submit(pkg.act).result()"
    ),
    "bare thread": (
        "import _thread, time, weakref\n"
        "class Name(str): pass\n"
        "name = Name('x')\n"
        "kept = weakref.ref(name)\n"
        "_thread.start_new_thread(pkg.act, (name,))\n"
        "del name\n"
        "while kept(): time.sleep(0.01)"
    ),
    "timer": "import threading\nt = threading.Timer(0.01, pkg.act); t.start(); t.join()",
    "task": (
        "import asyncio\nasync def main(): await"
        " asyncio.create_task(pkg.coroutine())\nasyncio.run(main())"
    ),
    "nested awaits": (
        "import asyncio\nasync def main(): await asyncio.wait_for(pkg.coroutine(),"
        " 5)\nasyncio.run(main())"
    ),
    "loop callback": (
        "import asyncio\n"
        "async def main():\n"
        "  asyncio.get_running_loop().call_soon(pkg.act)\n"
        "  await asyncio.sleep(0.01)\n"
        "asyncio.run(main())"
    ),
    "done callback": (
        "import asyncio\n"
        "async def main():\n"
        "  t = asyncio.create_task(asyncio.sleep(0))\n"
        "  t.add_done_callback(lambda t: pkg.act())\n"
        "  await asyncio.sleep(0.01)\n"
        "asyncio.run(main())"
    ),
    "executor": (
        "import asyncio\n"
        "async def main(): await asyncio.get_running_loop().run_in_executor(None, pkg.act)\n"
        "asyncio.run(main())"
    ),
    "at exit": "import atexit; atexit.register(pkg.act)",
    "weak reference": (
        "import weakref\nclass A: pass\na = A(); r = weakref.ref(a, lambda r: pkg.act()); del a"
    ),
    "finaliser": "class A:\n  def __del__(self): pkg.act()\nA()",
    "sort key": "sorted([1], key=lambda n: pkg.act() or n)",
    "generator": "list(pkg.act() for _ in '1')",
    "library callback": "import functools\nfunctools.reduce(lambda a, b: pkg.act(), '12')",
    "signal": (
        "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *a: pkg.act());"
        " os.kill(os.getpid(), signal.SIGUSR1)"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_runs(site: Path, way: str) -> None:
    file = write(
        site,
        "pkg/__init__.py",
        ACT + "async def coroutine():\n    import asyncio; await asyncio.sleep(0); act()\n",
    )
    installed(site, "the-pkg", "2", "pkg/__init__.py")
    found = origin(f"import pkg\n{WAYS[way]}", site)
    assert named(found) == ("the-pkg", "2")
    assert (found["file"], found["line"], found["function"]) == (str(file), 2, "act")
    assert found["stack"][0] == f"{file}:2 act"
    if "await" in way or way == "task":
        assert found["stack"][1] == f"{file}:5 coroutine"


def test_at_most_eight_frames_of_others_than_the_standard_library(site: Path) -> None:
    call = (
        "import functools, m{1}\ndef act():\n    functools.reduce(lambda a, b: m{1}.act(), '12')\n"
    )
    for number in range(12):
        write(site, f"m{number}.py", call.format(number, number + 1))
    write(site, "m12.py")
    stack = origin("import m0; m0.act()", site)["stack"]
    assert len(stack) == 8
    assert stack[0] == f"{site}/m12.py:2 act"
    assert all(frame.startswith(f"{site}/m") for frame in stack)


FORKED = """
import os, threading

def spin():
    while not ended:
        sum(range(1000))

def act(path):
    try: os.mkfifo(path)
    except OSError: pass

def in_a_child(busy):
    global ended
    ended = False
    thread = threading.Thread(target=spin)
    if busy: thread.start()
    child = os.fork()
    if child == 0:
        act("/tmp/origin-forked")
        os._exit(0)
    os.waitpid(child, 0)
    ended = True

def by_the_library(busy):
    import multiprocessing.util, sys
    global ended
    ended = False
    thread = threading.Thread(target=spin)
    if busy: thread.start()
    command = [b"python", b"-S", b"-c", b""]
    child = multiprocessing.util.spawnv_passfds(sys.executable.encode(), command, [])
    os.waitpid(child, 0)
    ended = True
"""


@pytest.mark.parametrize("busy", [False, True], ids=["alone", "busy"])
@pytest.mark.parametrize("how", ["in_a_child", "by_the_library"])
def test_in_a_forked_child(python: Path, site: Path, how: str, busy: bool) -> None:
    """Only the libc ring sees these. The child must not wait for a lock that a thread of its parent
    holds."""
    write(site, "pkg.py", FORKED)
    path = {"PYTHONPATH": str(site)}
    policy = rules("block", "block", "alert", "block")
    done = run_guarded(
        [python, "-c", f"import pkg; pkg.{how}({busy})"], policy=policy, env=path, timeout=60
    )
    verb = "create" if how == "in_a_child" else "start"
    (event,) = [event for event in done.violations if f" tried to {verb} " in event["message"]]
    assert (event["ring"], event["origin"]["file"]) == ("libc", f"{site}/pkg.py"), event
