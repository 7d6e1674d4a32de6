"""``fshield tail``: a running function's events, as they come."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from enum import Enum
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.errors import CouldNotRun
from fshield.evidence import sources
from fshield.evidence.acts import INTEGRITY
from fshield.evidence.cloudwatch import Connection, LogGroup, Window
from fshield.evidence.cloudwatch import since as moment
from fshield.evidence.events import EventPrinter
from fshield.evidence.stream import EventReader, Record
from fshield.evidence.tail import Wanted, folded, growing
from fshield.language.model import RULES

Rule = Enum("Rule", {name: name for name in (*RULES, INTEGRITY)}, type=str)  # type: ignore[misc]


class Done(str, Enum):
    """The modes of events."""

    BLOCK = "block"
    ALERT = "alert"
    ALLOW = "allow"


def tail(
    events: options.Events = None,
    rule: Annotated[
        list[Rule] | None,
        typer.Option(
            "--rule",
            metavar="RULE",
            help="Only acts of this rule. May be repeated.",
            show_default=False,
        ),
    ] = None,
    mode: Annotated[
        list[Done] | None,
        typer.Option(
            "--mode", help="Only events with this mode. May be repeated.", show_default=False
        ),
    ] = None,
    dependency: Annotated[
        list[str] | None,
        typer.Option(
            "--dependency",
            metavar="PACKAGE",
            help="Only with this package on the stack. May be repeated.",
            show_default=False,
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="With --log-group: wait for more. A pipe is always waited for."
        ),
    ] = False,
    interval: Annotated[
        float,
        typer.Option(
            "--interval", metavar="SECONDS", min=1, max=300, help="With --follow: how often to ask."
        ),
    ] = 5,
    log_group: options.LogGroup = None,
    since: options.Since = "10m",
    function: options.Function = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on stdout.")
    ] = False,
) -> None:
    """Show a function's events as they come: from a log group, a pipe, or files."""
    with output.reporting(as_json):
        if follow and not log_group:
            raise CouldNotRun(
                "--follow waits for a log group",
                "a pipe is followed without it: tail -f FILE | fshield tail",
            )
        wanted = Wanted(
            frozenset(str(each.value) for each in rule or ()),
            frozenset(each.value for each in mode or ()),
            frozenset(dependency or ()),
        )
        reader = EventReader()
        if log_group:
            if events:
                raise CouldNotRun("files and --log-group at once", "name the one or the other")
            records = _group(
                reader,
                log_group,
                since,
                Connection(region, profile, endpoint_url),
                follow,
                interval,
            )
        else:
            if not events and sys.stdin.isatty():
                raise CouldNotRun(
                    "nothing to read", "name logs, - for standard input, or --log-group NAME"
                )
            records = reader.files(events or ["-"])
        try:
            # Show live events as they arrive. Merge repeats in what exists already.
            live = follow or "-" in (events or ["-"] if not log_group else [])
            _show(records, wanted, function, as_json, fold=not live and not as_json)
        except BrokenPipeError:
            # The reader closed the pipe. Python would report that again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        sources.say_doubts(reader.counts)


def _group(
    reader: EventReader,
    name: str,
    since: str,
    connection: Connection,
    follow: bool,
    interval: float,
) -> Iterator[Record]:
    now = datetime.now(timezone.utc)
    begin = moment(since, now)
    group = LogGroup(name, connection)
    messages = growing(group, begin, interval) if follow else group.messages(Window(begin, now))
    return reader.messages(messages, name)


def _show(
    records: Iterator[Record], wanted: Wanted, function: str | None, as_json: bool, fold: bool
) -> None:
    printer = EventPrinter(sys.stdout, as_json=as_json)
    chosen = (
        record.event
        for record in records
        if (not function or record.function in ("", function)) and wanted(record)
    )
    for event in folded(chosen) if fold else chosen:
        printer.print(event)
        # Flush each line, because stdout may be a pipe.
        sys.stdout.flush()
