"""A change of a policy: `diff` reports everything that widens, as the engine decides it, and
nothing else."""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine import decide as native
from fshield.engine import sarif
from fshield.engine.compiler import compile_policy
from fshield.engine.containment import path_outside
from fshield.engine.widening import changes
from fshield.errors import PolicyError
from fshield.evidence.shapes import matches
from fshield.language import destinations
from fshield.language.loader import resolve
from fshield.language.policy import Family, Mode, Policy
from fshield.language.reader import parse
from tests.support import ROOT

Write = Callable[[str | bytes], Path]


def policy(rules: str, name: str = "p", more: str = "") -> Policy:
    return resolve(parse(f"{name}.yaml", f"version: 1\npolicy:\n{rules}{more}".encode()), name)


def outbound(*entries: str, mode: str = "block") -> Policy:
    allow = f"    allow: [{', '.join(entries)}]\n" if entries else ""
    return policy(f"  outbound_connectivity:\n    mode: {mode}\n{allow}")


def tmp(*patterns: str) -> Policy:
    return policy(f"  read_write_tmp: {{mode: block, allow: {json.dumps(patterns)}}}\n")


def diff_lines(old: Policy, new: Policy) -> list[str]:
    return [
        f"{'+' if change.kind == 'widens' else '-'} {change.words}" for change in changes(old, new)
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ((), ("{host: a.example}",), ["+ a.example becomes allowed"]),
        (("{host: a.example}",), (), ["- a.example is no longer allowed"]),
        (("{host: a.example}",), ("{host: A.example.}",), []),
        (
            ('{host: "*.example"}',),
            ("{host: a.example}", "{host: b.c.example}"),
            ["- *.example is no longer allowed"],
        ),
        (
            ("{host: a.example}",),
            ('{host: "*.a.example"}',),
            ["+ *.a.example becomes allowed", "- a.example is no longer allowed"],
        ),
        (
            ("{host: a.example}",),
            ("{host: a.example, ports: [443, 8443]}",),
            ["+ a.example on port 8443 becomes allowed"],
        ),
        (
            ("{host: a.example, ports: [80-90]}",),
            ("{host: a.example, ports: [85-95]}",),
            [
                "+ a.example on ports 91-95 becomes allowed",
                "- a.example on ports 80-84 is no longer allowed",
            ],
        ),
        (
            ("{host: a.example, ports: [1-10]}", "{host: a.example, ports: [11-20]}"),
            ("{host: a.example, ports: [5-15]}",),
            [
                "- a.example on ports 1-4 is no longer allowed",
                "- a.example on ports 16-20 is no longer allowed",
            ],
        ),
        (
            ("{host: a.example}",),
            ("{host: a.example, tls: none}",),
            ["+ a.example: anything may be sent, where the server name of TLS was read"],
        ),
        (
            ("{host: a.example, ports: [25], tls: starttls}",),
            ("{host: a.example, ports: [25], tls: required}",),
            [
                "- a.example on port 25: anything may no longer be sent:"
                " the server name of TLS is read"
            ],
        ),
        (
            ("{host: a.example, ports: [25], tls: starttls}",),
            ("{host: a.example, ports: [25], tls: none}",),
            [],
        ),
        (
            ("{host: a.example, ports: [80]}",),
            ("{host: a.example, ports: [80], tls: none}",),
            ["+ a.example on port 80: anything may be sent, where the `Host` of HTTP was read"],
        ),
        (
            ("{host: a.example, ports: [80], tls: required}",),
            ("{host: a.example, ports: [80]}",),
            [
                "+ a.example on port 80: HTTP in the clear may be sent,"
                " where the server name of TLS was read",
                "- a.example on port 80: TLS may no longer be sent: the `Host` of HTTP is read",
            ],
        ),
        # An exact name has precedence over a wildcard, and an earlier entry over a later one.
        (
            ("{host: a.example}", '{host: "*.example", tls: none}'),
            ('{host: "*.example", tls: none}',),
            ["+ a.example: anything may be sent, where the server name of TLS was read"],
        ),
        (
            ("{host: a.example, ports: [443, 1]}", "{host: a.example, ports: [443, 2], tls: none}"),
            ("{host: a.example, ports: [443, 2], tls: none}", "{host: a.example, ports: [443, 1]}"),
            ["+ a.example: anything may be sent, where the server name of TLS was read"],
        ),
        (
            ("{host: a.example, ports: [443, 1]}", "{host: a.example, ports: [443, 2], tls: none}"),
            ("{host: a.example, ports: [443, 1, 2]}",),
            [],
        ),
        (
            ('{host: "*.example", tls: none}',),
            ('{host: "*.example", tls: none}', "{host: a.example}"),
            ["- a.example: anything may no longer be sent: the server name of TLS is read"],
        ),
        (
            ('{host: "${env:A}.example"}',),
            ('{host: "${env:A}.example"}', '{host: "${env:B}.example"}'),
            ["+ {env:B}.example becomes allowed"],
        ),
        (("{cidr: 10.0.0.0/8, tls: required}",), ("{cidr: 10.0.0.0/8, tls: none}",), []),
        (("{cidr: 10.0.0.0/9}", "{cidr: 10.128.0.0/9}"), ("{cidr: 10.0.0.0/8}",), []),
        (("{cidr: 10.0.0.0/8}",), ("{cidr: 10.1.0.0/16}",), ["- 10.0.0.0/8 is no longer allowed"]),
        (("{cidr: 10.1.0.0/16}",), ("{cidr: 10.0.0.0/8}",), ["+ 10.0.0.0/8 becomes allowed"]),
        (
            ("{aws: true}",),
            ("{host: sqs.us-east-1.amazonaws.com}",),
            ["+ sqs.us-east-1.amazonaws.com becomes allowed", "- aws: true is no longer allowed"],
        ),
    ],
)
def test_destinations(old: tuple[str, ...], new: tuple[str, ...], words: list[str]) -> None:
    assert diff_lines(outbound(*old), outbound(*new)) == words


def test_many_entries_with_ports_of_their_own_take_seconds() -> None:
    """Each name is tried only at its own ports. With the ports of all names, there would be eight
    million questions."""
    old, new = (
        outbound(*(f"{{host: h{n}.example, ports: [443, {1000 + n}]}}" for n in numbers))
        for numbers in (range(1000), range(1, 1001))
    )
    started = time.monotonic()
    assert diff_lines(old, new) == [
        "+ h1000.example on ports 443, 2000 becomes allowed",
        "- h0.example on ports 443, 1000 is no longer allowed",
    ]
    assert time.monotonic() - started < 60


def looped(ports: list[int] | None, mode: str = "block", *entries: str) -> Policy:
    listed = "" if ports is None else f"    loopback: {ports}\n"
    return policy(
        f"  outbound_connectivity:\n    mode: {mode}\n    allow: [{', '.join(entries)}]\n{listed}"
    )


@pytest.mark.parametrize(
    ("old", "new", "wider", "narrower"),
    [
        (looped([1]), looped([1]), 0, 0),
        (looped([1]), looped([1, 2]), 2, 0),  # 127.0.0.1 and ::1
        (looped([]), looped([1]), 2, 0),
        (looped([1]), looped(None), 1, 0),
        (looped(None), looped([1]), 0, 1),
        (looped(None), looped([]), 0, 1),
        (looped(None), looped(None, "block", "{cidr: 127.0.0.1}"), 0, 0),
        (
            looped([], "block", "{cidr: 127.0.0.0/8, ports: [1-65535]}"),
            looped(None),
            1,
            1,
        ),  # ::1; the rest of 127.0.0.0/8
        (looped([], "allow"), looped(None), 0, 1),
        (looped([1], "alert"), looped(None, "alert"), 1, 0),
    ],
)
def test_loopback(old: Policy, new: Policy, wider: int, narrower: int) -> None:
    assert [line[0] for line in diff_lines(old, new)] == ["+"] * wider + ["-"] * narrower


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
    assert any(line.startswith("+") for line in diff_lines(tmp(*old), tmp(*new))) is wider


def test_modes_and_switches() -> None:
    block, alert, allow = (
        policy(f"  read_handler: {mode}\n") for mode in ("block", "alert", "allow")
    )
    assert diff_lines(block, alert) == [
        "+ block becomes alert: what it blocked goes on and is only reported"
    ]
    assert diff_lines(alert, block) == ["- alert becomes block: what it reported is blocked"]
    assert diff_lines(alert, allow) == [
        "+ alert becomes allow: what it reported is not reported any more"
    ]
    closed = policy(
        "  read_handler: block\n", more="allow_mode_override: []\nkernel: {file_size: on}\n"
    )
    open_ = policy("  read_handler: block\n", more="allow_reconfigure: true\n")
    assert [line[:2] for line in diff_lines(closed, open_)] == ["+ "] * 4
    assert [line[:2] for line in diff_lines(open_, closed)] == ["- "] * 4


def test_entries_under_alert_change_what_is_reported() -> None:
    assert diff_lines(outbound(mode="alert"), outbound("{host: a.example}", mode="alert")) == [
        "+ a.example is not reported any more"
    ]
    assert diff_lines(
        outbound("{host: a.example}"), outbound("{host: b.example}", mode="alert")
    ) == [
        "+ block becomes alert: what it blocked goes on and is only reported",
        "+ b.example becomes allowed",
        "- a.example goes on and is reported",
    ]


def test_a_rule_that_is_left_out_takes_the_default() -> None:
    assert diff_lines(policy("  default: allow\n"), policy("  default: block\n"))[0].startswith(
        "- allow becomes block"
    )


LABELS = st.sampled_from(["a", "b", "evil"])
HOSTS = st.builds(
    lambda star, parts: ("*." if star else "") + ".".join(parts),
    st.booleans(),
    st.lists(LABELS | st.just("${env:A}"), min_size=1, max_size=3),
)
PORTS = st.lists(st.sampled_from([80, 443, "442-444", "1-65535", 8443]), min_size=1, max_size=2)
TLS = st.sampled_from(["required", "starttls", "none"])
CIDRS = st.sampled_from(
    [
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.128.0.0/9",
        "10.1.2.3",
        "127.0.0.1",
        "0.0.0.0/0",
        "fd00::/8",
        "fd00::1",
        "::/0",
    ]
)
OUTBOUND = st.one_of(
    st.fixed_dictionaries({"host": HOSTS}, optional={"ports": PORTS, "tls": TLS}),
    st.fixed_dictionaries({"cidr": CIDRS}, optional={"ports": PORTS, "tls": TLS}),
    st.fixed_dictionaries(
        {"aws": st.just(True) | st.just(["sqs"])}, optional={"ports": PORTS, "tls": TLS}
    ),
    st.builds(
        lambda name: {"host": f"{name}.amazonaws.com"},
        st.sampled_from(["*", "sqs.us-east-1", "*.us-east-1"]),
    ),
)
PATTERNS = st.text("ab/*?", max_size=7).map(lambda text: f"/tmp/{text}")
PROGRAMS = st.text("ab/*?", max_size=6).map(lambda text: f"/usr/{text}")
LIBRARIES = st.sampled_from(
    ["a", "b", "a.*", "a.b", "/var/task/*.so", "/var/task/**", "/var/task/a/*"]
)
MODES = st.sampled_from(["block", "block", "block", "alert", "allow"])
RULES = (
    (Family.OUTBOUND, "outbound_connectivity", OUTBOUND),
    (Family.TMP, "read_write_tmp", PATTERNS),
    (Family.PROCESS, "create_child_process", PROGRAMS),
    (Family.NATIVE, "native_code", LIBRARIES),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A policy with random rules. Rules that the loader refuses, because an entry can never match,
    are left out."""
    rules: dict[str, Any] = {}
    made = policy("  default: block\n")
    for family, name, entries in RULES:
        mode = draw(MODES)
        rule: dict[str, Any] = {"mode": mode}
        if mode != "allow":
            rule["allow"] = draw(st.lists(entries, max_size=4))
        if mode != "allow" and family is Family.OUTBOUND:
            loopback = draw(
                st.none() | st.lists(st.sampled_from([80, 443, "444-9000"]), max_size=2)
            )
            rule |= {} if loopback is None else {"loopback": loopback}
        try:
            made = resolve(
                parse(
                    "p.yaml", json.dumps({"version": 1, "policy": {**rules, name: rule}}).encode()
                ),
                "p",
            )
        except PolicyError:
            continue
        rules[name] = rule
    return made


def names_of(*asked: Policy) -> list[str]:
    """Names that the entries of these policies match or just miss."""
    keys = {host.key for one in asked for entry in one.allows for host in entry.hosts}
    keys = {key.replace("{env:A}", "set") for key in keys if not key.startswith("{")}
    plain = {
        key.replace("{region}", region) for key in keys for region in ("us-east-1", "eu-west-1")
    }
    around = {f"{label}.{key}" for key in plain for label in ("evil", "b", "other.evil")}
    return sorted(plain | around | {key.partition(".")[2] for key in plain if "." in key})


ADDRESSES = [
    "10.1.2.3",
    "10.200.0.1",
    "11.0.0.1",
    "127.0.0.1",
    "127.0.0.2",
    "::1",
    "fd00::1",
    "fd01::2",
    "2001:db8::1",
]
FACTS = [native.facts_of(region, ["A=set"]) for region in ("us-east-1", "eu-west-1", "cn-north-1")]
SENT = {"tls": {"tls"}, "http": {"http"}, "nothing": {"tls", "http", "anything"}}


def may_be_sent(verdict: native.Verdict, port: int, mode: Mode) -> set[str]:
    """What a connection to a name may begin with, according to the deciding entry: judging.c,
    implemented again."""
    if verdict.mode is not Mode.ALLOW:
        return set()
    if mode is Mode.ALLOW or verdict.entry is None:
        return SENT["nothing"]
    if verdict.entry.tls is None:
        return SENT[{443: "tls", 80: "http"}.get(port, "nothing")]
    return SENT["tls" if verdict.entry.tls == "required" else "nothing"]


OVERLAPPING = st.fixed_dictionaries(
    {"host": st.sampled_from(["b.a", "*.a", "c.b.a", "*.b.a"])},
    optional={
        "ports": st.lists(st.sampled_from([25, 80, 443, "1-9000"]), min_size=1, max_size=2),
        "tls": TLS,
    },
)


@st.composite
def overlapping(draw: st.DrawFn) -> Policy:
    """A policy with several entries for the same names. Which entry decides makes a difference to
    what is read."""
    entries = draw(st.lists(OVERLAPPING, min_size=1, max_size=3))
    rule = {"mode": "block", "allow": entries}
    text = json.dumps({"version": 1, "policy": {"outbound_connectivity": rule}})
    try:
        return resolve(parse("p.yaml", text.encode()), "p")
    except PolicyError:
        return outbound(
            "{host: b.a, ports: [25, 80, 443]}", '{host: "*.a", ports: [1-9000], tls: none}'
        )


@st.composite
def changed(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """Two policies: unrelated ones, or one before and after a small edit."""
    some = draw(st.sampled_from([policies(), overlapping(), overlapping()]))
    old = draw(some)
    if not old.allows or draw(st.integers(0, 3)) == 0:
        return old, draw(some)
    new = replace(old, allows=[*old.allows])
    at = draw(st.integers(0, len(new.allows) - 1))
    edit = draw(st.sampled_from(["out", "order", "tls", "ports", "loopback"]))
    if edit == "out":
        del new.allows[at]
    elif edit == "order":
        new.allows = draw(st.permutations(new.allows))
    elif edit == "loopback":
        new.loopback_listed = not old.loopback_listed
    elif edit == "tls":
        new.allows[at] = replace(new.allows[at], tls=draw(st.none() | TLS))
    elif new.allows[at].ports:
        new.allows[at] = replace(new.allows[at], ports=destinations.ports(draw(PORTS)))
    return old, new


@settings(max_examples=600, deadline=None)
@given(changed(), st.lists(st.text("ab/", max_size=6), max_size=12))
def test_nothing_wider_goes_unsaid(pair: tuple[Policy, Policy], names: list[str]) -> None:
    old, new = pair
    before, after = (native.Compiled(compile_policy(each)) for each in (old, new))
    wider = {change.rule for change in changes(old, new) if change.kind == "widens"}
    for family, rule, question in questions(names_of(old, new), names):
        was, now = before.decide(family, **question), after.decide(family, **question)
        assert now.mode >= was.mode or rule in wider, question
        if "names" in question:
            may, might = (
                may_be_sent(verdict, question["port"], asked.modes[family])
                for verdict, asked in ((now, after), (was, before))
            )
            assert may <= might or rule in wider, question


def questions(hosts: list[str], paths: list[str]) -> Iterator[tuple[Family, str, dict[str, Any]]]:
    rules = {family: name for family, name, _ in RULES}
    for host in hosts:
        for port in (80, 443, 444, 8443):
            for facts in FACTS:
                yield (
                    Family.OUTBOUND,
                    rules[Family.OUTBOUND],
                    {"names": (host,), "port": port, "facts": facts},
                )
    for ip in ADDRESSES:
        for port in (80, 443, 444, 9001):
            yield (
                Family.OUTBOUND,
                rules[Family.OUTBOUND],
                {"ip": ipaddress.ip_address(ip), "port": port},
            )
    for path in {path for path in paths if "//" not in f"/{path}"}:
        yield Family.TMP, rules[Family.TMP], {"path": f"/tmp/{path}".rstrip("/")}
        yield Family.PROCESS, rules[Family.PROCESS], {"path": f"/usr/{path}".rstrip("/")}
    for library in ("a", "b", "a.b", "c", "/var/task/x.so", "/var/task/a/x.so", "/var/task/a/b/x"):
        yield Family.NATIVE, rules[Family.NATIVE], {"path": library}


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(PATTERNS, max_size=3))
def test_a_path_that_is_said_to_be_outside_is(pattern: str, others: list[str]) -> None:
    found = path_outside(pattern, others)
    if found is not None:
        folders = [other.removesuffix("/**") for other in (pattern, *others)]
        assert matches(pattern, found) or found == folders[0]
        assert not any(matches(other, found) for other in others) and found not in folders[1:]


def test_a_path_outside_is_found() -> None:
    assert path_outside("/tmp/**", ["/tmp/a"]) is not None
    assert path_outside("/tmp/a", ["/tmp/**"]) is None


def test_a_policy_against_itself(write: Write) -> None:
    paths = sorted((ROOT / "policies").glob("*.yaml"))
    assert paths
    for path in paths:
        assert CliRunner().invoke(app, ["diff", str(path), str(path)]).exit_code == 0


def test_the_command(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("version: 1\npolicy:\n  outbound_connectivity: block\n")
    new.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      - host:"
        " a.example\n"
    )
    done = CliRunner().invoke(app, ["diff", str(old), str(new)])
    assert (
        done.exit_code == 1 and f"{new}:6" in done.stdout and "1 wider, 0 narrower" in done.stdout
    )
    assert CliRunner().invoke(app, ["diff", str(new), str(old)]).exit_code == 0
    answer = json.loads(CliRunner().invoke(app, ["diff", "--json", str(old), str(new)]).stdout)
    assert answer["changes"][0]["example"] == "connect a.example:443" and not answer["ok"]


def test_sarif(tmp_path: Path) -> None:
    """The properties that the standard requires, and those that code hosts use."""
    found = sarif.document(changes(outbound("{host: b.example}"), outbound("{host: a.example}")))
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert (
        found["version"] == "2.1.0"
        and run["tool"]["driver"]["name"] == "fshield"
        and len(run["results"]) == 2
    )
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] and result["level"] in (
            "warning",
            "note",
        )
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "p.yaml" and place["region"]["startLine"] >= 1
        assert result["message"]["text"] and result["partialFingerprints"]
