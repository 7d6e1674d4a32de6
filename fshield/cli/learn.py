"""``fshield learn``: makes a policy of events."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fshield import output
from fshield.cli import options
from fshield.cli.review import print_diff
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.policy_tests import run
from fshield.errors import CouldNotRun
from fshield.evidence import named_hosts, own_text, sources
from fshield.evidence.acts import Act, Evidence, kinds
from fshield.evidence.cloudwatch import Connection
from fshield.evidence.events import harmless
from fshield.evidence.fix import admits
from fshield.evidence.known import METADATA
from fshield.evidence.learn import learn as learn_policy
from fshield.evidence.learn import missing_from
from fshield.evidence.learnt import Learnt, Line, comment, is_unchanged, signed
from fshield.evidence.siblings import covered_entries, with_siblings
from fshield.evidence.tiers import Tiers
from fshield.evidence.verdicts import met
from fshield.files import write_whole
from fshield.language import edit
from fshield.language.loader import resolve
from fshield.language.policy import Mode, Policy
from fshield.language.reader import Document, read

_SHOWN = 40


def learn(
    events: options.Events = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The policy. Default: stdout.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="POLICY",
            help="Add what is missing to this policy, after showing the diff. Its comments stay.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="With --into: write without asking.")
    ] = False,
    accept: options.Accept = None,
    trust: options.Trust = None,
    own: options.Own = None,
    code: options.Code = None,
    env: options.Environment = None,
    by_dependency: Annotated[
        bool,
        typer.Option(
            "--by-dependency",
            help="Write only_for into each entry: the distributions that the function called.",
        ),
    ] = False,
    log_group: options.LogGroup = None,
    since: options.Since = "7d",
    at_most: options.Spending = 5.0,
    function: options.Function = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Write the narrowest policy that allows what happened, except for what a person must review
    first."""
    with output.reporting(as_json):
        if into and out:
            raise CouldNotRun(
                "--into and --output at once", "--into writes to the policy that it names"
            )
        if out:
            _refuse_edited(out)
        source = sources.Source(
            events or [],
            log_group,
            since,
            Connection(region, profile, endpoint_url),
            function,
            at_most,
        )
        evidence = Evidence()
        evidence.packages.own |= set(own or ())
        own_text.tell_folder(evidence.packages, code)
        with source.records() as records:
            evidence.read(records)
        if not evidence.acts and not evidence.interpreters:
            raise CouldNotRun(
                "there is nothing to learn from: no event of an act was read",
                "run the function under the policy `monitor`, and read what it logs",
            )
        variables = dict(native.facts_of("", env or []).variables)
        named = own_text.count_as_own(evidence.packages, code, variables)
        tiers = Tiers(evidence, frozenset(accept or ()), frozenset(trust or ()), named)
        learnt = learn_policy(
            evidence,
            tiers,
            sources.region_of(region) or evidence.region or source.region,
            by_dependency=by_dependency,
        )
        name = out.stem if out else "learnt"
        text = signed(learnt.text(name))
        unused = tiers.unused()
        if unused:
            raise CouldNotRun(
                f"--accept {unused[0]}: nothing that was held back is called so",
                "name it as the table of `fshield learn` does",
            )
        if into:
            _into(into, learnt, tiers, source, yes, as_json)
            return
        if as_json:
            output.print_json(
                {
                    "ok": not learnt.is_empty,
                    "policy": text,
                    **as_dict(learnt, tiers),
                    "skipped": source.counts.as_dict(),
                }
            )
        else:
            sources.say_doubts(source.counts)
            say(learnt, tiers, output.console(stderr=True))
            if learnt.held and not code:
                output.print_wrapped(
                    "--code FOLDER, the function's package: hosts, paths and programs that its own"
                    " code names are learnt",
                    output.console(stderr=True),
                )
        _write(learnt, text, out, as_json)


def _write(learnt: Learnt, text: str, out: Path | None, as_json: bool) -> None:
    """Write the policy, if anything was learnt."""
    if learnt.is_empty:
        if not as_json:
            _say_nothing_learnt(learnt)
        raise typer.Exit(output.FINDINGS)
    if out:
        write_whole(out, text.encode())
    if as_json:
        return
    if out:
        summary = f"{out}: {_exceptions(len(learnt.lines))}"
        output.console(stderr=True).print(summary, soft_wrap=True)
    else:
        sys.stdout.write(text)


def _exceptions(count: int) -> str:
    return "1 exception" if count == 1 else f"{count} exceptions"


def _refuse_edited(path: Path) -> None:
    """Raise CouldNotRun if a person wrote or edited the file at `path`."""
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", "name another file") from error
    if content.strip() and not is_unchanged(content):
        raise CouldNotRun(
            f"{path}: it was edited since learn wrote it, or learn did not write it",
            f"--into {path} adds what is missing and keeps the rest; or name another file",
        )


def _say_nothing_learnt(learnt: Learnt) -> None:
    """Report that everything was held back, so that the policy would block all that the function
    did.
    """
    to = output.console(stderr=True)
    own = next((held.own for held in learnt.held if held.own), None)
    accept = next((held.accept for held in learnt.held if held.accept), None)
    fixes = [
        f"--own {own} if {own} is the function's own code" if own else "",
        f"--accept {shlex.quote(accept)} and so on for what may happen" if accept else "",
    ]
    problem = f"nothing was learnt: everything was held back, {kinds(len(learnt.held))}"
    to.print(f"error: {problem}; nothing was written", soft_wrap=True)
    fix = ", or ".join(harmless(text) for text in fixes if text)
    to.print(
        Text(f"  fix:     {fix or 'read the table above: no exception exists for any of these'}"),
        soft_wrap=True,
    )


def _into(
    path: Path, learnt: Learnt, tiers: Tiers, source: sources.Source, yes: bool, as_json: bool
) -> None:
    """Add to the policy at `path` what it does not allow yet. Shows all changes before it
    writes.
    """
    document = read(path)
    before = resolve(document, path.stem)
    policy = native.Compiled(compile_policy(before))
    missing = missing_from(policy, learnt)
    _leave_out_allowed(learnt, policy)
    quiet = [name for name in learnt.quiet if not policy.is_quiet(name)]
    missing, changed = _together(document, before, tiers, missing, quiet)
    diff = edit.difference(document, changed)
    if not as_json:
        sources.say_doubts(source.counts)
        say(learnt, tiers, output.console(stderr=True))
        for line in missing:
            if line.alone:
                output.print_wrapped(
                    f"pattern: {harmless(admits(line))}", output.console(stderr=True)
                )
        print_diff(diff)
    wanted = bool(missing or quiet)
    if wanted and not yes:
        asked = (
            sys.stdin.isatty() and not as_json and typer.confirm(f"write this to {path}?", err=True)
        )
        if not asked:
            output.console(stderr=True).print(
                "nothing was written: --yes writes without asking", soft_wrap=True
            )
            raise typer.Exit(output.FINDINGS)
    if wanted:
        write_whole(path, edit.as_written(changed, edit.raw(path)))
    if as_json:
        lines = "".join(f"{line}\n" for line in diff)
        output.print_json(
            {
                "ok": not learnt.is_empty,
                "diff": lines,
                **as_dict(learnt, tiers),
                "skipped": source.counts.as_dict(),
            }
        )
    elif learnt.is_empty:
        _say_nothing_learnt(learnt)
    else:
        parts = [f"{_exceptions(len(missing))} added"] if missing else []
        parts += [f"quiet about {', '.join(quiet)}"] if quiet else []
        summary = ", ".join(parts) or "it allows all that was learnt; nothing was changed"
        output.console(stderr=True).print(f"{path}: {summary}", soft_wrap=True)
    if learnt.is_empty:
        raise typer.Exit(output.FINDINGS)


def _leave_out_allowed(learnt: Learnt, policy: native.Compiled) -> None:
    """Leave out of the notes what `policy` allows already."""

    def blocks(act: Act) -> bool:
        return met(policy, act, act.target, learnt.facts).mode is Mode.BLOCK

    learnt.unmet = {
        host: name
        for host, name in learnt.unmet.items()
        if blocks(Act("outbound_connectivity", host))
    }
    learnt.at_errors = tuple(
        name
        for name in learnt.at_errors
        if blocks(Act("native_code", "code.__new__", operation="make code by", module=name))
    )


def _together(
    document: Document, before: Policy, tiers: Tiers, missing: list[Line], quiet: list[str]
) -> tuple[list[Line], str]:
    """The lines, and the policy's text with them. A name under /tmp is merged into a pattern with
    the policy's names, unless a test of the policy forbids what the pattern allows.
    """
    passed = {one.name for one in run(before) if one.passed}
    together = with_siblings(document, before, [replace(line) for line in missing])
    for lines, dead in (
        (together, covered_entries(document, before, together)),
        (missing, []),
    ):
        additions = [edit.Addition(one.rule, one.text, comment(one, tiers)) for one in lines]
        text, after = edit.with_entries(document, before.name, additions, dead, quiet)
        if all(one.passed for one in run(after) if one.name in passed):
            break
    return lines, text


def say(learnt: Learnt, tiers: Tiers, to: Console) -> None:
    """Print what was held back, and how to accept it."""
    evidence = learnt.evidence
    for sentence in notes(learnt):
        output.print_wrapped(f"note: {sentence}", to)
    wide = [line for line in learnt.lines if line.is_pattern]
    for line in wide[:_SHOWN]:
        output.print_wrapped(f"pattern: {harmless(admits(line))}", to)
    if len(wide) > _SHOWN:
        to.print(f"and {len(wide) - _SHOWN} more patterns: --json has all", soft_wrap=True)
    if not learnt.held:
        return
    table = Table(
        title="held back, and so blocked",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in ("what", "times", "by", "why"):
        table.add_column(column, overflow="fold", justify="right" if column == "times" else "left")
    for held in learnt.held[:_SHOWN]:
        caller = next((caller.words for caller, _ in tiers.callers_of(held.seen)), "")
        what = held.act.place or held.act.words
        table.add_row(
            *(Text(harmless(cell)) for cell in (what, f"×{held.seen.count:,}", caller, held.why))
        )
    to.print(table)
    for hint in sorted({held.hint for held in learnt.held} - {""}):
        output.print_wrapped(f"note: {hint}", to)
    rest = len(learnt.held) - _SHOWN
    if rest > 0:
        to.print(f"and {rest} more: --json has all", soft_wrap=True)
    for name in sorted({held.own for held in learnt.held if held.own}):
        sentence = (
            f"{name} lies in the function's folder, and no stack shows whether it is the function's"
            " own code"
        )
        output.print_wrapped(harmless(f"{sentence}: if it is, --own {name} learns what it did"), to)
    first = next(
        (held.accept for held in learnt.held if held.accept and held.act.target not in METADATA),
        None,
    )
    if first:
        word = shlex.quote(harmless(first))
        to.print(Text(f"to learn one all the same: --accept {word}"), soft_wrap=True)
    callers = (
        caller for held in learnt.held for caller, _ in tiers.callers_of(held.seen) if held.accept
    )
    names = sorted(
        {caller.name for caller in callers if caller.kind == "dependency"} - {"__main__"}
    )
    if len(names) > 1:
        words = " ".join(f"--trust {shlex.quote(harmless(name))}" for name in names[:_SHOWN])
        to.print(Text(f"to learn all that a package did: {words}"), soft_wrap=True)
    if evidence.overflow:
        to.print(
            f"warning: {evidence.overflow:,} acts were of kinds beyond what is kept", soft_wrap=True
        )


def notes(learnt: Learnt) -> list[str]:
    """Remarks about what was read."""
    evidence = learnt.evidence
    found = []
    if evidence.doubtful:
        found.append(
            f"{evidence.doubtful:,} events that may be forged or read twice count for nothing"
        )
    if len(evidence.functions) > 1:
        names = ", ".join(harmless(name) for name in sorted(evidence.functions)[:4])
        found.append(
            f"events of {len(evidence.functions)} functions ({names}): --function NAME learns"
            " for one"
        )
    if not evidence.packages.own:
        found.append("no event shows which code is the function's own: name its module with --own")
    if learnt.callers_remark:
        found.append(learnt.callers_remark)
    if learnt.bundle:
        found.append(harmless(learnt.bundle))
    if learnt.other_names:
        found.append(harmless(learnt.other_names))
    if learnt.also_allowed:
        found.append(harmless(learnt.also_allowed))
    if learnt.unmet:
        found.append(harmless(named_hosts.sentence(learnt.unmet)))
    if learnt.errors:
        found.append(learnt.errors)
    if learnt.proposal:
        found.append(learnt.proposal)
    if moved := _renamed(learnt):
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        found.append(
            f"{harmless(moved[0])}{more}: renamed, and the event shows one of the two names. If the"
            " other one lies under /tmp too, as it may where an older layer wrote the event, allow"
            " it, or learn with --code"
        )
    if learnt.tied:
        more = f" and {len(learnt.tied) - 1} more" if len(learnt.tied) > 1 else ""
        found.append(
            f"{harmless(learnt.tied[0])}{more}: tied to one region; --region, the function's, makes"
            " endpoints of AWS `aws:` entries"
        )
    return found


def _renamed(learnt: Learnt) -> list[str]:
    """Paths under /tmp that were renamed or linked by events that show one name only. Leaves out
    those that were also seen with their other name, and those whose whole folder was learnt: it
    usually contains the other name too.
    """
    pairs = learnt.evidence.pairs
    paired = pairs.keys() | {act for firsts in pairs.values() for act in firsts}
    return [
        line.value
        for line in learnt.lines
        if line.rule == "read_write_tmp" and line.seen.moved and not line.value.endswith("/**")
        if not any(act in paired for act, _ in line.acts)
    ]


def as_dict(learnt: Learnt, tiers: Tiers) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "events": learnt.evidence.events,
        "own": sorted(learnt.evidence.packages.own),
        "learnt": [
            {
                "policy": line.rule,
                "entry": line.text,
                "dependency": line.group or None,
                "count": learnt.evidence.times((act for act, _ in line.acts), line.seen),
                "comment": learnt.comment(line),
                "admits": admits(line),
            }
            for line in learnt.lines
        ],
        "held": [
            {
                "policy": held.act.rule,
                "what": held.act.place or held.act.words,
                "count": held.seen.count,
                "by": [caller.words for caller, _ in tiers.callers_of(held.seen)],
                "why": held.why,
                "accept": held.accept,
                "own": held.own or None,
                "hint": held.hint or None,
            }
            for held in learnt.held
        ],
        "region": learnt.region,
        "overflow": learnt.evidence.overflow,
        "notes": notes(learnt),
    }
