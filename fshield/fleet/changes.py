"""The work of ``fshield attach`` and ``fshield detach``, from the selection of functions to the
totals at the end.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import typer
from rich.text import Text

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet import places as where
from fshield.fleet import plan, published
from fshield.fleet.api import layers
from fshield.fleet.api.client import speaking
from fshield.fleet.api.configuration import Function
from fshield.fleet.change import Changer, Outcome
from fshield.fleet.places import Place, several
from fshield.fleet.request import Asked, RunOptions, Selection
from fshield.fleet.run import Target, change_all, interruptible, side_by_side
from fshield.fleet.select import untried_in_words
from fshield.fleet.show import Show, exit_code, grouped, is_known, summed
from fshield.fleet.sites import Site, check_names, choose, sites_of
from fshield.fleet.totals import totals
from fshield.release import lists

Decision = Callable[[Function], plan.Change]
#: The most functions to change at the same time, in all places.
_MOST_AT_ONCE = 64


class Deciding(Protocol):
    """How a command decides about functions."""

    def prepare(self, as_json: bool) -> None:
        """Ask the user once for what is missing. Raises CouldNotRun."""

    def at(self, site: Site) -> tuple[Decision, list[str]]:
        """The decision for one place, and notes to print before. Raises CouldNotRun."""


@dataclass
class Attaching:
    """Attach's decision, with its layers looked up in each place.

    Args:
        arns, policy_arns, policy: as `layers.wanted` has them.
        engines: lists of engines that may be attached besides fshield's own; None: any engine may.
        trust: which of these lists to trust.
    """

    arns: Sequence[str]
    policy_arns: Sequence[str]
    policy: str | None
    engines: Sequence[Path] | None
    trust: lists.Trust
    _known: Mapping[str, str] | None = None

    def prepare(self, as_json: bool) -> None:
        """Read the lists of engines, and ask for the policy."""
        if not self.arns:
            raise CouldNotRun("which layer?", "--layer-arn ARN, as `fshield publish` prints it")
        if self.engines is not None:
            self._known = published.known_engines(self.engines, self.trust)
        self.policy = self.policy or _asked_policy(as_json)

    def at(self, site: Site) -> tuple[Decision, list[str]]:
        """With the layers of the place."""
        place = site.place
        with speaking():
            wanted, notes = layers.wanted(
                place.account.function_client(),
                place.region,
                place.arns(self.arns),
                place.arns(self.policy_arns),
                self.policy or "",
                site.patience,
                self._known,
            )
        return lambda function: plan.attach(function, wanted), notes


class Detaching:
    """Detach's decision, from each function's configuration."""

    def prepare(self, as_json: bool) -> None:
        """Nothing is to be asked."""

    def at(self, site: Site) -> tuple[Decision, list[str]]:
        """The same in every place."""
        return plan.detach, []


def change(
    command: str, selection: Selection, deciding: Deciding, asked: Asked, options: RunOptions
) -> None:
    """Change the functions, print the outcomes, and exit with the code for all, some or none."""
    as_json = options.as_json
    stop = threading.Event()
    with output.reporting(as_json):
        selection.check(command)
        places = where.places(asked)
        check_names(places, selection.names)
        deciding.prepare(as_json)
        changers: dict[Place, Changer] = {}
        notes: dict[str, None] = {}

        def look(site: Site) -> None:
            decision, remarks = deciding.at(site)
            choose(site, selection, places)
            notes.update(dict.fromkeys(remarks))
            with speaking():
                client = site.place.account.function_client()
            changers[site.place] = Changer(
                client, decision, site.patience, dry_run=options.dry_run, timeout=options.timeout
            )

        with interruptible(stop, _say):
            sites = sites_of(places, stop, look)
        targets = side_by_side(
            [Target(site.place, name) for name in site.found.names] for site in sites
        )
        if selection.everything and not (options.yes or options.dry_run):
            confirm(f"{command} {len(targets)} functions in {where.spoken(places)}?", as_json)
        show = Show(len(targets), command, as_json, several(places))
        for note in notes:
            show.say(note)
        working = max(1, sum(bool(site.found.names) for site in sites))
        with interruptible(stop, show.say), show.showing():
            outcomes = change_all(
                targets,
                lambda target: changers[target.place](target.name),
                stop,
                concurrency=min(_MOST_AT_ONCE, options.concurrency * working),
                max_failures=options.max_failures,
                tell=show.outcome,
            )
    code = exit_code(outcomes, options.known, sum(site.problem is not None for site in sites))
    if as_json:
        output.print_json(_as_dict(code, sites, list(notes), outcomes, options, stop.is_set()))
    else:
        _print(command, sites, outcomes, options, stop.is_set())
    raise typer.Exit(code)


def _as_dict(
    code: int,
    sites: Sequence[Site],
    notes: Sequence[str],
    outcomes: Sequence[Outcome],
    options: RunOptions,
    interrupted: bool,
) -> dict[str, Any]:
    regions = {site.place.region for site in sites}
    return {
        "ok": code == output.FINE,
        "region": regions.pop() if len(regions) == 1 else None,
        "dry_run": options.dry_run,
        "interrupted": interrupted,
        "notes": list(notes),
        "counts": summed(outcomes),
        "throttled": sum(site.patience.throttled for site in sites),
        "untried": _untried(sites),
        "places": [
            {
                **site.place.as_dict(),
                "counts": summed([each for each in outcomes if each.place == site.place]),
                "problem": site.problem_as_dict(),
            }
            for site in sites
        ],
        "functions": [
            {**each.as_dict(), "known": is_known(each, options.known)} for each in outcomes
        ],
    }


def _print(
    command: str,
    sites: Sequence[Site],
    outcomes: Sequence[Outcome],
    options: RunOptions,
    interrupted: bool,
) -> None:
    to = output.console()
    counts = summed(outcomes)
    by_place = [
        (site.place, summed([each for each in outcomes if each.place == site.place]), site.problem)
        for site in sites
    ]
    throttled = sum(site.patience.throttled for site in sites)
    more = [f"throttled {throttled} times"] if throttled else []
    if interrupted:
        more.append("interrupted")
    for line in totals(command, by_place, f" ({', '.join(more)})" if more else ""):
        to.print(line, soft_wrap=True)
    for sentence in (*grouped(outcomes, options.known), untried_in_words(_untried(sites))):
        if sentence:
            to.print(Text(output.printable(sentence)), soft_wrap=True)
    if counts.get("done"):
        sentence = (
            "an alias reaches a published version, which never changes: `fshield status` shows what"
            " callers get"
        )
        to.print(Text(sentence, "dim"), soft_wrap=True)
    if counts.get("not begun"):
        why = next(each.reason for each in outcomes if each.result.value == "not begun")
        to.print(f"{counts['not begun']} not begun ({why}); run the command again", soft_wrap=True)


def _untried(sites: Sequence[Site]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for site in sites:
        counts.update(site.found.untried)
    return dict(sorted(counts.items()))


def _say(sentence: str) -> None:
    output.console(stderr=True).print(Text(sentence, "bold yellow"), soft_wrap=True)


def _asked_policy(as_json: bool) -> str:
    """Ask the user for the policy. There is no default. Raises CouldNotRun."""
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CouldNotRun(
            "which policy?",
            "--policy NAME; start with --policy monitor, which reports and stops nothing",
        )
    answer = typer.prompt("policy (monitor reports and stops nothing)", err=True)
    return str(answer)


def confirm(question: str, as_json: bool) -> None:
    """Raise CouldNotRun unless the user confirms."""
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CouldNotRun(f"--all: {question}", "check with --dry-run, then add --yes")
    if not typer.confirm(question, err=True):
        raise CouldNotRun("nothing was changed")
