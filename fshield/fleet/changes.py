"""The work of ``fshield attach`` and ``fshield detach``, from the choice of functions to the sum at
the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from rich.text import Text

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet import plan, published
from fshield.fleet.api import layers
from fshield.fleet.api.client import speaking
from fshield.fleet.api.configuration import Function
from fshield.fleet.api.patience import Patience
from fshield.fleet.change import Changer
from fshield.fleet.request import Account, Manner, Selection
from fshield.fleet.run import change_all, interruptible
from fshield.fleet.select import chosen
from fshield.fleet.show import Show, exit_code, grouped, is_known, summed
from fshield.release import lists

Decision = Callable[[Function], plan.Change]
Decide = Callable[[Account, Patience, bool], tuple[Decision, list[str]]]


def attaching(
    arns: Sequence[str],
    policy_arns: Sequence[str],
    policy: str | None,
    engines: Sequence[Path] | None,
    trust: lists.Trust,
) -> Decide:
    """How attach decides, with its layers looked up when it is asked to.

    Args:
        arns, policy_arns, policy: as `layers.wanted` has them.
        engines: lists of engines that may be attached besides fshield's own; None: any engine may.
        trust: which of these lists are believed.
    """

    def decide(account: Account, patience: Patience, as_json: bool) -> tuple[Decision, list[str]]:
        if not arns:
            raise CouldNotRun("which layer?", "--layer-arn ARN, as `fshield publish` prints it")
        known = None if engines is None else published.known_engines(engines, trust)
        policy_name = policy or _asked_policy(as_json)
        with speaking():
            client = account.function_client()
            wanted, notes = layers.wanted(
                client, client.meta.region_name, arns, policy_arns, policy_name, patience, known
            )
        return lambda function: plan.attach(function, wanted), notes

    return decide


def detaching(_account: Account, _patience: Patience, _as_json: bool) -> tuple[Decision, list[str]]:
    """How detach decides."""
    return plan.detach, []


def change(
    command: str, selection: Selection, decide: Decide, account: Account, manner: Manner
) -> None:
    """Change the functions, show it, and end the command with the exit code that says whether all,
    some or none."""
    as_json = manner.as_json
    with output.reporting(as_json):
        selection.check(command)
        patience = Patience()
        with speaking():
            client = account.function_client()
        region = client.meta.region_name
        decision, notes = decide(account, patience, as_json)
        found = chosen(account, region, selection, patience)
        names = found.names
        if selection.everything and not (manner.yes or manner.dry_run):
            _confirm(f"{command} {len(names)} functions in {region}?", as_json)
        show = Show(len(names), command, as_json)
        for note in notes:
            show.say(note)
        changer = Changer(
            client, decision, patience, dry_run=manner.dry_run, timeout=manner.timeout
        )
        with interruptible(patience, show.say), show.showing():
            outcomes = change_all(
                names,
                changer,
                patience,
                concurrency=manner.concurrency,
                max_failures=manner.max_failures,
                tell=show.outcome,
            )
    counts = summed(outcomes)
    interrupted = patience.stop.is_set()
    code = exit_code(outcomes, manner.known)
    if as_json:
        output.print_json(
            {
                "ok": code == output.FINE,
                "region": region,
                "dry_run": manner.dry_run,
                "interrupted": interrupted,
                "notes": notes,
                "counts": counts,
                "throttled": patience.throttled,
                "untried": dict(found.untried),
                "functions": [
                    {**each.as_dict(), "known": is_known(each, manner.known)} for each in outcomes
                ],
            }
        )
    else:
        _print_sum(command, region, counts, len(outcomes), interrupted, patience.throttled)
        for line in (*grouped(outcomes, manner.known), found.untried_said()):
            if line:
                output.console().print(Text(output.printable(line)), soft_wrap=True)
        if counts.get("done"):
            said = (
                "an alias reaches a published version, which never changes: `fshield status` shows"
                " what callers get"
            )
            output.console().print(Text(said, "dim"), soft_wrap=True)
        if counts.get("not begun"):
            why = next(each.reason for each in outcomes if each.result.value == "not begun")
            output.console().print(
                f"{counts['not begun']} not begun ({why}); run the command again", soft_wrap=True
            )
    raise typer.Exit(code)


def _print_sum(
    command: str, region: str, counts: dict[str, int], total: int, interrupted: bool, throttled: int
) -> None:
    said = ", ".join(f"{number} {word}" for word, number in counts.items())
    more = [f"throttled {throttled} times"] if throttled else []
    if interrupted:
        more.append("interrupted")
    tail = f" ({', '.join(more)})" if more else ""
    output.console().print(
        Text.assemble(
            (f"{command} {region}", "bold"),
            f"  {total} function{'' if total == 1 else 's'}: {said}{tail}",
        ),
        soft_wrap=True,
    )


def _asked_policy(as_json: bool) -> str:
    """The policy that the person at the terminal names; none is assumed. Raises CouldNotRun."""
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CouldNotRun(
            "which policy?",
            "--policy NAME; start with --policy monitor, which reports and stops nothing",
        )
    answer = typer.prompt("policy (monitor reports and stops nothing)", err=True)
    return str(answer)


def _confirm(question: str, as_json: bool) -> None:
    """Raises CouldNotRun unless the person at the terminal says yes."""
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CouldNotRun(f"--all: {question}", "--yes, after a look with --dry-run")
    if not typer.confirm(question, err=True):
        raise CouldNotRun("nothing was changed")
