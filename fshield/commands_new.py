"""``fshield new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fshield import options, output
from fshield.new import create


def register(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command(epilog="Exit codes: 0 written, 2 something is there already; then nothing is written.")(new)


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is made, or has none of the files yet.")],
    as_json: options.Json = False,
) -> None:
    """Make a repository of policies: floor, base, a function's policy, tests, and what CI runs on a change."""
    with output.reporting(as_json):
        files = create(folder)
        if as_json:
            output.print_json({"ok": True, "folder": str(folder), "files": [str(file) for file in files]})
            return
        to = output.console()
        for file in files:
            to.print(f"  {file}", soft_wrap=True)
        to.print("\nNext, in the folder:", soft_wrap=True)
        for line in (
            "git init && git add . && git commit -m 'Policies'",
            "make check test package       # what CI runs; `make diff` once there is a second commit",
        ):
            to.print(f"  {line}", soft_wrap=True)
