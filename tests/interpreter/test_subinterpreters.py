"""Subinterpreters: guarded like the main one, and no object crosses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import rules, run_guarded

BLOCK = rules("block", "block", "block", "block")

# Runs TEXT in a new interpreter; the own-GIL kind where there is one.
RUN = """
import sys
def run(text, isolated=True):
    if sys.version_info >= (3, 13):
        import _interpreters as x
        i = x.create("isolated" if isolated else "legacy")
        failed = x.exec(i, text)
        if failed: print("failed", failed.formatted)
    else:
        import _xxsubinterpreters as x
        i = x.create(isolated=isolated) if sys.version_info >= (3, 10) else x.create()
        try: x.run_string(i, text)
        except Exception as error: print("failed", error)
    return x, i
"""

ACT = """
import sys
def act():
    try: open("/tmp/x")
    except PermissionError as error: kind = type(error)
    try: open("/tmp/y")
    except PermissionError as error: assert type(error) is kind
    import function_shield
    assert function_shield.PolicyViolation is kind
    print(kind.__name__, error.policy if False else kind.__mro__[1].__name__)
act()
"""


@pytest.mark.parametrize("isolated", [True, False])
def test_guarded(python: Path, isolated: bool) -> None:
    program = (
        f"{RUN}\nexec({ACT!r})\nx, i = run({ACT!r}, {isolated})\nrun({ACT!r}, {isolated})\nx.destroy(i)\nexec({ACT!r})"
    )
    for options in ([], ["-X", "dev"]):
        done = run_guarded([python, *options, "-c", program], policy=BLOCK)
        assert (done.returncode, done.stdout) == (0, "PolicyViolation PermissionError\n" * 4), done
        assert done.violations


def test_many_at_once(python: Path) -> None:
    """Threads in interpreters of their own, each refused many times: nothing crashes, nothing passes."""
    inner = """
for n in range(200):
    try: open("/tmp/%d" % (n % 3))
    except PermissionError: continue
    raise SystemExit("passed")
"""
    program = f"""{RUN}
import threading
threads = [threading.Thread(target=run, args=({inner!r},)) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print("fine")
"""
    done = run_guarded([python, "-c", program], policy=BLOCK)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done


def test_no_hook_of_theirs_undoes_ours(python: Path) -> None:
    program = """
import sys
def loud(event, arguments):
    if event == "open": raise RuntimeError("theirs")
sys.addaudithook(lambda event, arguments: None)
sys.addaudithook(loud)
try: open("/tmp/x")
except PermissionError: print("ours")
try: open("/etc/hostname")
except RuntimeError: print("theirs")
"""
    done = run_guarded([python, "-c", program], policy=BLOCK)
    assert done.stdout == "ours\ntheirs\n"


def test_at_the_end(python: Path) -> None:
    """What runs while the interpreter shuts down is refused as well, by whichever ring."""
    program = """
import atexit, sys, threading, os
def act(where):
    try: open("/tmp/x"); print(where, "passed")
    except PermissionError: print(where, "refused")
atexit.register(act, "atexit")
class Late:
    def __del__(self, act=act, open=open, print=print, error=PermissionError):
        try: open("/tmp/x"); print("late passed")
        except error: print("late refused")
sys.late = Late()
__builtins__.later = Late()
"""
    done = run_guarded([python, "-c", program], policy=BLOCK)
    assert done.returncode == 0
    assert "passed" not in done.stdout
    assert "atexit refused" in done.stdout
