"""Drop-in: programs written for FunctionShield call configure, and the policy file decides."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.helpers import copy_layer, policy_of
from tests.support import policy_file, rules, run_guarded

FOUR = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
BLOCK = rules("block", "block", "block", "block")
TRY = """
import function_shield, os, socket, threading
def tmp():
    try: os.listdir("/tmp"); return "passed"
    except function_shield.PolicyViolation as error: return error.policy
def connect():
    try: socket.create_connection(("127.66.66.66", 9), 2)
    except function_shield.PolicyViolation as error: return error.policy
    except OSError: return "passed"
def fork():
    try: pid = os.fork()
    except function_shield.PolicyViolation as error: return error.policy
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0); return "passed"
def elsewhere(act):
    said = []
    thread = threading.Thread(target=lambda: said.append(act())); thread.start(); thread.join()
    return said[0]
def configure(policy, **more):
    return function_shield.configure({"policy": policy, **more})
"""


def run(python: Path, code: str, policy: Mapping[str, Any]) -> list[str]:
    result = run_guarded([python, "-c", TRY + code], policy=policy)
    assert result.returncode == 0, result
    return result.stdout.splitlines()


def test_the_documented_call(python: Path) -> None:
    """The call from FunctionShield's own README, with its token."""
    code = """
cookie = function_shield.configure({
    "policy": {"outbound_connectivity": "block", "read_write_tmp": "block",
               "create_child_process": "block", "read_handler": "block"},
    "disable_analytics": True, "token": "any token will do"})
print(isinstance(cookie, str) and len(cookie) > 15)
print(tmp(), connect(), fork())
print(function_shield.__name__, function_shield.__file__)
"""
    lines = run(python, code, rules())
    assert lines[0] == "True"
    assert lines[1] == "read_write_tmp outbound_connectivity create_child_process"
    assert lines[2].endswith("python/function_shield/__init__.py")


def test_it_can_always_tighten(python: Path) -> None:
    for policy in (
        rules(),
        rules("alert", "alert", "alert", "alert"),
        rules(allow_reconfigure=True),
    ):
        code = (
            "print(tmp(), connect(), fork())\nconfigure({'read_write_tmp': 'block'}); print(tmp(),"
            " elsewhere(tmp), connect(), fork())\nconfigure({'outbound_connectivity': 'block',"
            " 'create_child_process': 'block'})\nprint(tmp(), connect(), fork())\n"
        )
        assert run(python, code, policy) == [
            "passed passed passed",
            "read_write_tmp read_write_tmp passed passed",
            "read_write_tmp outbound_connectivity create_child_process",
        ]


def test_tightening_to_alert(python: Path) -> None:
    result = run_guarded(
        [python, "-c", TRY + "configure({'read_write_tmp': 'alert'}); print(tmp())"], policy=rules()
    )
    assert result.stdout == "passed\n"
    (event,) = result.violations
    assert (event["mode"], event["reason"]) == ("alert", "reconfigured")


def test_it_does_not_loosen_what_the_file_forbids(python: Path) -> None:
    code = (
        "cookie = configure({})\nconfigure({'read_write_tmp': 'allow'});"
        " print(tmp())\nconfigure({'read_write_tmp': 'allow'}, cookie=cookie); print(tmp(),"
        " elsewhere(tmp))\nconfigure(dict.fromkeys(['outbound_connectivity',"
        " 'create_child_process'], 'allow'), cookie=cookie)\nprint(connect(), fork())\n"
    )
    assert run(python, code, BLOCK) == [
        "read_write_tmp",
        "read_write_tmp read_write_tmp",
        "outbound_connectivity create_child_process",
    ]


def test_it_loosens_for_the_calling_thread_with_the_cookie(python: Path) -> None:
    code = (
        "cookie = configure({})\nconfigure({'read_write_tmp': 'allow'}); print(tmp())\nfor wrong in"
        " ('', 'x', cookie[:-1], cookie[::-1], cookie + 'z'):\n    try:"
        " configure({'read_write_tmp': 'allow'}, cookie=wrong)\n    except Exception:"
        " pass\nprint(tmp())\nconfigure({'read_write_tmp': 'allow'}, cookie=cookie); print(tmp(),"
        " elsewhere(tmp), connect(), fork())\nconfigure({'read_write_tmp': 'block'},"
        " cookie=cookie); print(tmp())\n"
    )
    assert run(python, code, {**BLOCK, "allow_reconfigure": True}) == [
        "read_write_tmp",
        "read_write_tmp",
        "passed read_write_tmp outbound_connectivity create_child_process",
        "read_write_tmp",
    ]


def test_the_cookie_is_the_first_callers(python: Path) -> None:
    code = (
        "first = configure({}); second = configure({})\n"
        "print(second in ('', None), configure({}, cookie=first) == first)\n"
    )
    assert run(python, code, {**BLOCK, "allow_reconfigure": True}) == ["True True"]


def test_guard_integrity_cannot_be_loosened(python: Path) -> None:
    code = (
        f"cookie = configure({{}}); configure(dict.fromkeys({FOUR!r}, 'allow'), cookie=cookie)\n"
        "try: open('/proc/self/mem', 'r+b'); print('passed')\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    assert run(python, code, {**BLOCK, "allow_reconfigure": True}) == ["PolicyViolation"]


@pytest.mark.parametrize(
    "options",
    [
        "{'polcy': {}}",
        "{'policy': {'outbound': 'block'}}",
        "{'policy': {'read_write_tmp': 'deny'}}",
        "{'policy': {'read_write_tmp': 'Block'}}",
        "{'policy': {'read_write_tmp': True}}",
        "{'policy': {'native_code': 'block'}}",
        "{'policy': 'block'}",
        "{'policy': ['read_write_tmp']}",
        "{'policy': {}, 'cookie': 5}",
        "{'policy': {}, 'disable_analytics': 'yes'}",
        "{'policy': {}, 'extra': 1}",
        "None",
        "'block'",
    ],
)
def test_wrong_keys_and_values_raise(options: str) -> None:
    """They raise, and change nothing."""
    act = f"function_shield.configure({options})"
    code = f"try: {act}; print('passed')\nexcept Exception as error: print(bool(str(error)))\n"
    result = run_guarded([Path(sys.executable), "-c", TRY + code + "print(tmp())"], policy=rules())
    assert result.stdout == "True\npassed\n", result


def test_the_floor_holds_against_it(python: Path, tmp_path: Path) -> None:
    launcher = copy_layer(tmp_path / "layer")
    shutil.copy(policy_file(rules(tmp="block")), policy_of(launcher, "floor"))
    code = (
        "cookie = configure({}); configure({'read_write_tmp': 'allow'}, cookie=cookie);"
        " print(tmp())"
    )
    policy = rules(tmp="block", allow_reconfigure=True)
    result = run_guarded([python, "-c", TRY + code], policy=policy, launcher=launcher)
    assert result.stdout == "read_write_tmp\n", result


def test_no_ctypes_is_loaded(python: Path) -> None:
    code = "import sys; configure({}); print('ctypes' in sys.modules, '_ctypes' in sys.modules)"
    assert run(python, code, rules(native_code="block")) == ["False False"]
