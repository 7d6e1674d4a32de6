"""The commands that read events: ``fshield learn``, ``replay``, ``diff``, ``fix``, ``report`` and ``tail``."""

from __future__ import annotations

import typer

from fshield import commands_learn, commands_report, commands_review, commands_tail


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command(
        epilog="Exit codes: 0 a policy was learnt (something may be held back), 1 --into was not confirmed, "
        "2 could not run, or there was nothing to learn from."
    )(commands_learn.learn)
    app.command(epilog="Exit codes: 0 nothing that happened would be blocked, 1 something would, 2 could not run.")(
        commands_review.replay
    )
    app.command(epilog="Exit codes: 0 nothing widens, 1 something does, 2 a policy is wrong or cannot be read.")(
        commands_review.diff
    )
    app.command(epilog="Exit codes: 0 there is an edit, or none is needed; 1 no edit can allow it; 2 could not run.")(
        commands_review.fix
    )
    app.command(epilog="Exit codes: 0 the page is made, 2 could not run; then nothing is written.")(
        commands_report.report
    )
    app.command(epilog="Exit codes: 0 all was shown, 2 could not run, 130 ended by Ctrl-C.")(commands_tail.tail)
