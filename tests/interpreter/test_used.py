"""The first use of a rule is reported with its caller, wherever Python is at that moment, without
changing anything there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interpreter.test_subinterpreters import RUN
from tests.support import Guarded, rules, run_guarded

FOLDER = Path(f"/tmp/function-shield-used-{os.getpid()}")
NAMES = ["a", "b", "c", "d"]


@pytest.fixture(autouse=True)
def _folder() -> Iterator[None]:
    """Files, each allowed by its own rule."""
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        (FOLDER / name).touch()
    yield
    for name in NAMES:
        (FOLDER / name).unlink()
    FOLDER.rmdir()


POLICY = rules(
    outbound="block",
    tmp={"mode": "block", "allow": [f"{FOLDER}/{name}" for name in NAMES]},
    events={"allowed": "first"},
)


def run(python: Path, code: str, *options: str) -> Guarded:
    return run_guarded([python, *options, "-c", code], policy=POLICY)


def used(done: Guarded) -> list[tuple[str, str]]:
    """The file of each first-use event, and the ring that reported it."""
    return sorted(
        (event["details"]["path"][-1], event["ring"])
        for event in done.events
        if event["event"] == "allowed"
    )


OPTIONS = pytest.mark.parametrize("options", [(), ("-X", "dev")], ids=["plain", "dev"])


@OPTIONS
def test_while_an_error_is_raised(python: Path, options: tuple[str, ...]) -> None:
    """While an error is being raised, an object dies and uses a rule. The error stays the same."""
    code = f"""
import gc, weakref
class Opens:
    def __init__(self, name): self.name = name
    def __del__(self): open("{FOLDER}/" + self.name).close()
class Key:
    def __hash__(self): return 1
    def __eq__(self, other):
        open("{FOLDER}/c").close()
        raise KeyError("theirs")
def fails():
    kept = Opens("a")
    raise ValueError("theirs")
def yields():
    try: yield
    finally: open("{FOLDER}/b").close()
try: fails()
except ValueError as error: print(error.args, error.__context__)
making = yields()
next(making)
try: making.throw(TypeError("theirs"))
except TypeError as error: print(error.args, error.__context__)
try: {{Key(): 1, Key(): 2}}
except KeyError as error: print(error.args, error.__context__)
gc.collect()
"""
    done = run(python, code, *options)
    assert (done.returncode, done.stdout) == (0, "('theirs',) None\n" * 3), done
    assert used(done) == [(name, "interpreter") for name in "abc"]


ENDS = f"""
import atexit, io, sys, threading, time
class Opens:
    def __init__(self, name): self.name, self.open = name, io.open
    def __del__(self): self.open("{FOLDER}/" + self.name).close()
kept = Opens("a")
sys.kept = Opens("b")
atexit.register(lambda: open("{FOLDER}/c").close())
"""
# The threads' frames keep the module alive, so that `kept` never dies.
ENDLESS = f"""
ran = set()
def endless():
    while True:
        open("{FOLDER}/d").close()
        try: open("/tmp/other")
        except PermissionError: pass
        ran.add(threading.get_ident())
for _ in range(4): threading.Thread(target=endless, daemon=True).start()
while len(ran) < 4: time.sleep(0.1)
"""


@OPTIONS
def test_while_python_ends(python: Path, options: tuple[str, ...]) -> None:
    """At exit, and while modules are cleared."""
    done = run(python, ENDS, *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    assert [name for name, _ in used(done)] == ["a", "b", "c"], done


@OPTIONS
def test_while_python_ends_around_threads(python: Path, options: tuple[str, ...]) -> None:
    for _ in range(3):
        done = run(python, ENDS + ENDLESS, *options)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert [name for name, _ in used(done)] == ["b", "c", "d"], done


@pytest.mark.parametrize("isolated", [True, False])
def test_in_other_interpreters(python: Path, isolated: bool) -> None:
    inner = f"""
import io
class Opens:
    def __init__(self, name): self.name, self.open = name, io.open
    def __del__(self): self.open("{FOLDER}/" + self.name).close()
kept = Opens("a")
open("{FOLDER}/b").close()
try: [][1]
except IndexError: open("{FOLDER}/c").close()
"""
    code = f"""{RUN}
import threading
def go():
    x, i = run({inner!r}, {isolated})
    x.destroy(i)
threads = [threading.Thread(target=go) for _ in range(6)] if {isolated} else []
for t in threads: t.start()
for t in threads: t.join()
go()
print("fine")
"""
    done = run(python, code)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done
    assert [name for name, _ in used(done)] == ["a", "b", "c"], done


def test_more_rules_than_kinds_are_kept(python: Path) -> None:
    """The table holds 64 kinds. An entry used after that is reported too, because it would look
    unused otherwise."""
    names = [f"a{number:02}" for number in range(80)]
    policy = rules(
        tmp={"mode": "block", "allow": [f"{FOLDER}/{name}" for name in names]},
        events={"allowed": "first"},
    )
    code = f"for name in {names!r}: open('{FOLDER}/' + name, 'w').close()"
    done = run_guarded([python, "-c", code], policy=policy)
    for name in names:
        (FOLDER / name).unlink()
    assert done.returncode == 0, done.stderr
    paths = [event["details"]["path"] for event in done.events if event["event"] == "allowed"]
    assert {Path(path).name for path in paths} == set(names)
