"""``fshield evidence``: events as a table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.errors import CouldNotRun
from fshield.evidence import sources
from fshield.evidence.cloudwatch import Connection
from fshield.evidence.cloudwatch import size as in_words
from fshield.evidence.tables import places
from fshield.evidence.tables.engine import Table
from fshield.evidence.tables.rows import Stamp


def evidence(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Logs, folders, patterns, s3://BUCKET/PREFIX, and tables to merge.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The table, as Parquet."),
    ],
    add: Annotated[
        bool,
        typer.Option(
            "--add", help="Keep what FILE has, and read only logs that are not in it yet."
        ),
    ] = False,
    account: Annotated[
        str,
        typer.Option(
            "--account", metavar="ID", help="Of events that name none.", show_default=False
        ),
    ] = "",
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Make a table of what events say: one row for all events that only differ in when they
    happened. `learn`, `report`, `replay` and `ready --evidence` read it."""
    with output.reporting(as_json):
        begin = time.monotonic()
        stamp = Stamp(account, sources.region_of(region) or "")
        connection = Connection(region, profile, endpoint_url)
        if "-" in names:
            raise CouldNotRun("a table is made of files", "write what comes to a file first")
        with places.at_hand(names, connection) as found:
            files = [str(out), *found] if add and out.exists() else list(found)
            whole = sum(Path(name).stat().st_size for name in files if Path(name).exists()) or 1
            with sources.bar(True) as advance:
                done = 0

                def read(size: int) -> None:
                    nonlocal done
                    done += size
                    advance(done / whole)

                with Table(stamp, read) as table:
                    table.read(files, found).finish().write(out)
                    counts, rows, events = table.counts, table.rows, table.events
                    size = table.size
        if as_json:
            output.print_json(
                {
                    "ok": True,
                    "table": str(out),
                    "rows": rows,
                    "events": events,
                    "bytes": size,
                    "files": len(files),
                    "skipped": counts.as_dict(),
                }
            )
            return
        sources.say_doubts(counts)
        taken = time.monotonic() - begin
        output.console(stderr=True).print(
            f"{out}: {rows:,} rows of {events:,} events, {in_words(size)} in {len(files):,} files,"
            f" {taken:.1f} s",
            soft_wrap=True,
        )
