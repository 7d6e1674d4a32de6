"""The two queries of CloudWatch Logs Insights, in its own language, and what their answers mean.

They take lines apart as `fshield.evidence.tables.apart` does, by the same marks, and know nothing
of JSON. What is not written as the engine writes it is given back as it is.

Functions and commands: the user guide's pages CWL_QuerySyntax*. Used are only those that have been
in it for years: `filter`, `parse` with named groups, `fields`, `stats`, `sort`, `limit`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fshield.evidence.tables import apart
from fshield.evidence.tables.groups import Group, Loose, Place
from fshield.evidence.tables.rows import REQUEST, TIMELY

#: Rows that a query answers at most.
MAX_ROWS = 10_000
#: Characters of a query.
MAX_QUERY = 10_000
#: Processes that a query of lines can name.
MAX_PROCESSES = 200

_PLAIN = r"[ !#-\[\]-~]*"
_MOMENT = r"20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z"
_BEGIN = '{"function_shield":true,"event":"'
_VERSION = '","event_version":1,"timestamp":"'
#: Fields of ours in a query's text, see `Query`.
_OURS = re.compile(r"%([a-z_]+)")


def _regex(text: str) -> str:
    return text.replace("{", r"\{").replace("}", r"\}").replace("/", r"\/")


def _tail(kind: str) -> str:
    """The end of a line. One that says that others are lost is read as it is."""
    return (
        rf',"pid":[0-9]{{1,15}},"nonce":"(?<%{kind}_nonce>[0-9a-f]{{16}})"'
        rf',"seq":(?<%{kind}_seq>0|[1-9][0-9]{{0,6}})\}}[\r\n]*$'
    )


#: A line about an act: violation, allowed.
_ACT = (
    rf"^{_regex(_BEGIN)}(?<%act>violation|allowed){_regex(_VERSION)}(?<%act_time>{_MOMENT})"
    rf'(?<%act_level>"[^{{}}\\]*?),"message":"{_PLAIN}"(?<%act_policy>,"policy":"[^{{}}\\]*?)'
    rf'(?<%act_entry>,"entry":"{_PLAIN}")?,"details":(?<%act_details>\{{[^{{}}\\]*\}})'
    r',"requestId":(?<%act_request>null|"[A-Za-z0-9-]{1,64}")'
    rf'(?<%act_tenant>,"tenantId":"{_PLAIN}")?'
    rf'(?<%act_origin>,"ring":"[^\\]*?){_tail("act")}'
)
#: A line about the process itself.
_OTHER = (
    rf"^{_regex(_BEGIN)}(?<%other>armed|disabled|override_ignored){_regex(_VERSION)}"
    rf'(?<%other_time>{_MOMENT})(?<%other_rest>"[^\\]*?){_tail("other")}'
)
#: A path that may be made of the time: see `fshield.evidence.tables.rows.moment_key`.
_TIMELY = (
    r'"timestamp":"(?<%timely_time>[^"]*)".*"policy":"read_write_tmp"'
    rf'.*"(?<%timely_at>path|to)":"[^"]*(?<%timely_by>{TIMELY})'
)
_PARSED = rf"""
| parse @message /{_ACT}/
| parse @message /{_OTHER}/
""".strip()


@dataclass(frozen=True)
class Query:
    """A query.

    Args:
        text: what CloudWatch is asked.
        prefix: the first characters of our fields' names. CloudWatch makes fields of what is in a
            line, so a name that can be guessed can be forged.
    """

    text: str
    prefix: str

    def field(self, row: Mapping[str, str], name: str) -> str:
        """One of our fields in a row of the answer; "" where it is not there."""
        return row.get(f"{self.prefix}{name}", "")


def _query(text: str) -> Query:
    prefix = f"f{secrets.token_hex(4)}_"
    return Query(_OURS.sub(rf"{prefix}\1", text.strip()), prefix)


def _window(begin: int, end: int) -> str:
    """Whole milliseconds, the end not included: the times of StartQuery are seconds, and both are
    included."""
    return (
        'filter @message like "function_shield"'
        f" and toMillis(@timestamp) >= {begin} and toMillis(@timestamp) < {end}"
    )


def grouped(begin: int, end: int) -> Query:
    """The query of groups, for lines from `begin` to before `end`, in milliseconds since 1970."""
    return _query(rf"""
{_window(begin, end)}
{_PARSED}
| parse %act_request /^(?<%act_asked>.)/
| parse %act_request /^"(?<%act_id>[^"]*)"/
| fields strcontains(%act_details, %act_id) as %act_mentions
| fields concat(%act_mentions, %act_id) as %act_tagged
| parse %act_tagged /^1(?<%act_named>.{{{REQUEST},}})$/
| parse @message /{_TIMELY}/
| fields coalesce(%act, %other, "") as %kind, coalesce(%act_time, %other_time, "") as %time,
    coalesce(%act_seq, %other_seq) as %seq, coalesce(%act_nonce, %other_nonce, @message) as %who,
    coalesce(%act_level, "") as %level, coalesce(%act_policy, "") as %policy,
    coalesce(%act_details, "") as %details, coalesce(%act_asked, "") as %asked,
    coalesce(%act_origin, "") as %origin, coalesce(%other_rest, "") as %rest,
    coalesce(%timely_time, "") as %timely, coalesce(%act_named, "") as %named
| fields %seq * 1 as %number, toMillis(@timestamp) as %at
| stats count(*) as %events, sortsFirst(%time) as %first, sortsLast(%time) as %last,
    sortsFirst(%act_request) as %request, min(%number) as %low, max(%number) as %high,
    count_distinct(%seq) as %distinct, sum(%number) as %total, sum(%number * %number) as %squares,
    min(%at) as %oldest
    by @log, %kind, %level, %policy, %details, %asked, %origin, %rest, %who, %timely, %named
| limit {MAX_ROWS}
""")


def lines_of(processes: Iterable[str] | None, begin: int, end: int) -> Query:
    """The query of lines that groups are made of, oldest first.

    Args:
        processes: theirs, at most `MAX_PROCESSES`; None: of all.
        begin, end: as in `grouped`.
    """
    wanted = "ispresent(%nonce)"
    if processes is not None:
        names = ", ".join(f'"{nonce}"' for nonce in sorted(processes))
        wanted = f"%nonce in [{names}]"
    return _query(rf"""
{_window(begin, end)}
{_PARSED}
| fields coalesce(%act_nonce, %other_nonce) as %nonce, toMillis(@timestamp) as %at
| filter {wanted}
| fields @log, %at, %nonce, @message
| sort @timestamp asc
| limit {MAX_ROWS}
""")


def place_of(log: str, region: str) -> Place:
    """Where a line lies whose ``@log`` is ``ACCOUNT:GROUP``."""
    account, found, group = log.partition(":")
    return Place(account, region, group) if found and account.isdigit() else Place("", region, log)


def group_or_line(query: Query, row: Mapping[str, str], region: str) -> Group | Loose:
    """What one row of the answer to `grouped` is."""

    def said(name: str) -> str:
        return query.field(row, name)

    place = place_of(row.get("@log", ""), region)
    kind, events = said("kind"), _number(said("events"))
    if not kind:
        return Loose(place, said("who"), _number(said("oldest")), events)
    parts = [f"{_BEGIN}{kind}{_VERSION}", said("rest"), ""]
    if kind in ("violation", "allowed"):
        asked = "n" if said("asked") == "n" else "s"
        parts[1:] = [said("level"), said("policy"), asked, said("origin"), ""]
    return Group(
        place,
        apart.HOLE.join(parts),
        said("details"),
        said("who"),
        said("first"),
        said("last"),
        events,
        _number(said("low")),
        _number(said("high")),
        _number(said("distinct")),
        _number(said("total")),
        _number(said("squares")),
        said("request")[1:-1] if said("asked") == '"' else "",
    )


def process_and_line(query: Query, row: Mapping[str, str], region: str) -> tuple[str, Loose]:
    """What one row of the answer to `lines_of` is."""
    place, at = place_of(row.get("@log", ""), region), _number(query.field(row, "at"))
    return query.field(row, "nonce"), Loose(place, row.get("@message", ""), at)


def _number(text: str) -> int:
    """A number as Insights writes it: as such, or as 1.0E7; -1 where it is not a whole one that is
    surely right."""
    try:
        value = float(text)
    except ValueError:
        return -1
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else -1
