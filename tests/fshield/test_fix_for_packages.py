"""`fshield fix` under policies that restrict entries to packages (`only_for`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled
from fshield.evidence.acts import Evidence
from fshield.evidence.fix import Fix, fix
from fshield.evidence.tiers import Tiers
from fshield.language.loader import load
from fshield.language.policy import Family, Mode
from tests.fshield.recorded import Log, stack

STRIPE = """version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - host: api.stripe.com
        only_for: [stripe]
"""
THROUGH_TINTBOX = (
    "/var/task/urllib3/connection.py:1 connect",
    "/var/task/stripe/api.py:3 charge",
    "/var/task/tintbox/__init__.py:8 drive",
    *stack(""),
)
POOLED = ("/var/task/redis/connection.py:4 connect",)


def only_for(log: Log, asker: str, *frames: str, host: str = "api.stripe.com") -> Log:
    """Add an act that an entry refuses because it is for other packages."""
    return log.host(
        host,
        *frames,
        reason="only_for",
        asker=asker,
        entry_source="p.yaml:6",
        only_for="stripe",
        mode="block",
        policy_mode="block",
    )


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(STRIPE)
    return path


def fixed(policy: Path, seen: Evidence, *accept: str) -> Fix:
    found = fix(policy, seen, tiers=Tiers(seen, frozenset(accept)))
    policy.write_text(found.changed)
    return found


def entries(found: Fix) -> list[str]:
    return [line.text for line in found.lines]


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["fix", *map(str, words)])


def allowed(policy: Path, host: str, asker: str) -> bool:
    compiled = Compiled(compile_policy(load(policy)))
    return (
        compiled.decide(Family.OUTBOUND, names=(host,), port=443, caller=asker).mode is Mode.ALLOW
    )


def test_an_entry_for_others_is_joined_by_one_for_the_caller(policy: Path) -> None:
    log = only_for(Log(), "function", *stack("requests"))
    found = fixed(policy, log.evidence())
    assert entries(found) == ["{host: api.stripe.com, only_for: [requests]}"]
    assert "from requests and what it requires" in found.admits[0]
    assert [line for line in found.diff if line.startswith("-")] == ["--- p.yaml"] or sum(
        line.startswith("-") for line in found.diff
    ) == 1
    for asker, passes in (("requests", True), ("stripe", True), ("tintbox", False), ("", False)):
        assert allowed(policy, "api.stripe.com", asker) is passes, asker
    again = fix(policy, log.evidence())
    assert not again.lines and again.passing and set(again.passing_for.values()) == {("requests",)}


def test_a_dependency_that_asked_by_itself_is_held_back(policy: Path, tmp_path: Path) -> None:
    log = only_for(Log(), "tintkit", *stack("tintkit")).write(tmp_path / "log")
    done = command("-p", policy, "-w", log)
    assert done.exit_code == 1 and "only tintkit asked for it" in done.stderr
    assert "--accept api.stripe.com:443" in done.stderr and policy.read_text() == STRIPE
    done = command("-p", policy, "-w", "--json", "--accept", "api.stripe.com:443", log)
    assert done.exit_code == 0, done.output
    (entry,) = json.loads(done.stdout)["entries"]
    assert entry["only_for"] == ["tintkit"]
    assert "{host: api.stripe.com, only_for: [tintkit]}  # asked by tintkit" in policy.read_text()
    assert not allowed(policy, "api.stripe.com", "requests")


def test_those_on_the_stack_that_the_entry_names_are_named_again(policy: Path) -> None:
    seen = only_for(Log(), "tintbox", *THROUGH_TINTBOX).evidence()
    held = fixed(policy, seen).held
    assert [(one.accept, "tintbox asked for it" in one.why) for one in held] == [
        ("api.stripe.com:443", True)
    ]
    found = fixed(policy, seen, "api.stripe.com:443")
    assert entries(found) == ["{host: api.stripe.com, only_for: [stripe, tintbox]}"]


def test_who_is_not_on_the_frames_of_the_event_is_named_by_the_engine(policy: Path) -> None:
    seen = only_for(Log(), "newrelic", *stack("requests")).evidence()
    assert entries(fix(policy, seen)) == ["{host: api.stripe.com, only_for: [newrelic, requests]}"]
    seen = only_for(Log(), "tintbox", *stack("requests")).evidence()
    (held,) = fix(policy, seen).held
    assert held.why == "an entry allows it to others, and tintbox asked for it"
    found = fix(policy, seen, tiers=Tiers(seen, trusted=frozenset({"tintbox"})))
    assert entries(found) == ["{host: api.stripe.com, only_for: [requests, tintbox]}"]


def test_a_carrier_that_the_caller_requires_is_not_named(policy: Path) -> None:
    seen = only_for(Log(), "urllib3", *stack("requests")).evidence()
    assert entries(fixed(policy, seen)) == ["{host: api.stripe.com, only_for: [requests]}"]


def test_callers_that_cannot_be_told_are_said_to_be(policy: Path) -> None:
    seen = only_for(Log(), "unknown", *POOLED).evidence()
    found = fixed(policy, seen, "api.stripe.com:443")
    assert entries(found) == ["{host: api.stripe.com, only_for: [redis, unknown]}"]
    assert any("`unknown` admits code without a file" in one for one in found.careful)
    assert "callers that cannot be told" in found.admits[0]
    assert not fix(policy, seen).lines


@pytest.mark.parametrize("asker", ["two words", "x\ny", "-", "*", 'a", tintbox', "[]"])
def test_a_caller_without_a_name_that_can_be_written_gets_no_entry(
    policy: Path, asker: str
) -> None:
    seen = only_for(Log(), asker, *stack("requests")).evidence()
    found = fix(policy, seen, tiers=Tiers(seen, frozenset({"api.stripe.com:443"})))
    assert not found.lines and "no name of its caller" in found.hopeless[0][1]


def test_an_entry_for_every_package_among_others_is_said_to_be_wide(policy: Path) -> None:
    seen = Log().host("a.example", *stack(""), origin=None, ring="libc").evidence()
    found = fixed(policy, seen, "a.example:443")
    assert entries(found) == ["host: a.example"]
    assert found.careful == [
        "a.example: no stack shows its caller, so this entry is for every package"
    ]


def test_where_other_entries_say_for_whom_a_new_one_does(policy: Path, tmp_path: Path) -> None:
    seen = Log().host("a.example", *stack("requests")).evidence()
    assert entries(fixed(policy, seen)) == ["{host: a.example, only_for: [requests]}"]
    plain = tmp_path / "plain.yaml"
    plain.write_text(STRIPE.replace("        only_for: [stripe]\n", ""))
    assert entries(fixed(plain, seen)) == ["host: a.example"]


def test_an_entry_that_counts_for_the_caller_is_enough(policy: Path) -> None:
    seen = Log().host("api.stripe.com", "/var/task/stripe/api.py:3 charge", *stack("")).evidence()
    found = fixed(policy, seen)
    assert not found.lines and [act.target for act in found.passing] == ["api.stripe.com"]


def test_a_test_of_the_policy_may_speak_for_one_package(policy: Path) -> None:
    policy.write_text(
        f"{STRIPE}tests:\n"
        '  - blocked: {connect: ["api.stripe.com:443"]}\n    as: requests\n'
        '  - blocked: {connect: ["api.stripe.com:443"]}\n    as: tintbox\n'
    )
    seen = only_for(Log(), "function", *stack("requests")).evidence()
    found = fix(policy, seen)
    assert not found.lines and "a test of the policy" in found.held[0].why
    other = only_for(Log(), "function", "/var/task/redis/client.py:4 connect", *stack(""))
    assert entries(fix(policy, other.evidence())) == ["{host: api.stripe.com, only_for: [redis]}"]


def test_a_module_that_an_entry_names_for_others(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  native_code:\n    mode: block\n    allow:\n"
        "      - {library: numpy, only_for: [pandas]}\n"
    )
    log = Log().add(
        "native_code",
        "/var/task/numpy/core.py:3 load",
        *stack(""),
        path="_ctypes",
        operation="import",
        reason="only_for",
        asker="function",
    )
    found = fixed(policy, log.evidence())
    assert entries(found) == ["{library: numpy, only_for: [numpy]}"]
    assert not fix(policy, log.evidence()).lines


def test_names_under_tmp_become_one_pattern_for_one_caller(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n    allow:\n"
        "      - {path: /tmp/thumb-a.png, only_for: [pillow]}\n"
        "      - {path: /tmp/thumb-b.png, only_for: [tintbox]}\n"
    )
    frames = ("/var/task/PIL/Image.py:9 save", *stack(""))
    log = Log().add("read_write_tmp", *frames, path="/tmp/thumb-c.png", operation="create")
    found = fixed(policy, log.evidence())
    assert entries(found) == ['{path: "/tmp/thumb-*.png", only_for: [pillow]}']
    text = policy.read_text()
    assert "thumb-a.png" not in text and "{path: /tmp/thumb-b.png, only_for: [tintbox]}" in text


def test_what_sqlite_makes_beside_a_file_is_for_its_caller(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(STRIPE)
    frames = ("/var/task/sqlalchemy/engine.py:9 connect", *stack(""))
    log = Log().add("read_write_tmp", *frames, path="/tmp/offers.db", operation="open")
    nobody = {"ring": "libc", "origin": None}
    for path in ("/tmp/offers.db-journal", "/tmp"):
        log.add("read_write_tmp", *frames, path=path, operation="open", **nobody)
    assert sorted(entries(fixed(policy, log.evidence()))) == [
        "{path: /tmp, only_for: [sqlalchemy, unknown]}",
        "{path: /tmp/offers.db, only_for: [sqlalchemy]}",
        "{path: /tmp/offers.db-journal, only_for: [sqlalchemy, unknown]}",
    ]
