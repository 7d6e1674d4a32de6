"""Logs for hypothesis: events as the engine writes them, then damaged as logs can be: repeated, out
of order, cut, forged, wrapped, or mixed with the function's own lines."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

ENTRIES: list[dict[str, Any]] = [
    {},
    {"entry": "host: api.stripe.com"},
    {"entry": "{cidr: 192.0.2.7, ports: [5432]}"},
    {"entry": 'path: /tmp/a"b'},
    {"entry": 7},
    {"entry_source": "default.yaml:9"},
    {"entry_source": "own.yaml:9", "only_for": ["stripe"], "asker": 7},
]
OTHERS: list[dict[str, Any]] = [
    {"entry_source": "own.yaml:9", "only_for": "stripe redis", "asker": "tintkit"},
    {"entry": "host: b", "entry_source": "own.yaml:12", "only_for": "x", "asker": "unknown"},
]
_HOSTS = ["api.stripe.com", "h1.example", "", 'a"b', "xn--bcher-kva.example", "ü.example"]
_PATHS = [
    "/tmp/cache/1.bin",
    "/tmp/run_20261124_060000.log",
    "/tmp/1795500000.txt",
    "/tmp/169c17aa-3a1b-4c4b-b3ca-df90680fced5.json",
    "/tmp/a\\b",
    "/tmp/\t",
    "/bin/sh",
]
#: Details of an act on two paths.
_SECOND_PATHS: list[dict[str, Any]] = [
    {"to": "/tmp/final"},
    {"to": "/tmp/run_20261124_060000.log"},
    {"to": "/tmp/169c17aa-3a1b-4c4b-b3ca-df90680fced5.json"},
    {"to": "/tmp/a\\b"},
    {"to": None},
    {"to": ""},
    {"to": 7},
]
_REQUESTS = [
    None,
    "169c17aa-3a1b-4c4b-b3ca-df90680fced5",
    "00000000-3a1b-4c4b-b3ca-df90680fced5",
    "short",
    'quo"te',
]
TENANTS: list[dict[str, Any]] = [
    {},
    {"tenantId": "blue"},
    {"tenantId": "green team/7"},
    {"tenantId": 'quo"te,"ring":"'},
    {"tenantId": "\u00fc"},
    {"tenantId": None},
    {"tenantId": 7},
]
_TIMES = [
    "2026-11-24T06:00:00.000000Z",
    "2026-11-24T06:00:01.500000Z",
    "2026-11-25T05:59:59.999999Z",
    "2026-13-24T06:00:00.000000Z",
    "2026-11-24T06:00:00Z",
    "1969-12-31T23:59:59.000000Z",
    "2026-02-30T00:00:00.000000Z",
    "yesterday",
]
_NONCES = ["38c2bcc37921c3b6", "0123456789abcdef", "", "x"]
_STACKS: list[list[str]] = [
    [],
    ["/var/task/tintkit/__init__.py:8 quietly", "/var/task/app.py:6 handler"],
    ["/var/task/app.py:6 \u00fcber"],
]
_OWN = [
    "",
    "START RequestId: 1",
    "function_shield is here",
    '{"function_shield": false}',
    "\x01 odd",
]


def _origin() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "distribution": st.sampled_from(["tintkit", "requests", None]),
            "version": st.sampled_from(["1.2.3", None]),
            "file": st.sampled_from(["/var/task/tintkit/__init__.py", None]),
            "line": st.sampled_from([8, 9, None, -1, "8"]),
            "function": st.sampled_from(["quietly", None]),
            "stack": st.sampled_from(_STACKS),
        }
    )


@st.composite
def _event(draw: st.DrawFn) -> dict[str, Any]:
    """One event, with its keys in the engine's order and mostly of the engine's types."""
    kind = draw(st.sampled_from(["violation"] * 6 + ["allowed", "armed", "refused", "other"]))
    number = draw(st.integers(0, 6))
    ending: dict[str, Any] = {
        "pid": draw(st.sampled_from([7, 8])),
        "nonce": draw(st.sampled_from(_NONCES[:2] * 5 + _NONCES)),
        "seq": draw(st.sampled_from([number] * 12 + ["3", -1, True, 10**20, None])),
        **draw(st.sampled_from([{}] * 5 + [{"lost": 2}])),
    }
    begin = {
        "function_shield": True,
        "event": kind,
        "event_version": draw(st.sampled_from([1] * 9 + [2])),
        "timestamp": draw(st.sampled_from(_TIMES[:3] * 4 + _TIMES)),
        "level": "WARN",
        "message": draw(st.sampled_from(["a sentence", 'with "quotes"', "", "\u2026"])),
    }
    if kind not in ("violation", "allowed"):
        facts = {
            "version": "0.1.0",
            "policy_name": "default",
            "policy_sha256": draw(st.sampled_from(["ab", "cd"])),
            "rings": ["libc"],
            "runtime": draw(st.sampled_from(["python3.13", "nodejs22.x"])),
            **draw(st.sampled_from([{}, {}, {"function": "orders"}])),
        }
        return {**begin, **facts, **ending}
    outbound = draw(st.booleans())
    details: dict[str, Any] = (
        {
            "host": draw(st.sampled_from([*_HOSTS, None])),
            "ip": draw(st.sampled_from(["192.0.2.7", None])),
            "port": draw(st.sampled_from([443, None, 0, 70000, "443", 443.0])),
            "protocol": draw(st.sampled_from(["tcp", None])),
        }
        if outbound
        else {
            "path": draw(st.sampled_from([*_PATHS, None])),
            "operation": draw(st.sampled_from(["create", "execute", "rename"])),
            **draw(st.sampled_from([{}, {}, *_SECOND_PATHS])),
        }
    )
    rule = (
        "outbound_connectivity"
        if outbound
        else draw(st.sampled_from(["read_write_tmp", "create_child_process"]))
    )
    return {
        **begin,
        "policy": rule,
        "mode": draw(st.sampled_from(["block", "alert", "allow"])),
        "policy_mode": "block",
        "policy_name": draw(st.sampled_from(["default", "monitor"])),
        "rule": draw(st.sampled_from([None, "default.yaml:14"])),
        **draw(
            st.sampled_from(
                [{"reason": "no_rule", **entry} for entry in ENTRIES]
                + [{"reason": "only_for", **entry} for entry in OTHERS]
            )
        ),
        "details": details,
        "requestId": draw(st.sampled_from(_REQUESTS)),
        **draw(st.sampled_from(TENANTS[:3] * 2 + TENANTS)),
        "ring": "libc",
        "count": draw(st.sampled_from([1, 1, 1, 5, 0, "2"])),
        **draw(st.sampled_from([{}, {}, {"repeats": True}])),
        "origin": draw(st.one_of(_origin(), st.none())),
        **ending,
    }


def _with_twice(line: str, key: str, value: str) -> str:
    """Insert a key that the line already has, before the engine's own."""
    return line.replace('"level":', f'"{key}":{value},"level":', 1)


@st.composite
def line(draw: st.DrawFn) -> bytes:
    """One line of a log."""
    event = draw(_event())
    text = json.dumps(event, ensure_ascii=draw(st.booleans()), separators=(",", ":"))
    what = draw(st.sampled_from(["plain"] * 8 + list(_CHANGES)))
    text = _CHANGES[what](text, draw(st.integers(0, 400))) if what != "plain" else text
    return text.encode("utf-8", "surrogatepass")


def _forged(text: str, number: int) -> str:
    found = [("seq", "1"), ("timestamp", '"2026-11-24T06:00:00.000000Z"'), ("lost", "7")]
    found += [("policy", '"read_handler"'), ("details", '{"path":"/x"}'), ("nonce", '"x"')]
    found += [("requestId", "null"), ("message", '"b"'), ("function", '"f"'), ("count", "3")]
    found += [("tenantId", '"t"')]
    key, value = found[number % len(found)]
    if number % 2:
        return _with_twice(text, key, value)
    return f'{text[:-1]},"{key}":{value}}}'


_CHANGES: dict[str, Any] = {
    "cut": lambda text, number: text[: 30 + number],
    "forged": _forged,
    "spaced": lambda text, _: json.dumps(json.loads(text)),
    "timed": lambda text, _: f"2026-11-24T06:00:00.000Z {text}",
    "return": lambda text, _: f"{text}\r",
    "twice": lambda text, _: text + text,
    "behind": lambda text, _: f"unfinished{text}",
    "before": lambda text, number: f"{text}{' more' if number % 2 else '}'}",
    "tailed": lambda text, _: f'{text}{{"function_shield":true',
    "filtered": lambda text, _: f'            "message": {json.dumps(text)},',
    "subscription": lambda text, number: json.dumps(
        {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": "/aws/lambda/orders" if number % 2 else "/other",
            "logEvents": [{"id": "1", "timestamp": 1, "message": text}] * (1 + number % 3),
        }
    ),
    "lambda": lambda text, _: json.dumps(
        {"timestamp": "2026-11-24T06:00:00Z", "level": "INFO", "message": text}
    ),
    "wrong": lambda text, _: text.replace('"message":"', '"message":"\x02'),
    "extra": lambda text, _: text.replace('"level":', '"policy_name":"evil","level":'),
    "in message": lambda text, _: text.replace(
        '"message":"', '"message":"x","policy_name":"evil","more":"'
    ),
}


def logs() -> st.SearchStrategy[list[bytes]]:
    """The contents of a log's files."""
    own = st.sampled_from([each.encode() for each in _OWN[:-1]])
    odd = st.sampled_from([_OWN[-1].encode(), b"\xff\xfe", b"a\rb", b"nul \x00"])
    some = st.lists(st.one_of(line(), line(), line(), own), max_size=12)
    none: st.SearchStrategy[list[bytes]] = st.just([])
    rare = st.one_of(none, none, none, st.lists(odd, max_size=1))
    one = st.builds(lambda lines, odd: b"\n".join([*lines, *odd]), some, rare)
    again = st.builds(lambda one, twice: [one, one] if twice else [one], one, st.booleans())
    return st.lists(again, min_size=1, max_size=3).map(
        lambda files: [each for pair in files for each in pair]
    )


def _plain(number: int, act: int, nonce: str) -> dict[str, Any]:
    """An event exactly as the engine writes it, of one of a few kinds."""
    begin = {
        "function_shield": True,
        "event": "violation",
        "event_version": 1,
        "timestamp": f"2026-11-24T06:{number // 3:02}:00.{number:06}Z",
        "level": "WARN",
        "message": f"act {act}",
    }
    ending = {"pid": 7, "nonce": nonce, "seq": number}
    if act == 0:
        facts = {"version": "0.1.0", "policy_name": "default", "policy_sha256": "ab"}
        named = {"function": "orders"} if nonce == _NONCES[0] else {}
        ours = {"runtime": "python3.13", "rings": ["libc"]}
        return {**begin, "event": "armed", **facts, **named, **ours, **ending}
    request = _REQUESTS[1 + (number + act) % 2]
    paths = ["/tmp/cache/1.bin", f"/tmp/{request}.json", "/tmp/run_20261124_060000.log"]
    # The second path may contain the time or the request's id, like the first.
    second = {"operation": "rename", "to": paths[number % 3]} if number % 4 == 3 else {}
    details = (
        {"path": paths[act - 1], "operation": "create", **second}
        if act < 4
        else {"host": f"h{act}.example", "ip": None, "port": 443, "protocol": None}
    )
    return {
        **begin,
        "policy": "read_write_tmp" if act < 4 else "outbound_connectivity",
        "mode": "alert",
        "policy_mode": "alert",
        "policy_name": "default",
        "rule": None,
        **({"reason": "only_for", **OTHERS[number % 2]} if act == 5 else {"reason": "no_rule"}),
        "details": details,
        "requestId": request,
        **TENANTS[number % 3],
        "ring": "libc",
        "count": 1 + act % 2,
        "origin": None,
        **ending,
    }


@st.composite
def processes(draw: st.DrawFn) -> list[bytes]:
    """One log: lines of one or two processes, numbered as the engine does. Then some lines are
    repeated, dropped, forged, moved, or report lost events."""
    lines: list[tuple[int, str]] = []
    for nonce in _NONCES[: draw(st.integers(1, 2))]:
        acts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=12))
        begin = [0] if draw(st.booleans()) else []
        events = [_plain(number, act, nonce) for number, act in enumerate(begin + acts)]
        for what in draw(
            st.lists(st.sampled_from(["twice", "missing", "forged", "lost"]), max_size=2)
        ):
            at = draw(st.integers(0, len(events) - 1))
            number = events[at]["seq"]
            if what == "twice":
                events.append(events[at])
            elif what == "missing" and len(events) > 1:
                del events[at]
            elif what == "forged":
                events.append(_plain(number, draw(st.integers(0, 5)), nonce))
            elif what == "lost":
                events[at] = {**events[at], "lost": 1}
        for at, event in enumerate(events):
            text = json.dumps(event, separators=(",", ":"))
            lines.append((draw(st.sampled_from([at, at, at, 0])), text))
    found = [text for _, text in sorted(lines, key=lambda each: each[0])]
    return [draw(st.sampled_from(WRAPPINGS))(found)]


def subscription(lines: list[str], group: str = "/aws/lambda/orders", each: int = 3) -> bytes:
    """Lines in the records of a subscription, `each` lines in a record, joined as Firehose joins
    them."""
    records = [
        json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                "logGroup": group,
                "logEvents": [
                    {"id": "1", "timestamp": 1, "message": f"{line}\n"}
                    for line in lines[at : at + each]
                ],
            }
        )
        for at in range(0, len(lines), each)
    ]
    return "\n".join(records).encode()


def filtered(lines: list[str]) -> bytes:
    """Lines as printed by `aws logs filter-log-events`."""
    return json.dumps({"events": [{"message": line} for line in lines]}, indent=4).encode()


WRAPPINGS: list[Any] = [lambda lines: "\n".join(lines).encode(), subscription, filtered]
