"""A difference is accounted for only by what was blocked in the test itself."""

from __future__ import annotations

import json

from tests.transparency.accounts import SECTION, Accounts


def event(policy: str, **more: object) -> str:
    return json.dumps(
        {"function_shield": True, "event": "violation", "mode": "block", "policy": policy, **more}
    ).replace('{"function_shield": true', '{"function_shield":true')


SKIPPED = """skipped "PolicyViolation(13, 'outbound_connectivity: no')\""""
LOG = f"""\
{event("create_child_process")}
test_quiet (test.test_a.One.test_quiet) ... ok
test_blocked (test.test_a.One.test_blocked) ... {event("read_write_tmp")}
ERROR
test_reported (test.test_a.One.test_reported) ... {event("read_write_tmp", mode="alert")}
FAIL
test_old_python (test.test_a.One) ... {event("native_code")}
ok
test_skipped (test.test_a.One.test_skipped) ... {SKIPPED}
test_counted (test.test_a.Two.test_counted) ... {event("read_handler", repeats=True)}
FAIL
setUpClass (test.test_a.Three) ... ERROR
test_c_code (test.test_a.One.test_c_code) ... ERROR
test_wrong (test.test_a.One.test_wrong) ... FAIL

{SECTION}
ERROR: test_blocked (test.test_a.One.test_blocked)
----------------------------------------------------------------------
function_shield.PolicyViolation: [Errno 13] read_write_tmp: x
{SECTION}
ERROR: setUpClass (test.test_a.Three)
----------------------------------------------------------------------
function_shield.PolicyViolation: [Errno 13] create_child_process: x
{SECTION}
ERROR: test_c_code (test.test_a.One.test_c_code)
----------------------------------------------------------------------
sqlite3.OperationalError: Permission denied
{SECTION}
FAIL: test_wrong (test.test_a.One.test_wrong)
----------------------------------------------------------------------
AssertionError: 1 != 2

Result: FAILURE
"""


def test_what_accounts_for_a_difference() -> None:
    accounts = Accounts(LOG)
    assert accounts.of("test.test_a.One.test_blocked") == "read_write_tmp"
    assert accounts.of("test.test_a.One.test_old_python") == "native_code"
    assert accounts.of("test.test_a.One.test_skipped") == "outbound_connectivity"
    assert (
        accounts.of("test.test_a.Three.test_any")
        == "create_child_process in what prepares test.test_a.Three"
    )
    assert str(accounts.of("test.test_a.One.test_c_code")).startswith("a refusal, of ")
    assert accounts.of("exit status")


def test_what_accounts_for_nothing() -> None:
    accounts = Accounts(LOG)
    for name in (
        "One.test_quiet",
        "One.test_reported",
        "One.test_wrong",
        "One.test_absent",
        "Two.test_counted",
    ):
        assert accounts.of(f"test.test_a.{name}") is None, name
    assert (
        Accounts("test_x (test.test_a.One.test_x) ... FAIL\nResult: FAILURE\n").of("exit status")
        is None
    )


def test_a_run_that_a_rule_ended() -> None:
    died = (
        "Traceback (most recent call last)\n  x\nfunction_shield.PolicyViolation: [Errno 13]"
        " native_code: x\n"
    )
    assert Accounts(died).of("test.test_a.One.test_any") == "native_code ended the run"
    assert Accounts(died + "Result: FAILURE\n").of("test.test_a.One.test_any") is None
