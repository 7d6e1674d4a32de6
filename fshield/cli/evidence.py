"""``fshield evidence``: events as a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.errors import CouldNotRun
from fshield.evidence import sources
from fshield.evidence.cloudwatch import Connection, Window
from fshield.evidence.cloudwatch import since as moment_of
from fshield.evidence.cloudwatch import size as in_words
from fshield.evidence.tables import athena, loggroups, places
from fshield.evidence.tables.engine import Table
from fshield.evidence.tables.loggroups import LogGroups, Wanted
from fshield.evidence.tables.rows import Stamp
from fshield.evidence.tables.workgroup import Workgroup, last_day
from fshield.language import endpoints

_ATHENA = "athena:"


@dataclass
class _Done:
    """What was read: the source in words, and the keys for the JSON answer."""

    words: str
    fields: dict[str, object]


def evidence(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Logs, folders, patterns, s3://BUCKET/PREFIX, and tables to merge; or"
            " athena:DATABASE.TABLE; or create-table s3://BUCKET/PREFIX, which prints that table's"
            " DDL.",
            show_default=False,
        ),
    ] = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The table, as Parquet.", show_default=False
        ),
    ] = None,
    log_group: Annotated[
        list[str] | None,
        typer.Option(
            "--log-group",
            metavar="NAME",
            help="Let Logs Insights count in a log group. May be repeated.",
            show_default=False,
        ),
    ] = None,
    log_group_prefix: Annotated[
        list[str] | None,
        typer.Option(
            "--log-group-prefix",
            metavar="PREFIX",
            help="In all log groups whose names begin so: /aws/lambda/. May be repeated.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="TIME",
            help="For log groups and Athena: 30m, 4h, 7d, 2w ago, or a time.",
        ),
    ] = "7d",
    at_most: Annotated[
        float,
        typer.Option("--at-most", metavar="USD", help="What Logs Insights or Athena may cost."),
    ] = 5.0,
    workgroup: Annotated[
        str, typer.Option("--workgroup", metavar="NAME", help="Athena's.")
    ] = "primary",
    table: Annotated[
        str, typer.Option("--table", metavar="NAME", help="With create-table: its name.")
    ] = "function_shield",
    add: Annotated[
        bool,
        typer.Option("--add", help="Keep what FILE has, and read only what is not in it yet."),
    ] = False,
    account: Annotated[
        list[str] | None,
        typer.Option(
            "--account",
            metavar="ID",
            help="The account of events that name none; with log groups, a linked account; with"
            " Athena, the account to read. May be repeated.",
            show_default=False,
        ),
    ] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Make a table of what events say: one row for all events that only differ in when they
    happened. `learn`, `report`, `replay` and `ready --evidence` read it."""
    with output.reporting(as_json):
        begin = time.monotonic()
        accounts = tuple(account or ())
        if names and names[0] == "create-table":
            _print_ddl(names[1:], table, accounts, sources.region_of(region), as_json)
            return
        if out is None:
            raise CouldNotRun("no -o", "-o evidence.parquet")
        wanted = Wanted(tuple(log_group or ()), tuple(log_group_prefix or ()), accounts)
        connection = Connection(region, profile, endpoint_url)
        given = [*(names or ()), *wanted.names, *wanted.prefixes]
        if bool(names) == bool(wanted.names or wanted.prefixes):
            raise CouldNotRun(
                "files and log groups at once" if given else "nothing to read",
                "name SOURCE, or --log-group or --log-group-prefix",
            )
        stamp = Stamp((accounts or ("",))[0], sources.region_of(region) or "")
        in_athena = [name for name in names or () if name.startswith(_ATHENA)]
        if in_athena:
            if len(given) > 1:
                raise CouldNotRun("Athena and other sources at once", "merge tables afterwards")
            regions = (stamp.region,) if stamp.region else ()
            source = athena.Source(
                in_athena[0].removeprefix(_ATHENA), accounts=accounts, regions=regions
            )
            group = Workgroup(workgroup, connection, at_most)
            made = _of_athena(source, moment_of(since, _now()), group, out, add)
        elif names:
            if len(accounts) > 1:
                raise CouldNotRun("several --account", "one, for files")
            made = _of_files(names, out, add, stamp, connection)
        else:
            made = _of_groups(wanted, moment_of(since, _now()), at_most, out, add, connection)
        with made as (whole, done):
            counts, rows, events = whole.counts, whole.rows, whole.events
        if as_json:
            output.print_json(
                {
                    "ok": True,
                    "table": str(out),
                    "rows": rows,
                    "events": events,
                    **done.fields,
                    "skipped": counts.as_dict(),
                }
            )
            return
        sources.say_doubts(counts)
        taken = time.monotonic() - begin
        output.console(stderr=True).print(
            f"{out}: {rows:,} rows of {events:,} events, {done.words}, {taken:.1f} s",
            soft_wrap=True,
        )


def _print_ddl(
    names: list[str], table: str, accounts: tuple[str, ...], region: str | None, as_json: bool
) -> None:
    """Print the DDL of an Athena table, and an example query, as text or JSON."""
    if len(names) != 1 or not accounts:
        raise CouldNotRun(
            "create-table needs to know where events lie, and whose",
            "create-table s3://BUCKET/PREFIX --account ID --region REGION",
        )
    regions = [region] if region else list(endpoints.regions())
    since = f"{_now():%Y}/01/01"
    ddl = athena.create_table(names[0], table, since, accounts, regions)
    if as_json:
        query = athena.grouped(athena.Source(table, since))
        output.print_json({"ok": True, "ddl": ddl, "query": query})
    else:
        output.console().print(ddl, end="", soft_wrap=True, markup=False, highlight=False)


@contextmanager
def _of_athena(
    source: athena.Source, begin: datetime, group: Workgroup, out: Path, add: bool
) -> Iterator[tuple[Table, _Done]]:
    """The table of Athena's complete days, written after each day."""
    known = (
        f"{_ATHENA}{group.region}:{source.table}:{','.join((*source.accounts, *source.regions))}"
    )
    with Table() as table:
        if add and out.exists():
            table.read([str(out)])
        since, until = begin.date(), last_day(_now())
        if known in table.logs:
            since = date.fromordinal(table.logs[known][1] + 1)
        first = table.logs.get(known, [since.toordinal()])[0]
        table.finish().write(out)
        with sources.bar(True) as advance:
            for day, rows in group.days(source, since, until, table.reader):
                table.logs[known] = [first, day.toordinal()]
                table.add(rows).finish().write(out)
                advance(((day - since).days + 1) / ((until - since).days + 1))
        yield (
            table,
            _Done(
                f"{in_words(group.scanned)} read by {group.queries:,} queries for"
                f" {loggroups.money(group.usd)}",
                {"bytes": group.scanned, "queries": group.queries, "usd": round(group.usd, 6)},
            ),
        )


def _now() -> datetime:
    return datetime.now(timezone.utc)


@contextmanager
def _of_files(
    names: list[str], out: Path, add: bool, stamp: Stamp, connection: Connection
) -> Iterator[tuple[Table, _Done]]:
    """Make the table from files, and write it."""
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
                yield (
                    table,
                    _Done(
                        f"{in_words(table.size)} in {len(files):,} files",
                        {"bytes": table.size, "files": len(files)},
                    ),
                )


@contextmanager
def _of_groups(
    wanted: Wanted,
    begin: datetime,
    at_most: float,
    out: Path,
    add: bool,
    connection: Connection,
) -> Iterator[tuple[Table, _Done]]:
    """The table of log groups, written after each day, so that `--add` can continue."""
    console = output.console(stderr=True)
    groups = LogGroups(wanted, connection, at_most)
    with Table() as table:
        if add and out.exists():
            table.read([str(out)])
        window = Window(begin, _now() - loggroups.SETTLED)
        windows = loggroups.still_to_read(groups.groups, groups.region, window, table.logs)
        price = groups.price(windows)
        output.print_wrapped(price.sentence, console)
        groups.check(price.usd)
        # Always make a table, even if there is nothing to read.
        table.finish().write(out)
        length = (window.until - window.since).total_seconds() or 1.0
        with sources.bar(True) as advance:
            for until, rows in groups.days(windows, table.reader):
                loggroups.noted(windows, groups.region, until, table.logs)
                table.add(rows).finish().write(out)
                advance((until - window.since).total_seconds() / length)
        cost = groups.scanned / 1e9 * loggroups.USD_A_GB
        yield (
            table,
            _Done(
                f"{in_words(groups.scanned)} read by {groups.queries:,} queries for"
                f" {loggroups.money(cost)}",
                {
                    "bytes": groups.scanned,
                    "log_groups": len(windows),
                    "queries": groups.queries,
                    "usd": round(cost, 6),
                },
            ),
        )
