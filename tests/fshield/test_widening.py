"""A change of a policy: nothing that widens goes unsaid, by the engine's own word, and nothing else is said to."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield import native, sarif
from fshield.cli import app
from fshield.compiler import compile_policy
from fshield.containment import path_outside
from fshield.errors import PolicyError
from fshield.loader import resolve
from fshield.policy import Family, Policy
from fshield.reader import parse
from fshield.shapes import matches
from fshield.widening import changes

Write = Callable[[str | bytes], Path]


def policy(rules: str, name: str = "p", more: str = "") -> Policy:
    return resolve(parse(f"{name}.yaml", f"version: 1\npolicy:\n{rules}{more}".encode()), name)


def outbound(*entries: str, mode: str = "block") -> Policy:
    allow = f"    allow: [{', '.join(entries)}]\n" if entries else ""
    return policy(f"  outbound_connectivity:\n    mode: {mode}\n{allow}")


def tmp(*patterns: str) -> Policy:
    return policy(f"  read_write_tmp: {{mode: block, allow: {json.dumps(patterns)}}}\n")


def said(old: Policy, new: Policy) -> list[str]:
    return [f"{'+' if change.kind == 'widens' else '-'} {change.words}" for change in changes(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ((), ("{host: a.example}",), ["+ a.example becomes allowed"]),
        (("{host: a.example}",), (), ["- a.example is no longer allowed"]),
        (("{host: a.example}",), ("{host: A.example.}",), []),
        (('{host: "*.example"}',), ("{host: a.example}", "{host: b.c.example}"), ["- *.example is no longer allowed"]),
        (("{host: a.example}",), ('{host: "*.a.example"}',),
         ["+ *.a.example becomes allowed", "- a.example is no longer allowed"]),
        (("{host: a.example}",), ("{host: a.example, ports: [443, 8443]}",),
         ["+ a.example on port 8443 becomes allowed"]),
        (("{host: a.example, ports: [80-90]}",), ("{host: a.example, ports: [85-95]}",),
         ["+ a.example on ports 91-95 becomes allowed", "- a.example on ports 80-84 is no longer allowed"]),
        (("{host: a.example, ports: [1-10]}", "{host: a.example, ports: [11-20]}"),
         ("{host: a.example, ports: [5-15]}",),
         ["- a.example on ports 1-4 is no longer allowed", "- a.example on ports 16-20 is no longer allowed"]),
        (("{host: a.example}",), ("{host: a.example, tls: none}",), ["+ a.example becomes allowed"]),
        (("{cidr: 10.0.0.0/9}", "{cidr: 10.128.0.0/9}"), ("{cidr: 10.0.0.0/8}",), []),
        (("{cidr: 10.0.0.0/8}",), ("{cidr: 10.1.0.0/16}",), ["- 10.0.0.0/8 is no longer allowed"]),
        (("{cidr: 10.1.0.0/16}",), ("{cidr: 10.0.0.0/8}",), ["+ 10.0.0.0/8 becomes allowed"]),
        (("{aws: true}",), ("{host: sqs.us-east-1.amazonaws.com}",),
         ["+ sqs.us-east-1.amazonaws.com becomes allowed", "- aws: true is no longer allowed"]),
    ],
)  # fmt: skip
def test_destinations(old: tuple[str, ...], new: tuple[str, ...], words: list[str]) -> None:
    assert said(outbound(*old), outbound(*new)) == words


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        (["/tmp/**"], ["/tmp/a", "/tmp/a/b/*"], False),
        (["/tmp/*"], ["/tmp/a/b"], True),
        (["/tmp/a*", "/tmp/b*"], ["/tmp/a?c"], False),
        (["/tmp/?", "/tmp/??*"], ["/tmp/*"], False),
        (["/tmp/??*"], ["/tmp/*"], True),
        (["/tmp/a/**"], ["/tmp/a"], False),
        (["/tmp/a/*"], ["/tmp/a/**"], True),
        (["/tmp/*/*"], ["/tmp/**"], True),
        (["/tmp/x*y"], ["/tmp/xay", "/tmp/x*zy"], False),
    ],
)
def test_paths(old: list[str], new: list[str], wider: bool) -> None:
    assert any(line.startswith("+") for line in said(tmp(*old), tmp(*new))) is wider


def test_modes_and_switches() -> None:
    block, alert, allow = (policy(f"  read_handler: {mode}\n") for mode in ("block", "alert", "allow"))
    assert said(block, alert) == ["+ block becomes alert: what it blocked goes on and is only reported"]
    assert said(alert, block) == ["- alert becomes block: what it reported is blocked"]
    assert said(alert, allow) == ["+ alert becomes allow: what it reported is not reported any more"]
    closed = policy("  read_handler: block\n", more="allow_mode_override: []\nkernel: {file_size: on}\n")
    open_ = policy("  read_handler: block\n", more="allow_reconfigure: true\n")
    assert [line[:2] for line in said(closed, open_)] == ["+ "] * 4
    assert [line[:2] for line in said(open_, closed)] == ["- "] * 4


def test_entries_under_alert_change_what_is_reported() -> None:
    assert said(outbound(mode="alert"), outbound("{host: a.example}", mode="alert")) == [
        "+ a.example is not reported any more"
    ]
    assert said(outbound("{host: a.example}"), outbound("{host: b.example}", mode="alert")) == [
        "+ block becomes alert: what it blocked goes on and is only reported",
        "+ b.example becomes allowed",
        "- a.example goes on and is reported",
    ]


def test_a_rule_that_is_left_out_takes_the_default() -> None:
    assert said(policy("  default: allow\n"), policy("  default: block\n"))[0].startswith("- allow becomes block")


LABELS = st.sampled_from(["a", "b", "evil"])
HOSTS = st.builds(
    lambda star, parts: ("*." if star else "") + ".".join(parts),
    st.booleans(),
    st.lists(LABELS, min_size=1, max_size=3),
)
PORTS = st.lists(st.sampled_from([80, 443, "442-444", "1-65535", 8443]), min_size=1, max_size=2)
CIDRS = st.sampled_from(
    ["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.1.2.3", "0.0.0.0/0", "fd00::/8", "fd00::1", "::/0"]
)
OUTBOUND = st.one_of(
    st.fixed_dictionaries({"host": HOSTS}, optional={"ports": PORTS}),
    st.fixed_dictionaries({"cidr": CIDRS}, optional={"ports": PORTS}),
    st.just({"aws": True}),
)
PATTERNS = st.text("ab/*?", max_size=7).map(lambda text: f"/tmp/{text}")
MODES = st.sampled_from(["block", "block", "block", "alert", "allow"])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    rules: dict[str, Any] = {}
    for name, entries in (("outbound_connectivity", OUTBOUND), ("read_write_tmp", PATTERNS)):
        mode = draw(MODES)
        rules[name] = {"mode": mode} | ({} if mode == "allow" else {"allow": draw(st.lists(entries, max_size=3))})
    try:
        return resolve(parse("p.yaml", json.dumps({"version": 1, "policy": rules}).encode()), "p")
    except PolicyError:
        return policy("  default: block\n")


NAMES = [".".join(parts) for parts in (("a",), ("b", "a"), ("evil", "b", "a"), ("a", "b"), ("x", "evil"), ("evil",))]
ADDRESSES = ["10.1.2.3", "10.200.0.1", "11.0.0.1", "fd00::1", "fd01::2", "2001:db8::1"]


@settings(max_examples=400, deadline=None)
@given(policies(), policies(), st.lists(st.text("ab/", max_size=6), max_size=12))
def test_nothing_wider_goes_unsaid(old: Policy, new: Policy, names: list[str]) -> None:
    before, after = (native.Compiled(compile_policy(each)) for each in (old, new))
    wider = {change.rule for change in changes(old, new) if change.kind == "widens"}
    questions: list[tuple[Family, dict[str, Any]]] = [
        (Family.OUTBOUND, {"names": (name,), "port": port}) for name in NAMES for port in (80, 443, 444, 8443)
    ]
    questions += [
        (Family.OUTBOUND, {"ip": ipaddress.ip_address(ip), "port": port}) for ip in ADDRESSES for port in (443, 80)
    ]
    questions += [(Family.TMP, {"path": f"/tmp/{name}".rstrip("/")}) for name in names if "//" not in f"/{name}"]
    for family, question in questions:
        if after.decide(family, **question).mode < before.decide(family, **question).mode:
            rule = "outbound_connectivity" if family is Family.OUTBOUND else "read_write_tmp"
            assert rule in wider, (family, question)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(PATTERNS, max_size=3))
def test_a_path_that_is_said_to_be_outside_is(pattern: str, others: list[str]) -> None:
    found = path_outside(pattern, others)
    if found is not None:
        folders = [other.removesuffix("/**") for other in (pattern, *others)]
        assert matches(pattern, found) or found == folders[0]
        assert not any(matches(other, found) for other in others) and found not in folders[1:]


def test_a_policy_against_itself(write: Write) -> None:
    for path in sorted(Path("policies").glob("*.yaml")):
        assert CliRunner().invoke(app, ["diff", str(path), str(path)]).exit_code == 0


def test_the_command(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("version: 1\npolicy:\n  outbound_connectivity: block\n")
    new.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      - host: a.example\n"
    )
    done = CliRunner().invoke(app, ["diff", str(old), str(new)])
    assert done.exit_code == 1 and f"{new}:6" in done.stdout and "1 wider, 0 narrower" in done.stdout
    assert CliRunner().invoke(app, ["diff", str(new), str(old)]).exit_code == 0
    answer = json.loads(CliRunner().invoke(app, ["diff", "--json", str(old), str(new)]).stdout)
    assert answer["changes"][0]["example"] == "connect a.example:443" and not answer["ok"]


def test_sarif(tmp_path: Path) -> None:
    """The properties that the standard requires, and those that code hosts read."""
    found = sarif.document(changes(outbound("{host: b.example}"), outbound("{host: a.example}")))
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert found["version"] == "2.1.0" and run["tool"]["driver"]["name"] == "fshield" and len(run["results"]) == 2
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] and result["level"] in ("warning", "note")
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "p.yaml" and place["region"]["startLine"] >= 1
        assert result["message"]["text"] and result["partialFingerprints"]
