"""The streaming reader finds events in every wrapping that logs come in, between other lines, in
constant memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fshield.errors import CouldNotRun
from fshield.evidence.events import EventPrinter
from fshield.evidence.stream import EventReader, Record, read, seconds

VIOLATION: dict[str, Any] = {
    "function_shield": True,
    "event": "violation",
    "event_version": 1,
    "timestamp": "2026-11-24T06:52:00.455144Z",
    "level": "ERROR",
    "message": 'evilpkg tried to reach evil.example:443: blocked, "no" rule\\ allows it',
    "policy": "outbound_connectivity",
    "mode": "block",
    "policy_mode": "block",
    "policy_name": "default",
    "rule": None,
    "reason": "no_rule",
    "details": {"host": "evil.example", "ip": "192.0.2.7", "port": 443, "protocol": "tcp"},
    "requestId": "1",
    "ring": "interpreter",
    "count": 1,
    "origin": {
        "distribution": "evilpkg",
        "file": "/var/task/evilpkg/x.py",
        "line": 12,
        "function": "run",
        "stack": [],
    },
    "pid": 7,
    "nonce": "38c2bcc37921c3b6",
    "seq": 0,
}


def event(seq: int = 0, **changes: object) -> str:
    return json.dumps(
        {**VIOLATION, "seq": seq, **changes}, separators=(",", ":"), ensure_ascii=False
    )


def found(content: bytes | str, reader: EventReader | None = None) -> list[Record]:
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return list((reader or EventReader()).stream(io.BytesIO(data), "log"))


def cloudwatch(messages: list[str]) -> dict[str, Any]:
    """Lines in the output of ``aws logs filter-log-events``."""
    events = [
        {
            "logStreamName": "2026/11/24/[$LATEST]1",
            "timestamp": 1,
            "message": text + "\n",
            "eventId": str(number),
        }
        for number, text in enumerate(messages)
    ]
    return {"events": events, "searchedLogStreams": []}


def subscription(messages: list[str]) -> dict[str, Any]:
    """Lines in the record of a subscription filter."""
    events = [
        {"id": str(number), "timestamp": 1, "message": text} for number, text in enumerate(messages)
    ]
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "1",
        "logGroup": "/aws/lambda/pay",
        "logEvents": events,
    }


def insights(messages: list[str]) -> dict[str, Any]:
    """Lines in the output of ``aws logs get-query-results``."""
    return {
        "results": [
            [{"field": "@message", "value": text}, {"field": "@ptr", "value": "x"}]
            for text in messages
        ]
    }


def as_csv(messages: list[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(
        [
            ["@timestamp", "@message", "x"],
            *(["2026-11-24 06:52:00.455", text, 'a"b'] for text in messages),
        ]
    )
    return out.getvalue()


WRAPPINGS: dict[str, Callable[[list[str]], str]] = {
    "as written": "\n".join,
    "carriage returns": "\r\n".join,
    "no line ends": "".join,
    "aws logs tail": lambda m: "".join(
        f"2026-11-24T06:52:00.455000+00:00 2026/11/24/[$LATEST]1 {t}\n" for t in m
    ),
    "export to S3": lambda m: "".join(f"2026-11-24T06:52:00.455Z {t}\n" for t in m),
    "text output": lambda m: "".join(
        f"EVENTS\t37\t1795\t2026/11/24/[$LATEST]1\t{t}\t1795\n" for t in m
    ),
    "filter-log-events": lambda m: json.dumps(cloudwatch(m), indent=4),
    "filter-log-events, escaped": lambda m: json.dumps(cloudwatch(m), ensure_ascii=True),
    "jq -c": lambda m: "".join(json.dumps(e) + "\n" for e in cloudwatch(m)["events"]),
    "subscription": lambda m: json.dumps(subscription(m)),
    "Firehose": lambda m: "".join(json.dumps(subscription([t])) for t in m),
    "a record in a queue": lambda m: json.dumps({"body": json.dumps(subscription(m))}),
    "three times wrapped": lambda m: json.dumps(
        {"Sns": json.dumps({"body": json.dumps(subscription(m))})}
    ),
    "get-query-results": lambda m: json.dumps(insights(m), indent=4),
    "CSV of Logs Insights": as_csv,
    "JSON log format": lambda m: "".join(
        json.dumps({"timestamp": "2026-11-24T06:52:00.455Z", "level": "INFO", "message": t}) + "\n"
        for t in m
    ),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping(wrapping: str) -> None:
    hosts = [
        "a.example",
        'q"uote\\',
        "ünï\u202ecode",
        "\x1b[2J",
        "<b>",
        "x: *a",
        "{",
        "",
        'a""b',
        "\\",
        "\\\\n",
    ]
    lines = [
        event(n, details={**VIOLATION["details"], "host": host}) for n, host in enumerate(hosts)
    ]
    reader = EventReader()
    assert [r.event["details"]["host"] for r in found(WRAPPINGS[wrapping](lines), reader)] == hosts
    assert reader.counts.events == len(hosts)
    assert (
        reader.counts.as_dict() | {"bytes": 0, "lines": 0, "events": 0, "others": 0}
        == EventReader().counts.as_dict()
    )
    assert reader.counts.sentences() == []


@pytest.mark.parametrize("wrapping", ["subscription", "Firehose", "a record in a queue"])
def test_the_function_is_in_the_wrapping(wrapping: str) -> None:
    assert {r.function for r in found(WRAPPINGS[wrapping]([event(), event(1)]))} == {"pay"}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_cut_anywhere(wrapping: str) -> None:
    """Wherever the text is cut, whole events are found, cut ones are counted and shown, and nothing
    raises."""
    text = WRAPPINGS[wrapping]([event(0), event(1, message='"\\"'), event(2)])
    whole = 0
    for size in range(0, len(text), 7):
        reader = EventReader()
        records = found(text[:size], reader)
        good = [r for r in records if r.event["event"] == "violation"]
        assert [r.event["seq"] for r in good] == list(range(len(good)))
        assert len(good) >= whole
        whole = len(good)
        assert len(records) - len(good) == reader.counts.cut <= 1
    assert whole >= 2


def test_cut_line_before_a_whole_one() -> None:
    reader = EventReader()
    records = found(event(0)[:200] + event(1) + "\n" + event(2)[:90] + "\n" + event(3), reader)
    assert [r.event["event"] for r in records] == [
        "unreadable",
        "violation",
        "unreadable",
        "violation",
    ]
    assert reader.counts.cut == 2
    assert (
        reader.counts.missing == 1
    )  # number 2; events before number 1 may have been written before the log begins


def test_others_between_ours() -> None:
    reader = EventReader()
    text = (
        f'START RequestId: 1\nprogress: 50%{event(0)}\n{{"level":"INFO"}}\n\nfunction_shield is'
        f" fine\n{event(1)}\n"
    )
    assert [(r.line, r.event["seq"]) for r in found(text, reader)] == [(2, 0), (6, 1)]
    assert (reader.counts.lines, reader.counts.others, reader.counts.bytes) == (6, 4, len(text))


def test_two_functions_mixed() -> None:
    armed = [event(0, event="armed", function=name, nonce=name) for name in ("pay", "mail")]
    mixed = [
        *armed,
        event(1, nonce="pay"),
        event(1, nonce="mail"),
        event(2, nonce="mail"),
        event(2, nonce="pay"),
    ]
    reader = EventReader()
    assert [r.function for r in found("\n".join(mixed), reader)] == [
        "pay",
        "mail",
        "pay",
        "mail",
        "mail",
        "pay",
    ]
    assert reader.counts.sentences() == []


def test_numbers_that_do_not_fit() -> None:
    reader = EventReader()
    lines = [
        event(0),
        event(1),
        event(1),
        event(5, lost=2),
        event(7),
        event(8, nonce=None),
        event(0, nonce="child"),
    ]
    assert [r.doubt for r in found("\n".join(lines), reader)] == [
        None,
        None,
        "repeated",
        None,
        None,
        "unnumbered",
        None,
    ]
    assert (
        reader.counts.repeated,
        reader.counts.unnumbered,
        reader.counts.missing,
        reader.counts.lost,
    ) == (1, 1, 2, 2)


def test_clocks_that_jump() -> None:
    reader = EventReader()
    times = [
        "2026-11-24T06:52:00.5Z",
        "2026-11-24T06:52:00.4Z",
        "2026-11-24T05:00:00Z",
        "1970-01-01T00:00:00Z",
        "soon",
    ]
    records = found("\n".join(event(n, timestamp=time) for n, time in enumerate(times)), reader)
    assert records[0].time == pytest.approx(records[1].time or 0, abs=0.11)
    assert records[3].time == 0
    assert records[4].time is None
    assert (reader.counts.clock_back, reader.counts.untimed) == (2, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T00:00:01.25Z", 1.25),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:01", 1.0),
        ("", None),
        ("99999-01-01T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2200-01-01T00:00:00Z", None),
        ("١٩٧٠-01-01T00:00:00Z", None),
        ("x" * 500, None),
    ],
)
def test_seconds(text: str, value: float | None) -> None:
    assert seconds(text) == (None if value is None else pytest.approx(value))


def test_newer_and_older_events() -> None:
    reader = EventReader()
    old = {
        "function_shield": True,
        "policy": "read_write_tmp",
        "mode": "alert",
        "details": {"path": "/tmp/x"},
    }
    records = found(event(0, event_version=9, novel={"a": [1]}) + "\n" + json.dumps(old), reader)
    assert reader.counts.newer == 1
    assert records[0].event["novel"] == {"a": [1]}
    assert (records[1].event["event"], records[1].event["policy"], records[1].doubt) == (
        "violation",
        "read_write_tmp",
        "unnumbered",
    )


HOSTILE: list[object] = [
    "\x1b]0;x\x07",
    "</script><script>x</script>",
    "a: *b\n- !!python/object:os.system {}",
    "\u202e",
    "\udcff",
    "\0",
    None,
    0,
    -1,
    1 << 80,
    1.5,
    float("nan"),
    float("inf"),
    True,
    [],
    [None],
    {},
    {"file": []},
    "x" * 9000,
]


@pytest.mark.parametrize(
    "key", [*VIOLATION, "rings", "lost", "function", "class_uid", "unmapped", "floor"]
)
def test_any_value_anywhere(key: str) -> None:
    for value in HOSTILE:
        for record in found(
            json.dumps(
                {**VIOLATION, key: value, "class_uid": 2004}
                if key == "unmapped"
                else {**VIOLATION, key: value}
            )
        ):
            out = io.StringIO()
            EventPrinter(out, colour=False).print(record.event)
            assert all(c.isprintable() for c in out.getvalue()[:-1])
            json.dumps(record.event, ensure_ascii=False, allow_nan=False).encode()
            for name in ("host", "ip", "protocol", "path", "arguments", "operation"):
                assert isinstance(record.event["details"].get(name, ""), (str, type(None)))


@pytest.mark.parametrize(
    "name", ["host", "ip", "port", "protocol", "path", "arguments", "operation", "x\udcff"]
)
def test_any_value_in_details(name: str) -> None:
    for value in HOSTILE:
        for record in found(event(details={name: value}).encode("utf-8", "replace")):
            details = record.event["details"]
            assert type(details.get("port")) in (int, type(None))
            json.dumps(details, ensure_ascii=False).encode()


def test_what_looks_like_an_event_and_is_none() -> None:
    reader = EventReader()
    deep = '{"function_shield":true,"a":' + "[" * 9000
    wide = event(0, message="x" * 20000)
    false = '{"function_shield":true,"function_shield":false}'
    wrapped = event()
    for _ in range(5):
        wrapped = json.dumps(wrapped)
    records = found("\n".join([deep, wide, false, wrapped, event(1)]), reader)
    assert [r.event["event"] for r in records] == ["unreadable", "violation"]
    assert (
        reader.counts.cut,
        reader.counts.too_long,
        reader.counts.not_ours,
        reader.counts.events,
    ) == (1, 1, 1, 2)


def test_rubbish_never_raises() -> None:
    source = random.Random(7)
    inner = json.dumps(event())
    pieces = [
        *(
            b'{"function_shield":true',
            b'{\\"function_shield\\":true',
            b'{""function_shield"":true',
            b"[" * 900,
        ),
        *(
            b"9" * 5000,
            b"\xff",
            b"\n",
            b"}",
            b'"',
            b"\0",
            b"{" * 300,
            event().encode(),
            inner.encode(),
            b"\\u12",
        ),
        b"\\" * 31,
    ]
    for _ in range(2000):
        stream = b"".join(source.choice(pieces) for _ in range(source.randrange(12)))
        for record in found(stream):
            EventPrinter(io.StringIO()).print(record.event)


def test_files_packed_and_not(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(event(0) + "\n")
    (tmp_path / "b.gz").write_bytes(
        gzip.compress((event(1) + "\n").encode()) + gzip.compress(event(2).encode())
    )
    (tmp_path / "c.gz").write_bytes(
        gzip.compress((event(3) + "\n" + os.urandom(5000).hex()).encode())[:-900]
    )
    (tmp_path / "empty").touch()
    read_bytes = [0]

    def progress(size: int) -> None:
        read_bytes[0] += size

    records, counts = read(
        [str(tmp_path / name) for name in ("a", "b.gz", "c.gz", "empty")], progress
    )
    assert [r.event["seq"] for r in records] == [0, 1, 2, 3]
    assert counts.unreadable_files == 1
    assert read_bytes[0] == sum(path.stat().st_size for path in tmp_path.iterdir())
    for name in ("absent", "", "a\0b"):
        with pytest.raises(CouldNotRun):
            list(read([str(tmp_path / name)])[0])


def test_messages_of_cloudwatch() -> None:
    reader = EventReader()
    answer: list[dict[str, Any]] = [
        {"message": event(0) + "\n", "timestamp": 1},
        {"message": "REPORT"},
        {},
        {"message": None},
    ]
    records = list(reader.messages(answer, "/aws/lambda/pay"))
    assert [(r.function, r.source, r.line) for r in records] == [("pay", "/aws/lambda/pay", 1)]
    assert reader.counts.others == 3
