"""The reader of events tells events from other lines, whatever bytes a log stream holds, and never
raises."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest

from fshield.evidence import events

VIOLATION: dict[str, Any] = {
    "function_shield": True,
    "event": "violation",
    "event_version": 1,
    "timestamp": "2026-11-24T06:52:00.455144Z",
    "level": "ERROR",
    "message": "evilpkg tried to reach evil.example:443: blocked, no rule allows it",
    "policy": "outbound_connectivity",
    "mode": "block",
    "policy_mode": "block",
    "policy_name": "default",
    "rule": None,
    "reason": "no_rule",
    "details": {"host": "evil.example", "ip": "192.0.2.7", "port": 443, "protocol": "tcp"},
    "requestId": "1",
    "ring": "interpreter",
    "pid": 7,
    "count": 1,
    "origin": {
        "distribution": "evilpkg",
        "file": "/var/task/evilpkg/x.py",
        "line": 12,
        "function": "run",
        "stack": [],
    },
}


def line(**changes: object) -> bytes:
    return json.dumps({**VIOLATION, **changes}, separators=(",", ":")).encode() + b"\n"


def shown(event: dict[str, Any], **options: Any) -> str:
    stream = io.StringIO()
    events.EventPrinter(stream, **options).print(event)
    return stream.getvalue()


def test_own_bytes_stay_as_they_are() -> None:
    own = [
        b"hello\n",
        b"\xff\xfe\x00\r",
        b'{"level":"INFO"}\n',
        b'{"function_shield":false}\n',
        b"[1,2]\n",
        b"no end",
    ]
    stream = own[0] + line() + own[1] + own[2] + line() + own[3] + own[4] + own[5]
    kept, found = events.split(stream)
    # A byte string without a line end shares a line with what follows it.
    assert kept == b"".join(own)
    assert [event["policy"] for event in found] == ["outbound_connectivity"] * 2


def test_unfinished_line_of_the_function_before_an_event() -> None:
    kept, found = events.split(b"progress: 50%" + line())
    assert kept == b"progress: 50%"
    assert len(found) == 1


@pytest.mark.parametrize("size", range(30, len(line()) - 2, 37))
def test_cut_line_is_shown_as_cut(size: int) -> None:
    kept, found = events.split(b"a\n" + line()[:size])
    assert kept == b"a\n"
    assert found[0]["event"] == "unreadable"
    assert "cut short" in shown(found[0])


def test_newer_version_is_shown_as_far_as_known() -> None:
    text = shown({**VIOLATION, "event_version": 9, "novelty": {"a": 1}})
    assert "evilpkg tried to reach" in text
    assert "event version 9" in text
    assert json.loads(shown({**VIOLATION, "novelty": {"a": 1}}, as_json=True))["novelty"] == {
        "a": 1
    }


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2Jgone", "a\nb", "a\u202egpj.exe", "\u200bz", "\u2028", "\x9b31m", "\udcff", "\x7f"],
)
def test_hostile_names_cannot_act_on_a_terminal(hostile: str) -> None:
    event = {
        **VIOLATION,
        "message": hostile,
        "rule": hostile,
        "origin": {"file": hostile, "line": 1},
    }
    text = shown(event, colour=False)
    assert text.count("\n") == 1
    assert all(c.isprintable() for c in text[:-1])
    assert shown(event, as_json=True).isascii()


@pytest.mark.parametrize("key", [*VIOLATION, "rings", "seq", "lost"])
@pytest.mark.parametrize(
    "value", [None, 0, -1, 1 << 80, 1.5, float("nan"), True, "x", [], [None], {}, {"file": []}]
)
def test_any_value_anywhere_is_shown(key: str, value: object) -> None:
    for event in events.read([json.dumps({**VIOLATION, key: value}).encode()]):
        assert shown(event)
        assert json.loads(shown(event, as_json=True))


def test_rubbish_never_raises() -> None:
    source = random.Random(7)
    pieces = [
        b'{"function_shield":true',
        b"[" * 9000,
        b"9" * 5000,
        b"\xff",
        b"\n",
        b"}",
        b'"',
        line(),
        b"\0",
        b"{" * 300,
    ]
    for _ in range(500):
        stream = b"".join(source.choice(pieces) for _ in range(source.randrange(12)))
        for event in events.split(stream)[1]:
            shown(event)


def test_one_compact_line() -> None:
    event = {**VIOLATION, "mode": "alert", "rule": "default.yaml:14", "count": 3}
    assert (
        shown(event, colour=False)
        == "06:52:00.455 alert   evilpkg tried to reach evil.example:443: blocked, no rule"
        " allows it "
        "(/var/task/evilpkg/x.py:12, default.yaml:14, dry run of block, ×3)\n"
    )
