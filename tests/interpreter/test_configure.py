"""function_shield inside the function: FunctionShield's configure, the error type, and the
helpers."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import LAYER, clean_environment, rules, run_guarded

ALLOW = rules()
BLOCK = rules("block", "block", "block", "block")


def run(python: Path, program: str, policy: Mapping[str, Any]) -> str:
    done = run_guarded([python, "-c", program], policy=policy)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_found_wherever_the_layer_is(python: Path) -> None:
    program = """
import sys
before = list(sys.path)
import function_shield
print(function_shield.__file__, [entry for entry in sys.path if entry not in before])
"""
    folder = LAYER / "python"
    assert run(python, program, ALLOW).split() == [
        f"{folder}/function_shield/__init__.py",
        f"['{folder}']",
    ]


def test_tightens_for_good(python: Path) -> None:
    program = """
import function_shield, os, threading
open("/tmp/function-shield-configure", "w").close()
os.remove("/tmp/function-shield-configure")
options = {"policy": {"read_write_tmp": "block"}, "token": "abc", "disable_analytics": True}
cookie = function_shield.configure(options)
assert isinstance(cookie, str) and len(cookie) == 32
def tries():
    try: open("/tmp/x")
    except function_shield.PolicyViolation as error: print(error.policy, error.reason)
tries()
t = threading.Thread(target=tries); t.start(); t.join()
function_shield.configure({"policy": {"read_write_tmp": "allow"}}); tries()
function_shield.configure({"policy": {"read_write_tmp": "allow"}, "cookie": cookie}); tries()
print(function_shield.armed()["modes"]["read_write_tmp"])
"""
    assert run(python, program, ALLOW) == "read_write_tmp reconfigured\n" * 4 + "block\n"


def test_loosens_for_the_thread_with_the_cookie_where_permitted(python: Path) -> None:
    program = """
import function_shield, os, threading
def tries():
    try:
        os.listdir("/tmp"); print("passed")
    except function_shield.PolicyViolation: print("refused")
cookie = function_shield.configure({"policy": {}})
assert function_shield.configure({"policy": {"read_write_tmp": "allow"}}) == ""
tries()
for wrong in ("0" * 32, "x"):
    try: function_shield.configure({"policy": {"read_write_tmp": "allow"}, "cookie": wrong})
    except PermissionError: print("wrong cookie")
allowing = {"policy": {"read_write_tmp": "allow"}, "cookie": cookie}
assert function_shield.configure(allowing) == cookie
tries()
t = threading.Thread(target=tries); t.start(); t.join()
function_shield.configure({"policy": {"read_write_tmp": "block"}})
tries()
"""
    expected = "refused\nwrong cookie\nwrong cookie\n{}\nrefused\nrefused\n"
    assert run(python, program, {**BLOCK, "allow_reconfigure": True}) == expected.format("passed")
    assert run(python, program, BLOCK) == expected.format("refused")


def test_wrong_options_raise(python: Path) -> None:
    program = """
import function_shield
for options in ({"polcy": {}}, {"policy": {"outbound": "block"}},
                {"policy": {"read_handler": "deny"}}, {"policy": 1}, {"cookie": 5},
                {"token": 5}, {"disable_analytics": "yes"}, None,
                {"policy": {"read_handler": []}}):
    try:
        function_shield.configure(options)
    except (KeyError, ValueError) as error:
        print(type(error).__name__)
import sys
for arguments in ((), ([],), ([], 5, 5), ([], None, (1, 2)), ([], None, (9, 0, 0, 0)),
                  (1, None, (-1, -1, -1, -1)), ([], None, ("a", 1, 1, 1))):
    try:
        sys.audit("function_shield.configure", *arguments)
    except ValueError as error:
        print("malformed")
"""
    assert (
        run(python, program, ALLOW).split()
        == ["KeyError"] * 2 + ["ValueError"] * 7 + ["malformed"] * 7
    )


def test_monkey_patching_changes_nothing(python: Path) -> None:
    program = """
import function_shield, gc, importlib, sys
real = function_shield.PolicyViolation
function_shield.PolicyViolation = OSError
function_shield.configure = function_shield.armed = None
sys.modules["function_shield"] = None
for name in list(sys.modules):
    if name.startswith("function_shield"): del sys.modules[name]
for thing in gc.get_objects():
    if isinstance(thing, dict) and "function_shield.PolicyViolation" in thing:
        thing["function_shield.PolicyViolation"] = int
try: open("/tmp/x")
except OSError as error: print(error.errno)
except BaseException as error: print(type(error).__name__)
else: print("passed")
"""
    out = run(python, program, BLOCK)
    assert out != "passed\n"


def test_without_a_guard(python: Path) -> None:
    program = """
import function_shield
from function_shield import testing
assert function_shield.armed() == {"armed": False}
try:
    function_shield.configure({"policy": {}})
except RuntimeError as error:
    print("AWS_LAMBDA_EXEC_WRAPPER" in str(error))
with testing.without_guard():
    print(repr(function_shield.configure({"policy": {"read_handler": "block"}})))
try:
    raise function_shield.PolicyViolation(13, "x")
except PermissionError as error:
    print(error.policy, type(error).__module__)
"""
    env = clean_environment({"PYTHONPATH": str(LAYER / "python")})
    done = subprocess.run(
        [python, "-c", program], env=env, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "True\n''\nNone function_shield\n"
    env["FUNCTION_SHIELD_MODE"] = "off"
    program = "import function_shield; print(repr(function_shield.configure({'policy': {}})))"
    done = subprocess.run(
        [python, "-c", program], env=env, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "''\n"


def test_testing_helpers(python: Path, tmp_path: Path) -> None:
    program = """
import sys
from function_shield import testing
testing.require_guard("test")
with testing.blocked("read_write_tmp"):
    open("/tmp/x")
def other():
    with testing.blocked("read_handler"): open("/tmp/x")
def nothing():
    with testing.blocked(): pass
for wrong in (lambda: testing.require_guard("other"), other, nothing):
    try: wrong()
    except AssertionError: print("failed as it should")
print([event["event"] for event in testing.read_events(sys.argv[1])])
"""
    log = tmp_path / "events.jsonl"
    done = run_guarded(
        [python, "-c", program, log], policy=BLOCK, env={"FUNCTION_SHIELD_EVENTS": str(log)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "failed as it should\n" * 3 + "['armed', 'violation']\n"


def test_the_witness_refuses(python: Path, tmp_path: Path) -> None:
    """If the hook is missing in the interpreter, the layer's folder is still on the path, and its
    sitecustomize ends the program."""
    log = tmp_path / "events.jsonl"
    site = str(LAYER / "function-shield.d" / "site")
    env = clean_environment({"PYTHONPATH": site, "FUNCTION_SHIELD_EVENTS": str(log)})
    argv = [str(python), "-c", "print('ran')"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (78, "")
    assert '"event":"refused"' in log.read_text()
