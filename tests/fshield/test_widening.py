"""A change of a policy: `diff` reports everything that widens, as the engine decides it, and
nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine import sarif
from fshield.engine.widening import changes
from fshield.language.loader import resolve
from fshield.language.policy import Policy
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
