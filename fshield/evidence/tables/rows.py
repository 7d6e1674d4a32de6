"""Evidence as a table: one row for all events that a policy, a report and a review cannot tell
apart. docs/evidence.md has the schema for people.

This module is the meaning: `folded` makes the table from records, one by one, and `records` gives
a table to whatever reads events. The SQL of this folder makes the same table;
tests/evidence compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from fshield.evidence.stream import Record

SCHEMA_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ARN = re.compile(
    r"arn:[^:]*:lambda:(?P<region>[a-z0-9-]*):(?P<account>[0-9]*):function:"
    r"(?P<function>[^:]*)(?::(?P<version>[^:]*))?\Z"
)
#: A name below /tmp with this in it may be made of the time: see `fshield.evidence.shapes`.
TIMELY = "20[0-9]{2}[-_.]?[01][0-9]|1[0-9]{9}"
_TIMELY = re.compile(TIMELY)
#: Shorter ids of a request make no names.
REQUEST = 8


class Key(NamedTuple):
    """What tells rows apart. Text that is not known is "", a number that is not known is 0.

    `rule` is the rule that the act met, `decided_by` the line of the policy that decided,
    `would_allow` the line that lets it pass for the callers in `only_for`, `asker` the caller that
    is none of these, `doubt` why an event may not be the engine's
    (see `fshield.evidence.stream.Record`).
    """

    account: str = ""
    region: str = ""
    function: str = ""
    function_version: str = ""
    runtime: str = ""
    policy: str = ""
    policy_sha256: str = ""
    event: str = ""
    rule: str = ""
    verb: str = ""
    host: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""
    path: str = ""
    other_path: str = ""
    mode: str = ""
    policy_mode: str = ""
    reason: str = ""
    decided_by: str = ""
    would_allow: str = ""
    only_for: str = ""
    asker: str = ""
    dependency: str = ""
    dependency_version: str = ""
    file: str = ""
    line: int = 0
    stack: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(slots=True)
class Row:
    """One row: a key, and how often and when.

    Args:
        key: what happened.
        first_seen, last_seen: microseconds since 1970; None where no event says.
        times: acts; an event may stand for many.
        events: lines of the log.
        lost: events that these lines say could not be written.
        request: the id of one request, the first in the order of text.
    """

    key: Key
    first_seen: int | None = None
    last_seen: int | None = None
    times: int = 0
    events: int = 0
    lost: int = 0
    request: str = ""

    def add(self, other: Row) -> None:
        """Take `other`, of the same key, over."""
        self.first_seen = min(
            (at for at in (self.first_seen, other.first_seen) if at is not None), default=None
        )
        self.last_seen = max(
            (at for at in (self.last_seen, other.last_seen) if at is not None), default=None
        )
        self.times += other.times
        self.events += other.events
        self.lost += other.lost
        self.request = min(filter(None, (self.request, other.request)), default="")

    @property
    def cold_starts(self) -> int:
        """Starts of a guarded process."""
        return self.events if self.key.event == "armed" else 0


_STACK = Key._fields.index("stack")

#: Columns of the table, in order, with DuckDB's types.
COLUMNS: dict[str, str] = {
    **{
        name: {"port": "INTEGER", "line": "BIGINT", "stack": "VARCHAR[]"}.get(name, "VARCHAR")
        for name in Key._fields
    },
    "first_seen": "TIMESTAMP",
    "last_seen": "TIMESTAMP",
    "times": "BIGINT",
    "events": "BIGINT",
    "cold_starts": "BIGINT",
    "lost": "BIGINT",
    "request": "VARCHAR",
}


#: Columns that tables of the first days do not have. They count as empty there.
LATER = frozenset({"only_for", "asker", "other_path"})


@dataclass(frozen=True)
class Stamp:
    """What is said of a source where its events do not say it.

    Args:
        account, region: of the functions.
    """

    account: str = ""
    region: str = ""


NO_STAMP = Stamp()


def folded(records: Iterable[Record], stamp: Stamp = NO_STAMP) -> list[Row]:
    """The table of `records`, in the order of its keys: the plain meaning of all that SQL does."""
    return merged(_each(records, stamp))


def _each(records: Iterable[Record], stamp: Stamp) -> Iterator[Row]:
    armed: dict[str, tuple[str, str]] = {}
    for record in records:
        event = record.event
        if record.process and event["event"] == "armed" and record.process not in armed:
            said = (event.get("runtime") or "", event.get("policy_sha256") or "")
            armed[record.process] = said
        runtime, sha256 = armed.get(record.process, ("", ""))
        yield row_of(record, runtime, sha256, stamp)


def merged(rows: Iterable[Row]) -> list[Row]:
    """The table of `rows`, in the order of its keys: those that nothing tells apart become one."""
    whole: dict[tuple[Key, tuple[int | None, str]], Row] = {}
    for row in rows:
        known = whole.setdefault((row.key, moment_key(row)), row)
        if known is not row:
            known.add(row)
    return in_order(whole.values())


def row_of(record: Record, runtime: str = "", sha256: str = "", stamp: Stamp = NO_STAMP) -> Row:
    """The row of one record. `runtime` and `sha256` are what its process's ``armed`` said."""
    event = record.event
    details, origin = event["details"], event.get("origin") or {}
    arn = _ARN.match(event.get("function_arn") or "")
    at = None if record.time is None else round(record.time * 1e6)
    key = Key(
        account=(arn and arn["account"]) or stamp.account,
        region=(arn and arn["region"]) or stamp.region,
        function=record.function,
        function_version=(arn and arn["version"]) or "",
        runtime=event.get("runtime") or runtime,
        policy=event.get("policy_name") or "",
        policy_sha256=event.get("policy_sha256") or sha256,
        event=event["event"],
        rule=event.get("policy") or "",
        verb=details.get("operation") or "",
        host=details.get("host") or "",
        ip=details.get("ip") or "",
        port=details.get("port") or 0,
        protocol=details.get("protocol") or "",
        path=details.get("path") or "",
        other_path=details.get("to") or "",
        mode=event.get("mode") or "",
        policy_mode=event.get("policy_mode") or "",
        reason=event.get("reason") or "",
        decided_by=event.get("rule") or "",
        would_allow=entry if isinstance(entry := event.get("entry_source"), str) else "",
        only_for=event.get("only_for") or "",
        asker=event.get("asker") or "",
        dependency=origin.get("distribution") or "",
        dependency_version=origin.get("version") or "",
        file=origin.get("file") or "",
        line=origin.get("line") or 0,
        stack=tuple(origin.get("stack") or ()),
        doubt=record.doubt or "",
    )
    request = event.get("requestId") or ""
    return Row(key, at, at, event["count"], 1, event.get("lost") or 0, request)


def moment_key(row: Row) -> tuple[int | None, str]:
    """What of a row's moment its path may be made of: rows that differ in it stay apart, so that
    names made of the time or of the request's id are still known as that."""
    key = row.key
    if key.rule != "read_write_tmp":
        return None, ""
    paths = f"{key.path} {key.other_path}"
    timely = row.first_seen if _TIMELY.search(paths) else None
    request = row.request
    return timely, request if len(request) >= REQUEST and request in paths else ""


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that depends on nothing but the rows."""
    return sorted(rows, key=lambda row: (row.key, row.first_seen or 0, row.request))


def values(row: Row) -> tuple[Any, ...]:
    """The row's columns, see `COLUMNS`, as DuckDB takes and gives them."""
    key = row.key
    return (
        *key[:_STACK],
        list(key.stack),
        *key[_STACK + 1 :],
        _moment(row.first_seen),
        _moment(row.last_seen),
        row.times,
        row.events,
        row.cold_starts,
        row.lost,
        row.request,
    )


def row_from(columns: tuple[Any, ...]) -> Row:
    """The row of columns, see `COLUMNS`."""
    wide = len(Key._fields)
    stack = tuple(columns[_STACK])
    key = Key._make((*columns[:_STACK], stack, *columns[_STACK + 1 : wide]))
    first, last, times, events, _, lost, request = columns[wide:]
    return Row(key, _microseconds(first), _microseconds(last), times, events, lost, request)


def _moment(at: int | None) -> datetime | None:
    return None if at is None else (_EPOCH + timedelta(microseconds=at)).replace(tzinfo=None)


def _microseconds(at: datetime | None) -> int | None:
    return (
        None
        if at is None
        else (at.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
    )


def record_of(row: Row, source: str = "") -> Record:
    """The row as a record of many events at once, for what folds records."""
    key = row.key
    event: dict[str, Any] = {
        "function_shield": True,
        "event": key.event,
        "event_version": 1,
        "timestamp": _text(row.first_seen),
        "policy": key.rule,
        "mode": key.mode,
        "policy_mode": key.policy_mode,
        "policy_name": key.policy,
        "policy_sha256": key.policy_sha256,
        "rule": key.decided_by or None,
        "reason": key.reason,
        "requestId": row.request or None,
        "count": row.times,
        "lost": row.lost,
        "details": {
            "host": key.host or None,
            "ip": key.ip or None,
            "port": key.port or None,
            "protocol": key.protocol or None,
            "path": key.path or None,
            "operation": key.verb or None,
        },
        "origin": {
            "distribution": key.dependency,
            "version": key.dependency_version,
            "file": key.file,
            "line": key.line,
            "function": "",
            "stack": list(key.stack),
            "command": "",
        },
    }
    if key.other_path:
        event["details"]["to"] = key.other_path
    if key.event == "armed":
        event["runtime"] = key.runtime
    if key.would_allow:
        event["entry_source"] = key.would_allow
    if key.asker:
        event |= {"only_for": key.only_for, "asker": key.asker}
    if key.region:
        event["function_arn"] = f"arn:aws:lambda:{key.region}:{key.account}:function:{key.function}"
    return Record(
        event,
        source,
        0,
        None if row.first_seen is None else row.first_seen / 1e6,
        key.function,
        key.doubt or None,
        None if row.last_seen is None else row.last_seen / 1e6,
        row.events,
    )


def records(rows: Iterable[Row], source: str = "") -> Iterator[Record]:
    """The rows as records."""
    return (record_of(row, source) for row in rows)


def _text(at: int | None) -> str:
    moment = _moment(at)
    return "" if moment is None else f"{moment.isoformat(timespec='microseconds')}Z"
