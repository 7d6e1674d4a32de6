"""``fshield report``: one page for people."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fshield import output
from fshield.cli import options
from fshield.engine import decide as native
from fshield.engine import explain
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.evidence import sources
from fshield.evidence.acts import span
from fshield.evidence.cloudwatch import Connection
from fshield.evidence.touched import Touched, against, dependencies, uses
from fshield.files import write_whole
from fshield.language.loader import load
from fshield.report.fleet import labels
from fshield.report.news import news
from fshield.report.page import Report, page, uses_are_known
from fshield.report.rows import as_csv
from fshield.report.summary import function_names, summary

#: The number of objects between two garbage collections.
_OBJECTS = 200_000


def report(
    events: options.Events = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The page. Default: stdout.", show_default=False
        ),
    ] = None,
    data: Annotated[
        bool,
        typer.Option(
            "--data", help="With -o: write the same as FILE.csv and FILE.json beside the page."
        ),
    ] = False,
    policy: options.OptionalPolicy = None,
    other: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="POLICY",
            help="Say what this policy would block.",
            show_default=False,
        ),
    ] = None,
    own: options.Own = None,
    log_group: options.LogGroup = None,
    since: options.Since = "7d",
    at_most: options.Spending = 5.0,
    function: options.Function = None,
    region: options.Region = None,
    env: options.Environment = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Make one HTML page of what each dependency touched: hosts, paths, programs, when, blocked or
    not."""
    with output.reporting(as_json):
        if not out and not as_json and sys.stdout.isatty():
            raise CouldNotRun("refusing to write HTML to a terminal", "name a file: -o report.html")
        if data and (not out or out.suffix in (".csv", ".json")):
            raise CouldNotRun("--data writes beside the page", "name the page: -o report.html")
        loaded = load(policy) if policy else None
        compiled = native.Compiled(compile_policy(loaded)) if loaded else None
        counter = explain.subject(other).compiled if other else None
        source = sources.Source(
            events or [],
            log_group,
            since,
            Connection(region, profile, endpoint_url),
            function,
            at_most,
        )
        # Evidence stays in memory. Searching it for garbage again and again finds none.
        gc.set_threshold(_OBJECTS)
        evidence = Touched()
        evidence.packages.own |= set(own or ())
        with source.records() as records:
            evidence.read(records)
        facts = sources.facts_of(source, evidence.region, region, env)
        made = Report(
            evidence,
            dependencies(evidence),
            loaded.name if loaded else "",
            uses(loaded, compiled, evidence, facts) if loaded and compiled else None,
            counter.name if counter else "",
            list(against(counter, evidence, facts)) if counter else None,
            _notes(evidence, source),
            policy_text={name: each.lines for name, each in loaded.documents().items()}
            if loaded
            else {},
        )
        # For a fleet, these files are larger than the page.
        answer = _answer(made, source) if as_json or data else {}
        if as_json:
            output.print_json(answer)
        if out:
            write_whole(out, page(made).encode())
            if data:
                write_whole(out.with_suffix(".csv"), as_csv(evidence).encode())
                write_whole(out.with_suffix(".json"), f"{json.dumps(answer, indent=2)}\n".encode())
            output.console(stderr=True).print(
                f"{out}: {len(made.dependencies)} dependencies", soft_wrap=True
            )
        elif not as_json:
            sys.stdout.write(page(made))


def _answer(made: Report, source: sources.Source) -> dict[str, Any]:
    return {"ok": True, **as_dict(made), "skipped": source.counts.as_dict()}


def _notes(evidence: Touched, source: sources.Source) -> list[str]:
    found = source.counts.sentences()
    if not evidence.events:
        found.append("no event of an act was read")
    if evidence.doubtful:
        found.append(
            f"{evidence.doubtful:,} events that may be forged or read twice count for nothing"
        )
    if evidence.overflow or evidence.unattributed:
        found.append(
            f"{evidence.overflow + evidence.unattributed:,} acts were of kinds beyond what is kept"
        )
    if any(tally.done["allow"] and not chain for (chain, _), tally in evidence.by.items()):
        found.append(
            "the libc ring saw what was allowed, and knows no Python package: a run under monitor"
            " shows who does what"
        )
    if evidence.events and not evidence.packages.own:
        found.append("no event shows which code is the function's own: --own names its module")
    return found


def _summary(made: Report) -> dict[str, Any]:
    found = summary(made.evidence, made.dependencies, made.policy_name)
    return {"happened": found.happened, "where": found.where, "advice": found.advice}


def _fleet(made: Report) -> list[dict[str, Any]]:
    places = made.evidence.places()
    names = labels(places)
    return [
        {
            "function": place.function,
            "account": place.account or None,
            "region": place.region or None,
            "label": names[place],
            "rules": {rule: dict(done) for rule, done in sorted(inside.rules.items())},
        }
        for place, inside in places.items()
    ]


def _new(made: Report) -> dict[str, Any]:
    found = news(made.dependencies, made.evidence.first, made.evidence.last)
    return {
        "since": found.since or None,
        "acts": [
            {
                "name": dependency.name or None,
                "policy": touch.act.rule,
                "what": touch.act.words,
                "done": dict(touch.tally.done),
                "first": touch.tally.first,
            }
            for dependency, touch in found.found
        ],
    }


def as_dict(made: Report) -> dict[str, Any]:
    """For ``--json``: all rows."""
    return {
        "events": made.evidence.events,
        "functions": function_names(made.evidence),
        "when": span(made.evidence.first, made.evidence.last),
        "dependencies": [
            {
                "name": dependency.name or None,
                "label": dependency.label,
                "own": dependency.own,
                "done": dict(dependency.done),
                "touched": [
                    {
                        "policy": touch.act.rule,
                        "what": touch.act.words,
                        "done": dict(touch.tally.done),
                        "first": touch.tally.first or None,
                        "last": touch.tally.last or None,
                        "by": touch.caller.words,
                        "for_others": touch.tally.for_others or None,
                        "where": touch.tally.where or None,
                    }
                    for touch in dependency.touches
                ],
            }
            for dependency in made.dependencies
        ],
        "fleet": _fleet(made),
        "new": _new(made),
        "summary": _summary(made),
        "policy_name": made.policy_name or None,
        "uses_known": uses_are_known(made) if made.uses is not None else None,
        "entries": [
            {
                "entry": use.entry.text,
                "rule": use.entry.source,
                "count": use.count,
                "only_for": [*use.entry.only_for],
                "others": dict(use.others),
            }
            for use in made.uses or ()
        ],
        "against_name": made.against_name or None,
        "against": [
            {
                "policy": outcome.act.rule,
                "what": outcome.act.words,
                "target": outcome.target,
                "count": outcome.seen.passed,
                "rule": outcome.met.source,
                "allowed_for": [*outcome.met.only_for] or None,
                "asker": outcome.met.caller or None,
            }
            for outcome in made.against or ()
        ],
        "notes": made.notes,
    }
