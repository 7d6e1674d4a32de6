"""Subinterpreters are guarded like the main one, and no object crosses between them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fshield.language.loader import load
from tests.support import interpreters, rules, run_guarded

BLOCK = rules("block", "block", "block", "block")

# Runs TEXT in a new interpreter, with its own GIL if this Python supports that.
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
        f"{RUN}\nexec({ACT!r})\nx, i = run({ACT!r}, {isolated})\nrun({ACT!r},"
        f" {isolated})\nx.destroy(i)\nexec({ACT!r})"
    )
    for options in ([], ["-X", "dev"]):
        done = run_guarded([python, *options, "-c", program], policy=BLOCK)
        assert (done.returncode, done.stdout) == (0, "PolicyViolation PermissionError\n" * 4), done
        assert done.violations


def test_many_at_once(python: Path) -> None:
    """Threads in separate interpreters, each refused many times: nothing crashes, nothing
    passes."""
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
    """What runs while the interpreter shuts down is also refused, by either ring."""
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


def test_ids_are_not_places() -> None:
    """More than 1,024 interpreters, one after the other: each can be made, and each is guarded.
    Only one Python runs this, because of the time it takes."""
    program = f"""{RUN}
for n in range(1030):
    x, i = run("1", n % 2)
    x.destroy(i)
x, i = run("import json; json.dumps(1)")
x.destroy(i)
run("import marshal; marshal.loads(marshal.dumps(1))")
"""
    done = run_guarded(
        [sys.executable, "-c", program], policy=rules(native_code="block"), timeout=300
    )
    assert done.returncode == 0, done
    (event,) = done.violations
    assert event["details"]["path"] == "marshal.loads"
    assert "PolicyViolation" in done.stdout


CALLS = """
from concurrent import interpreters
def add(a): return a + 1
def outer():
    def inner(): return 7
    return inner
i = interpreters.create()
print(i.call(add, 2), i.call(outer()))
thread = i.call_in_thread(add, 4)
thread.join()
from concurrent.futures import InterpreterPoolExecutor
with InterpreterPoolExecutor(2) as executor: print(list(executor.map(add, [-1, 2])))
i.close()
"""


@pytest.mark.parametrize("policy", ["monitor", "strict"])
def test_functions_go_to_another_interpreter(policy: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(CALLS)
    tried = 0
    for python in interpreters():
        check = [str(python), "-c", "import sys; raise SystemExit(sys.version_info < (3, 14))"]
        if subprocess.run(check, check=False).returncode != 0:
            continue
        tried += 1
        done = run_guarded([python, program], policy=policy)
        assert (done.returncode, done.stdout) == (0, "3 7\n[0, 3]\n"), done
        assert not done.violations
    assert tried


REFUSED = """
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor
def imports(): import ctypes
def makes(): return eval("compile('1', 'a', 'eval').replace(co_name='x')")
i = interpreters.create()
for act in (imports, makes):
    try: i.call(act)
    except interpreters.ExecutionFailed: pass
i.call_in_thread(imports).join()
i.close()
with InterpreterPoolExecutor(1) as executor: executor.submit(makes).exception()
"""


def test_advice_for_another_interpreter_is_accepted(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(REFUSED)
    check = ("-c", "import sys; raise SystemExit(sys.version_info < (3, 14))")
    pythons = [
        python
        for python in interpreters()
        if subprocess.run([python, *check], check=False).returncode == 0
    ]
    if not pythons:
        pytest.skip("concurrent.interpreters needs Python 3.14")
    for python in pythons:
        done = run_guarded([python, program], policy="strict")
        assert done.violations, done
        for event in done.violations:
            assert event["origin"]["file"] and event["origin"]["line"], event
            advice = event["message"].partition("an exception is ")[2]
            policy = tmp_path / "advised.yaml"
            policy.write_text(f"version: 1\npolicy:\n  {advice}\n")
            load(policy)


def test_other_bytes_do_not_go_with_them(tmp_path: Path) -> None:
    """Without a frame on the stack, marshal.loads refuses bytes that no code object was written
    as."""
    program = """
import marshal, sys, threading, _thread, time
RUN
x, i = run("1")
code = compile("print('ran')", "x", "exec")
data = marshal.dumps(code)
evil = data.replace(b"ran", b"RAN")
lock = _thread.allocate_lock()
ended = []
sys.unraisablehook = lambda what: ended.append(type(what.exc_value).__name__)
_thread.start_new_thread(marshal.loads, (evil,))
end = time.monotonic() + 20
while not ended and time.monotonic() < end: time.sleep(0.01)
print(*ended)
""".replace("RUN", RUN)
    for python in interpreters():
        done = run_guarded([python, "-c", program], policy=rules(native_code="block"))
        assert done.stdout == "PolicyViolation\n", done
        assert [event["details"]["path"] for event in done.violations] == ["marshal.loads"]
