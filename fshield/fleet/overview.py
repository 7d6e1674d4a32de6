"""The work of ``fshield status``: prints the status of the functions in its places, and totals."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.text import Text

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet import places as where
from fshield.fleet import table
from fshield.fleet.api.configuration import MODE
from fshield.fleet.api.reading import Problem, Read, Wanted, read
from fshield.fleet.places import Place, several
from fshield.fleet.request import Asked, Selection
from fshield.fleet.run import interruptible
from fshield.fleet.show import Show
from fshield.fleet.sites import Site, check_names, sites_of
from fshield.fleet.status import Standing, State
from fshield.fleet.totals import totals

_STYLES = {
    State.GUARDED: "bold green",
    State.DRY_RUN: "bold yellow",
    State.NONE: "dim",
    State.CANNOT: "dim",
}


def status(
    selection: Selection,
    asked: Asked,
    wanted: Wanted,
    *,
    as_json: bool,
    states: Sequence[str] = (),
    as_csv: bool = False,
) -> None:
    """Print the status of functions, and exit with the code that says whether all are guarded."""
    with output.reporting(as_json):
        listed = _states(states)
        if as_csv and as_json:
            raise CouldNotRun("--csv and --json", "one of them")
        places = where.places(asked)
        check_names(places, selection.names)
        stop = threading.Event()
        show = Show(0, "status", as_json)
        found: dict[Place, Read] = {}

        def look(site: Site) -> None:
            found[site.place] = read(site, selection, wanted, places, show.grow, show.step)

        with interruptible(stop, show.say), show.showing():
            sites = sites_of(places, stop, look)
    reads = [(site, found.get(site.place, Read())) for site in sites]
    standings = [each for _, one in reads for each in one.standings]
    problems = [problem for _, one in reads for problem in one.problems]
    good = not problems and not any(site.problem for site in sites)
    fine = good and all(each.fine for each in standings) and not stop.is_set()
    if as_csv:
        _print_csv(reads, listed)
    elif as_json:
        output.print_json(
            {"ok": fine, "interrupted": stop.is_set(), **_as_dict(reads, standings, listed)}
        )
    else:
        _print(reads, standings, listed)
    if not standings and not good:
        raise typer.Exit(output.COULD_NOT_RUN)
    raise typer.Exit(output.FINE if fine else output.FINDINGS)


def _as_dict(
    reads: Sequence[tuple[Site, Read]], standings: Sequence[Standing], listed: frozenset[State]
) -> dict[str, object]:
    regions = {site.place.region for site, _ in reads}
    return {
        "region": regions.pop() if len(regions) == 1 else None,
        "counts": _counts(standings),
        "places": [
            {
                **site.place.as_dict(),
                "counts": _counts(one.standings),
                "problem": site.problem_as_dict(),
            }
            for site, one in reads
        ],
        "functions": [
            {**each.as_dict(), **site.place.as_dict(), "account": each.function.account}
            for site, one in reads
            for each in one.standings
            if each.state in listed
        ],
        "problems": [
            {
                "function": name,
                **site.place.as_dict(),
                "message": error.message,
                "fix": error.fix,
            }
            for site, one in reads
            for name, error in one.problems
        ],
    }


def _print_csv(reads: Sequence[tuple[Site, Read]], listed: frozenset[State]) -> None:
    table.write(
        (
            (site.place, each)
            for site, one in reads
            for each in one.standings
            if each.state in listed
        ),
        sys.stdout,
    )
    to = output.console(stderr=True)
    for site, one in reads:
        for name, error in (*one.problems, *([("", site.problem)] if site.problem else [])):
            line = f"failed  {site.place.label}  {name}  {error.message}"
            to.print(Text(output.printable(line)), soft_wrap=True)


def _counts(standings: Sequence[Standing]) -> dict[str, int]:
    counts = {state.value: sum(each.state is state for each in standings) for state in State}
    return {word: number for word, number in counts.items() if number}


def _states(words: Sequence[str]) -> frozenset[State]:
    """The states to list; all by default. Raises CouldNotRun."""
    known = {state.value.lower(): state for state in State}
    for word in words:
        if word.lower() not in known:
            raise CouldNotRun(f"--state {word} is not a state", f"one of {', '.join(known)}")
    return frozenset(known[word.lower()] for word in words) or frozenset(State)


def _print(
    reads: Sequence[tuple[Site, Read]], standings: Sequence[Standing], listed: frozenset[State]
) -> None:
    to = output.console()
    many = several([site.place for site, _ in reads])
    for site, one in reads:
        shown = [each for each in one.standings if each.state in listed]
        if many and (shown or one.problems):
            to.print(Text(site.place.label, "bold underline"))
        if shown:
            _print_table(to, shown)
        _print_problems(to, one.problems)
        if many and (shown or one.problems):
            to.print()
    for line in totals(
        "status", [(site.place, _counts(one.standings), site.problem) for site, one in reads]
    ):
        to.print(line, soft_wrap=True)
    old = Counter(each.function.runtime for each in standings if each.remarks)
    if old:
        each = ", ".join(f"{runtime} {count}" for runtime, count in old.most_common())
        to.print(f"on deprecated runtimes: {each}", soft_wrap=True)


def _print_problems(to: Console, problems: Sequence[Problem]) -> None:
    for name, error in problems:
        to.print(
            Text.assemble(
                ("failed  ", "bold red"), (name, "bold"), f"  {error.message}; {error.fix or ''}"
            )
        )


def _print_table(to: Console, standings: Sequence[Standing]) -> None:
    """Print columns as wide as necessary, with notes below their row."""
    rows = [
        (
            output.printable(each.function.name),
            each.state.value,
            _engine(each),
            each.policy or ("by its name" if each.function.guarded else ""),
        )
        for each in standings
    ]
    heads = ("function", "state", "engine", "policy")
    widths = [max(len(heads[place]), *(len(row[place]) for row in rows)) for place in range(3)]
    widths[0] = min(widths[0], max(20, to.width - widths[1] - widths[2] - 18))
    to.print(
        Text(
            "  ".join(head.ljust(width) for head, width in zip(heads, [*widths, 0], strict=True)),
            "bold",
        )
    )
    for each, row in zip(standings, rows, strict=True):
        style = _STYLES.get(each.state, "bold red")
        line = Text.assemble(
            row[0].ljust(widths[0]),
            "  ",
            (row[1].ljust(widths[1]), style),
            "  ",
            row[2].ljust(widths[2]),
            "  ",
            row[3],
        )
        to.print(line, soft_wrap=True)
        for note in each.notes():
            to.print(Text(f"    {output.printable(note)}", "yellow"))


def _engine(each: Standing) -> str:
    mode = each.function.variables.get(MODE)
    label = (each.engine or "").removeprefix("function-shield-")
    return f"{label} {mode}" if mode and each.state not in {State.OFF, State.DRY_RUN} else label
