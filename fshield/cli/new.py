"""``fshield new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.new import WHEELS, create


def new(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The folder: a new one, or one without any of the files."
        ),
    ],
    wheel: Annotated[
        Path | None,
        typer.Option(
            "--wheel",
            metavar="FILE",
            help="fshield's wheel for Linux, which CI installs. Default: the one of this fshield.",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make a repository of policies: floor, base, a function's policy, tests, and what CI runs on a
    change."""
    with output.reporting(as_json):
        files = create(folder, wheel)
        if as_json:
            output.print_json(
                {"ok": True, "folder": str(folder), "files": [str(file) for file in files]}
            )
            return
        to = output.console()
        for file in files:
            to.print(f"  {file}", soft_wrap=True)
        if not any(file.parts[0] == str(WHEELS) for file in files):
            to.print(
                f"\nCI installs fshield from {WHEELS}/: put its wheel for Linux there, and"
                " SHA256SUMS with its line.",
                soft_wrap=True,
            )
        to.print("\nNext, in the folder:", soft_wrap=True)
        for line in (
            "git init && git add . && git commit -m 'Policies'",
            (
                "make check test package       # what CI runs; `make diff` once there is a second"
                " commit"
            ),
        ):
            to.print(f"  {line}", soft_wrap=True)
