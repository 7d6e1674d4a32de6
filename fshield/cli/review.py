"""``fshield replay``, ``diff`` and ``fix``: review changes of policies."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from fshield import output
from fshield.cli import options
from fshield.cli import updates as updating
from fshield.engine import decide as native
from fshield.engine import explain, sarif
from fshield.engine.folder_diff import folder_changes
from fshield.engine.widening import Change, changes
from fshield.errors import CouldNotRun
from fshield.evidence import own_text, sources
from fshield.evidence.acts import Act, Evidence, kinds
from fshield.evidence.cloudwatch import Connection
from fshield.evidence.events import harmless
from fshield.evidence.fix import Fix
from fshield.evidence.fix import fix as fix_policy
from fshield.evidence.lookups import Lookups
from fshield.evidence.replay import Outcome, unknown_region
from fshield.evidence.replay import replay as replay_events
from fshield.evidence.tiers import Tiers
from fshield.files import write_whole
from fshield.language import edit
from fshield.language.loader import load

_SHOWN = 60


def replay(
    policy: options.Policy,
    events: options.Events = None,
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
    """Judge recorded events under another policy, by the engine's own decision."""
    with output.reporting(as_json):
        compiled = explain.subject(policy).compiled
        source = sources.Source(
            events or [],
            log_group,
            since,
            Connection(region, profile, endpoint_url),
            function,
            at_most,
        )
        with source.records() as records:
            evidence = Evidence().read(records)
        if not evidence.acts:
            raise CouldNotRun(
                "there is nothing to replay: no event of an act was read", "name a log with events"
            )
        facts = sources.facts_of(source, evidence.region, region, env)
        outcomes = list(replay_events(compiled, evidence, facts))
        broken = [outcome for outcome in outcomes if outcome.would_break]
        if as_json:
            output.print_json(
                {
                    "ok": not broken,
                    "policy_name": compiled.name,
                    "acts": len(outcomes),
                    "blocked": [_as_dict(outcome) for outcome in broken],
                    "let_through": [
                        _as_dict(outcome) for outcome in outcomes if outcome.would_pass
                    ],
                    "overflow": evidence.overflow,
                    "skipped": source.counts.as_dict(),
                }
            )
        else:
            sources.say_doubts(source.counts)
            _print(compiled.name, evidence, outcomes)
            remark = unknown_region(region or evidence.region or source.region, outcomes)
            if remark:
                output.print_wrapped(f"note: {harmless(remark)}", output.console(stderr=True))
    if broken or evidence.overflow:
        raise typer.Exit(output.FINDINGS)


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    return {
        "policy": outcome.act.rule,
        "what": outcome.act.words,
        "target": outcome.target,
        "count": outcome.seen.count,
        "passed": outcome.seen.passed,
        "mode": outcome.met.mode.name.lower(),
        "rule": outcome.met.source,
        "reason": outcome.met.reason,
        "allowed_for": [*outcome.met.only_for] or None,
        "asker": outcome.met.caller or None,
        "where": outcome.seen.where or None,
    }


def _print(name: str, evidence: Evidence, outcomes: list[Outcome]) -> None:
    to = output.console()
    for title, style, chosen in (
        ("went through, and would be blocked", "bold red", [o for o in outcomes if o.would_break]),
        (
            "were blocked, and would go through",
            "bold yellow",
            [o for o in outcomes if o.would_pass],
        ),
    ):
        if not chosen:
            continue
        table = Table(
            title=title, title_justify="left", title_style=style, box=None, pad_edge=False
        )
        for column in ("times", "what", "by", "says so"):
            table.add_column(
                column, overflow="fold", justify="right" if column == "times" else "left"
            )
        for outcome in chosen[:_SHOWN]:
            chain = next(iter(outcome.seen.chains), ())
            words = evidence.packages.of(chain).words
            what = (
                outcome.act.words.replace(outcome.act.target, outcome.target)
                if outcome.target
                else outcome.act.words
            )
            cells = (f"×{outcome.seen.count:,}", what, words, outcome.met.words)
            table.add_row(*(Text(harmless(cell)) for cell in cells))
        to.print(table)
        if len(chosen) > _SHOWN:
            to.print(f"and {len(chosen) - _SHOWN} more: --json has all")
    broken = sum(outcome.would_break for outcome in outcomes)
    if evidence.overflow:
        to.print(
            f"warning: {evidence.overflow:,} acts were of kinds beyond what is kept, and were not"
            " asked about"
        )
    passed = sum(outcome.seen.passed > 0 for outcome in outcomes)
    sentence = f"{broken or 'none'} of {kinds(passed)} that passed would be blocked"
    if not passed:
        sentence = "no act of the log passed, so none would be newly blocked"
    to.print(f"{sentence} under {harmless(name)}", soft_wrap=True)


def diff(
    old: Annotated[
        Path,
        typer.Argument(
            metavar="OLD", help="The old policy, in YAML, or a folder; or the old lock file."
        ),
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="The new policy, folder or lock file.")
    ],
    as_sarif: Annotated[
        bool, typer.Option("--sarif", help="SARIF 2.1.0 on stdout, for code hosts.")
    ] = False,
    dependencies: Annotated[
        bool,
        typer.Option(
            "--dependencies",
            help="Compare lock files: which packages are new or newer, what they may do, and did.",
        ),
    ] = False,
    policy: options.OptionalPolicy = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            "--log",
            metavar="EVENTS",
            help="With --dependencies: a log of the tests with NEW. May be repeated.",
            show_default=False,
        ),
    ] = None,
    old_log: Annotated[
        list[str] | None,
        typer.Option(
            "--old-log",
            metavar="EVENTS",
            help="With --log: one of the tests with OLD, to tell what is new. May be repeated.",
            show_default=False,
        ),
    ] = None,
    own: options.Own = None,
    region: options.Region = None,
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """Show what a policy change newly allows, and what it no longer allows.

    With --dependencies, show it for a change of a lock file.
    """
    with output.reporting(as_json):
        if dependencies:
            if as_sarif:
                raise CouldNotRun("--sarif is for policies", "leave it out, or --dependencies")
            made = updating.compare(
                old, new, policy, log or [], old_log or [], own or [], region, env
            )
            if as_json:
                output.print_json(made.as_dict())
            else:
                updating.print_updates(made, policy, bool(log))
            if made.widens:
                raise typer.Exit(output.FINDINGS)
            return
        if policy or log or old_log or own or region or env:
            raise CouldNotRun(
                "--policy, --log, --old-log, --own, --region and --env are for lock files",
                "add --dependencies",
            )
        _refuse_other_kinds(old, new)
        found = folder_changes(old, new) if old.is_dir() else changes(load(old), load(new))
        wider = [change for change in found if change.kind == "widens"]
        if as_sarif:
            output.print_json(sarif.document(found))
        elif as_json:
            output.print_json({"ok": not wider, "changes": [change.as_dict() for change in found]})
        else:
            _print_changes(found)
    if wider:
        raise typer.Exit(output.FINDINGS)


def _refuse_other_kinds(old: Path, new: Path) -> None:
    """Raise CouldNotRun unless these are two policies or two folders of policies."""
    for each in (old, new):
        if each.suffix in (".lock", ".txt") or each.name == "package-lock.json":
            raise CouldNotRun(f"{each} is a lock file", "add --dependencies")
    if old.is_dir() != new.is_dir():
        what = " and ".join("a folder" if each.is_dir() else "a file" for each in (old, new))
        raise CouldNotRun(
            f"{old} and {new} are {what}", "name two policies, or two folders of them"
        )


def _print_changes(found: list[Change]) -> None:
    to = output.console()
    for kind, title, sign, style in (
        ("widens", "becomes wider", "+", "bold red"),
        ("narrows", "becomes narrower", "-", "bold green"),
    ):
        chosen = [change for change in found if change.kind == kind]
        if not chosen:
            continue
        to.print(Text(title, style))
        for change in chosen:
            place = f"{change.file}:{change.line}"
            whose = f"{', '.join(map(harmless, change.policies))}: " if change.policies else ""
            words = f"{change.rule}: {harmless(change.words)}"
            to.print(Text.assemble((f"  {sign} ", style), (whose, "bold"), words), soft_wrap=True)
            example = f"  fshield explain … {harmless(change.example)}" if change.example else ""
            to.print(Text(f"      {output.printable(place)}{example}", "dim"), soft_wrap=True)
    wider = sum(change.kind == "widens" for change in found)
    narrower = len(found) - wider
    if not found:
        to.print("both allow the same")
    else:
        to.print(f"{wider} wider, {narrower} narrower")


def fix(
    policy: options.Policy,
    events: options.Events = None,
    region: options.Region = None,
    accept: options.Accept = None,
    trust: options.Trust = None,
    own: options.Own = None,
    code: options.Code = None,
    env: options.Environment = None,
    port: Annotated[
        list[int] | None,
        typer.Option(
            "--port",
            metavar="PORT",
            min=1,
            max=65535,
            help="The port of a host that was only looked up, as in Node.js. Default: its client's,"
            " or 443. May be repeated.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", "-w", help="Change the file as well.")] = False,
    as_json: options.Json = False,
) -> None:
    """Make the smallest edit that lets an event's act pass: a diff on stdout, and what else it
    would admit.

    An act that only a dependency asked for, and one that a test of the policy expects to be
    blocked, needs --accept.
    """
    with output.reporting(as_json):
        source = sources.Source(events or [])
        evidence = Evidence()
        evidence.packages.own |= set(own or ())
        own_text.tell_folder(evidence.packages, code)
        with source.records() as records:
            evidence.read(records)
        if not evidence.acts:
            raise CouldNotRun(
                "there is no event of an act to fix",
                "give it the line from the log: fshield fix -p POLICY -",
            )
        variables = dict(native.facts_of("", env or []).variables)
        named = own_text.count_as_own(evidence.packages, code, variables)
        tiers = Tiers(evidence, frozenset(accept or ()), frozenset(trust or ()), named)
        if port and not Lookups(evidence).alone:
            raise CouldNotRun("--port: every event says its port itself", "leave it out")
        ports = tuple(dict.fromkeys(port or ()))
        found = fix_policy(policy, evidence, sources.region_of(region), tiers, ports)
        if unused := tiers.unused():
            raise CouldNotRun(
                f"--accept {unused[0]}: nothing is held back by that name",
                "name it as `held` shows it",
            )
        if write and (found.lines or found.quiet):
            write_whole(policy, edit.as_written(found.changed, edit.raw(policy)))
        if as_json:
            output.print_json(_fix_as_dict(found))
        else:
            _print_fix(found, without_code=not code)
    if found.hopeless or found.held or found.failing:
        raise typer.Exit(output.FINDINGS)


def _fix_as_dict(found: Fix) -> dict[str, Any]:
    return {
        "ok": not (found.hopeless or found.held or found.failing),
        "diff": "".join(f"{line}\n" for line in found.diff),
        "entries": [
            {"policy": line.rule, "entry": line.text, "only_for": [*line.only_for]}
            for line in found.lines
        ],
        "quiet": found.quiet,
        "admits": found.admits,
        "careful": found.careful,
        "proposal": found.proposal or None,
        "allowed_already": [act.words for act in found.passing],
        "held": [
            {
                "what": held.act.words,
                "why": held.why,
                "accept": held.accept,
                "own": held.own or None,
                "hint": held.hint or None,
            }
            for held in found.held
        ],
        "failing_tests": [result.as_dict() for result in found.failing],
        "impossible": [{"what": act.words, "why": why} for act, why in found.hopeless],
    }


def _print_fix(found: Fix, *, without_code: bool) -> None:
    print_diff(found.diff)
    to = output.console(stderr=True)
    for label, style, sentences in (
        (
            "quiet",
            "green",
            [f"reads by {name} stay blocked, and make no event" for name in found.quiet],
        ),
        ("admits", "yellow", found.admits),
        ("careful", "bold red", found.careful),
        ("proposal", "yellow", [found.proposal] if found.proposal else []),
        (
            "allowed",
            "green",
            [f"{act.words}: {_passes(found, act)}" for act in found.passing],
        ),
        (
            "held",
            "bold red",
            [
                f"{held.act.words}: {held.why}; --accept {shlex.quote(held.accept or '')}"
                + (f", or --own {held.own} if that is the function's own code" if held.own else "")
                for held in found.held
            ],
        ),
        (
            "fails",
            "bold red",
            [
                f"{one.test.source}: {one.name} is {one.answer.mode.name.lower()}"
                for one in found.failing
            ],
        ),
        (
            "or",
            "yellow",
            sorted({held.hint for held in found.held} - {""})
            + (
                ["--code FOLDER, the function's package: what its own code names needs no --accept"]
                if found.held and without_code
                else []
            ),
        ),
        ("cannot", "bold red", [f"{act.words}: {why}" for act, why in found.hopeless]),
    ):
        for sentence in sentences:
            to.print(
                Text.assemble((f"{label + ':':8} ", style), harmless(sentence)), soft_wrap=True
            )


def _passes(found: Fix, act: Act) -> str:
    """A note that the policy already allows an act, and to which callers."""
    sentence = "this policy lets it pass already"
    if act not in found.passing_for:
        return sentence
    names = ", ".join(found.passing_for[act])
    return (
        f"{sentence} for {names}; if it was blocked under this very policy, a package between is"
        " not required by these: name it too"
    )


def print_diff(lines: list[str]) -> None:
    """A unified diff on stdout, coloured on a terminal, exact elsewhere."""
    to = output.console()
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        style = "bold" if line.startswith(("+++", "---")) else styles.get(line[:1], "")
        to.print(Text(line, style), soft_wrap=True)
