"""The engine decides what the policy says, and names the line that says so."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.language.aws import SUFFIXES, Partition
from fshield.language.loader import resolve
from fshield.language.patterns import coverers
from fshield.language.policy import Family, Mode
from fshield.language.reader import parse

Compile = Callable[[str], native.Compiled]
FACTS = native.Facts()
REGIONS = {
    Partition.AWS: "eu-west-1",
    Partition.AWS_CN: "cn-north-1",
    Partition.AWS_EUSC: "eusc-de-east-1",
}
OUT = "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"


def connect(
    policy: native.Compiled, host: str, port: int = 443, facts: native.Facts = FACTS
) -> native.Verdict:
    return policy.decide(Family.OUTBOUND, names=(host,), port=port, facts=facts)


def dial(policy: native.Compiled, ip: str, port: int = 443, *names: str) -> native.Verdict:
    return policy.decide(Family.OUTBOUND, names=names, ip=ipaddress.ip_address(ip), port=port)


def test_hosts(compiled: Compile) -> None:
    policy = compiled(
        OUT + '      - host: API.Stripe.com.\n      - {host: "*.example.org", ports: [443,'
        " 8000-8010]}\n"
    )
    assert connect(policy, "api.stripe.com").source == "p.yaml:6"
    assert connect(policy, "api.stripe.com", 80).reason == "port"
    assert connect(policy, "x.api.stripe.com").reason == "no_rule"
    assert connect(policy, "a.b.example.org", 8005).source == "p.yaml:7"
    assert connect(policy, "example.org").mode is Mode.BLOCK
    assert connect(policy, "evilexample.org").mode is Mode.BLOCK
    assert dial(policy, "192.0.2.7", 443, "api.stripe.com").mode is Mode.ALLOW
    assert dial(policy, "192.0.2.7").reason == "no_rule"


def test_international_names(compiled: Compile) -> None:
    policy = compiled(OUT + "      - host: bücher.example\n")
    assert connect(policy, "xn--bcher-kva.example").mode is Mode.ALLOW


def test_ranges_narrowest_first(compiled: Compile) -> None:
    policy = compiled(
        OUT + "      - {cidr: 10.0.0.0/8, ports: [5432]}\n      - {cidr: 10.1.0.0/16, ports: [5432,"
        " 80]}\n" + "      - cidr: 2001:db8::/32\n      - cidr: 192.0.2.7\n"
    )
    assert dial(policy, "10.1.2.3", 5432).source == "p.yaml:7"
    assert dial(policy, "10.2.2.3", 5432).source == "p.yaml:6"
    assert dial(policy, "10.2.2.3", 80).reason == "port"
    assert dial(policy, "2001:db8::5").source == "p.yaml:8"
    assert dial(policy, "2001:db9::5").mode is Mode.BLOCK
    assert dial(policy, "192.0.2.7").source == "p.yaml:9"
    assert dial(policy, "192.0.2.8").mode is Mode.BLOCK


def test_aws_is_the_partition_that_the_function_runs_in(compiled: Compile) -> None:
    policy = compiled(OUT + "      - aws: true\n")
    for partition, suffixes in SUFFIXES.items():
        for suffix in suffixes:
            for other, region in REGIONS.items():
                verdict = connect(policy, f"sqs.region.{suffix}", facts=native.Facts(region))
                assert (verdict.mode is Mode.ALLOW) == (other is partition), (suffix, other)
    assert connect(policy, "sqs.us-east-1.amazonaws.com", 80).reason == "port"
    assert connect(policy, "amazonaws.com.evil.example").mode is Mode.BLOCK


def test_loopback_is_always_let_through(compiled: Compile) -> None:
    policy = compiled("version: 1\n")
    assert dial(policy, "127.0.0.1", 1).reason == "always"
    assert dial(policy, "::1", 1).reason == "always"
    assert dial(policy, "127.66.66.66", 1).mode is Mode.BLOCK


def test_paths(compiled: Compile) -> None:
    policy = compiled(
        "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n    allow:\n"
        '      - /tmp/cache/**\n      - /tmp/*.lock\n      - {path: "/tmp/a?c", reason: because}\n'
        "  create_child_process: {mode: alert, allow: [/usr/bin/uname]}\n"
        "  native_code: {mode: block, allow: [numpy, /opt/lib/*.so]}\n"
    )

    def tmp(path: str) -> str | None:
        return policy.decide(Family.TMP, path=path).source

    assert tmp("/tmp/cache") == tmp("/tmp/cache/a/b") == "p.yaml:6"
    assert tmp("/tmp/x.lock") == "p.yaml:7"
    assert tmp("/tmp/x/y.lock") is None
    assert tmp("/tmp/abc") == "p.yaml:8"
    assert tmp("/tmp/cachefoo") is None
    assert policy.decide(Family.PROCESS, path="/usr/bin/uname").mode is Mode.ALLOW
    assert policy.decide(Family.PROCESS, path="/usr/bin/id").mode is Mode.ALERT
    assert policy.decide(Family.NATIVE, path="numpy").mode is Mode.ALLOW
    assert policy.decide(Family.NATIVE, path="/opt/lib/a.so").mode is Mode.ALLOW
    assert policy.decide(Family.NATIVE, path="/opt/lib/b/a.so").mode is Mode.BLOCK


def test_defaults(compiled: Compile) -> None:
    def modes(text: str) -> str:
        return " ".join(mode.name.lower() for mode in compiled(text).modes.values())

    assert modes("version: 1\n") == "block block block block alert alert"
    assert modes("version: 1\ndefault: allow\n") == "allow allow allow allow alert alert"
    assert (
        modes("version: 1\npolicy: {default: alert, read_handler: block}\n")
        == "alert alert alert block alert alert"
    )
    assert modes("version: 1\npolicy: {native_code: allow, runtime_api: {mode: block}}\n").endswith(
        "allow block"
    )
    assert modes("policy: {read_handler: alert}\n") == "allow allow allow alert allow allow"
    sources = compiled("version: 1\ndefault: alert\npolicy: {read_handler: block}\n")
    assert sources.mode_source(Family.TMP) == "p.yaml:2"
    assert sources.mode_source(Family.HANDLER) == "p.yaml:3"
    assert sources.mode_source(Family.NATIVE) is None


def test_options_of_functionshield_keep_their_meaning(compiled: Compile) -> None:
    policy = compiled(
        '{"policy": {\n "outbound_connectivity": "block"},\n "token": "t", "disable_analytics":'
        " true}"
    )
    assert connect(policy, "sqs.eu-west-1.amazonaws.com").source == "p.yaml:2"
    assert connect(policy, "evil.example").mode is Mode.BLOCK
    assert policy.decide(Family.TMP, path="/tmp/x").reason == "mode_allow"


@dataclass(frozen=True)
class Written:
    """One entry, as the property test below writes it."""

    kind: str
    value: str
    ports: tuple[int, ...]
    line: int


_LABELS = st.sampled_from(["a", "b", "api", "x-y", "s_3"])
_HOSTS = st.builds(".".join, st.lists(_LABELS, min_size=1, max_size=3)).map(
    lambda host: host + ".example"
)
_IPV4 = st.integers(0, 2**32 - 1).map(lambda n: ipaddress.IPv4Address(0x0A000000 | n & 0x3FF))
_IPV6 = st.integers(0, 1023).map(lambda n: ipaddress.IPv6Address(0x20010DB8 << 96 | n))
_RANGES = st.tuples(_IPV4 | _IPV6, st.integers(0, 12)).map(
    lambda pair: str(ipaddress.ip_network((pair[0], pair[0].max_prefixlen - pair[1]), strict=False))
)
_SEGMENTS = st.sampled_from(["a", "ab", "*", "**", "a*", "?", "b?c", "*.x", "**b"])
_GLOBS = st.lists(_SEGMENTS, min_size=1, max_size=3).map(lambda parts: "/tmp/" + "/".join(parts))
_PATHS = st.lists(
    st.sampled_from(["a", "ab", "b", "bxc", "q.x", "abc"]), min_size=1, max_size=4
).map(lambda parts: "/tmp/" + "/".join(parts))
_PORTS = st.sampled_from([(443,), (80, 443), (5432,)])
_OUTBOUND = st.tuples(st.just("host"), _HOSTS | _HOSTS.map("*.{}".format), _PORTS) | st.tuples(
    st.just("cidr"), _RANGES, _PORTS
)


def _document(
    outbound: list[tuple[str, str, tuple[int, ...]]], globs: list[str]
) -> tuple[str, list[Written]]:
    lines = ["version: 1", "policy:", "  outbound_connectivity:", "    mode: block"]
    written: list[Written] = []
    for section, entries in (
        ("", outbound),
        ("  read_write_tmp:\n    mode: alert", [("tmp", glob, ()) for glob in globs]),
    ):
        lines += section.splitlines()
        if entries:
            lines.append("    allow:")
        for kind, value, ports in entries:
            written.append(Written(kind, value, ports, len(lines) + 1))
            if kind == "tmp":
                lines.append(f'      - "{value}"')
            else:
                lines += [f'      - {kind}: "{value}"', f"        ports: {list(ports)}"]
    return "\n".join(lines) + "\n", written


def _matches(
    entry: Written,
    host: str,
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None,
    port: int,
    path: str,
) -> bool:
    """The rules of docs/policy-language.md, implemented a second time and simply."""
    if entry.kind == "tmp":
        parts = re.split(r"(\*\*+|\*|\?)", entry.value)
        symbols = {"*": "[^/]*", "?": "[^/]"}
        pattern = "".join(
            ".*" if p.startswith("**") else symbols.get(p, re.escape(p)) for p in parts
        )
        folder = pattern.removesuffix("/.*") if entry.value.endswith("/**") else pattern
        return any(re.fullmatch(each, path) for each in (pattern, folder))
    if port not in entry.ports:
        return False
    if entry.kind == "cidr":
        network = ipaddress.ip_network(entry.value)
        return ip is not None and ip.version == network.version and ip in network
    return host.endswith(entry.value[1:]) if entry.value.startswith("*.") else host == entry.value


@settings(max_examples=400, deadline=None)
@given(
    st.lists(_OUTBOUND, max_size=12, unique_by=lambda entry: entry[:2]),
    st.lists(_GLOBS, max_size=5, unique=True),
    _HOSTS, st.none() | _IPV4 | _IPV6, st.sampled_from([80, 443, 5432]), _PATHS,
)  # fmt: skip
def test_any_valid_document_decides_as_written(
    outbound: list[tuple[str, str, tuple[int, ...]]],
    globs: list[str],
    host: str,
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None,
    port: int,
    path: str,
) -> None:
    # Entries shadowed by others are refused, which other tests cover. Here every entry counts.
    globs = [glob for i, glob in enumerate(globs) if not {*globs[:i]} & {*coverers(glob)}]
    text, written = _document(outbound, globs)
    content = compile_policy(resolve(parse("any/x.yaml", text.encode()), "x"))
    assert content == compile_policy(resolve(parse("any/x.yaml", text.encode()), "x"))
    policy = native.Compiled(content)
    for kinds, verdict, mode in (
        (
            ("host", "cidr"),
            policy.decide(Family.OUTBOUND, names=(host,), ip=ip, port=port),
            Mode.BLOCK,
        ),
        (("tmp",), policy.decide(Family.TMP, path=path), Mode.ALERT),
    ):
        lines = {
            f"x.yaml:{entry.line}"
            for entry in written
            if entry.kind in kinds and _matches(entry, host, ip, port, path)
        }
        if lines:
            assert (verdict.mode, verdict.reason) == (Mode.ALLOW, "rule"), text
            assert verdict.source in lines
        else:
            assert verdict.mode is mode, text
            assert verdict.source is None


@pytest.mark.parametrize("count", [1, 2, 3, 1000])
def test_tables_of_any_size(compiled: Compile, count: int) -> None:
    policy = compiled(OUT + "".join(f"      - host: h{i}.example\n" for i in range(count)))
    for i in range(count):
        assert connect(policy, f"h{i}.example").source == f"p.yaml:{6 + i}"
    assert connect(policy, f"h{count}.example").mode is Mode.BLOCK
