"""Prints what a rollout would do, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from fshield import output
from fshield.fleet.change import Outcome
from fshield.fleet.exceptions import Known
from fshield.fleet.request import RunOptions
from fshield.fleet.rollout.journal import Journal
from fshield.fleet.rollout.work import End, Work, share_in_words
from fshield.fleet.show import Show, grouped, summed

_NEXT = {
    End.PAUSED: "no cold start under the new policy was seen: run the command again to watch on, or"
    " with --min-starts 0",
    End.FAILED: "run the command again: it goes on where it stopped; --back takes all back",
    End.INTERRUPTED: "run the command again: it goes on where it stopped; --back takes all back",
}


def _stages(journal: Journal) -> list[dict[str, Any]]:
    return [
        {"share": share, "functions": len(journal.of_stage(stage))}
        for stage, share in enumerate(journal.shares)
    ]


def as_dict(work: Work, end: End, code: int, refused: Sequence[Outcome]) -> dict[str, Any]:
    """For ``--json``."""
    journal = work.journal
    outcomes = [*refused, *work.outcomes]
    return {
        "ok": code == output.FINE,
        "result": end.value,
        "why": journal.why or None,
        "alias": journal.alias,
        "stage": journal.stage + 1,
        "stages": _stages(journal),
        "layers": [
            {"account": account or None, "region": region, "arn": arn}
            for (account, region), arn in journal.arns.items()
        ],
        "blocked": [{**kind.as_dict(), "count": count} for kind, count in work.blocked.items()],
        "cold_starts": work.seen.starts,
        "counts": summed(outcomes),
        "functions": [each.as_dict() for each in outcomes],
        "journal": str(journal.path),
    }


def end(work: Work, how: End, refused: Sequence[Outcome], known: Known) -> None:
    """Print how it ended."""
    to = output.console()
    journal = work.journal
    for kind, count in list(work.blocked.items())[:20]:
        to.print(
            Text(f"  blocked  {output.printable(kind.words)}  ×{count}", "red"), soft_wrap=True
        )
    for line in grouped(refused, known):
        to.print(Text(output.printable(line)), soft_wrap=True)
    moved = len(journal.begun)
    summary = {
        End.DONE: f"{moved} functions moved, in {len(journal.shares)} stages",
        End.BACK: f"{moved} functions are as they were: {journal.why}",
    }.get(how, f"{moved} of {len(journal.functions)} functions moved")
    to.print(
        Text.assemble(("rollout ", "bold"), (how.value, "bold"), f"  {output.printable(summary)}"),
        soft_wrap=True,
    )
    if how in _NEXT:
        to.print(Text(_NEXT[how], "yellow"), soft_wrap=True)


def plan(journal: Journal, refused: Sequence[Outcome], options: RunOptions) -> None:
    """Print what would be done."""
    if options.as_json:
        functions = [
            {"function": name, "account": account or None, "region": region, "stage": stage + 1}
            for (account, region, name), stage in journal.functions.items()
        ]
        output.print_json(
            {
                "ok": True,
                "dry_run": True,
                "alias": journal.alias,
                "stages": _stages(journal),
                "functions": functions,
            }
        )
        return
    to = output.console()
    for stage in range(len(journal.shares)):
        keys = journal.of_stage(stage)
        share = output.printable(share_in_words(journal, stage))
        to.print(Text(f"stage {stage + 1}: {share}, {len(keys)} functions", "bold"))
        if journal.alias and stage:
            continue  # the same functions, with a larger share
        for key in keys[:20]:
            to.print(Text(f"  {' '.join(key).strip()}"), soft_wrap=True)
        if len(keys) > 20:
            to.print(Text(f"  and {len(keys) - 20} more: --json has them", "dim"))
    for line in grouped(refused, options.known):
        to.print(Text(output.printable(line)), soft_wrap=True)


def refused(outcomes: Sequence[Outcome], show: Show, as_json: bool) -> None:
    """Print that no function can be moved, and why."""
    if as_json:
        functions = [each.as_dict() for each in outcomes]
        output.print_json({"ok": False, "result": "refused", "functions": functions})
        return
    for outcome in outcomes:
        show.outcome(outcome)
