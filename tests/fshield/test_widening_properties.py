"""Whatever two policies differ in, `diff` reports everything that widens."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.containment import path_outside
from fshield.engine.widening import changes
from fshield.errors import PolicyError
from fshield.evidence.shapes import matches
from fshield.language import destinations
from fshield.language.loader import resolve
from fshield.language.policy import Family, Mode, Policy
from fshield.language.reader import parse
from tests.fshield.test_widening import outbound, policy

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
