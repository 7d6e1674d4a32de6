"""How fshield prints: findings with their lines, in 80 columns, or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from fshield.errors import CouldNotRun, Finding, PolicyError

FINE, FINDINGS, COULD_NOT_RUN = 0, 1, 2
EXIT_CODES = "Exit codes: 0 fine, 1 findings, 2 could not run."
_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "cyan"}


def console(stderr: bool = False) -> Console:
    """A console that adds nothing of its own: no markup, no highlighting."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def printable(text: str) -> str:
    """`text` with escapes for control characters and for undecodable bytes in file names."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_wrapped(text: str | Text, to: Console, indent: int = 0) -> None:
    """`text` on lines as wide as the console. Further lines begin two columns after `indent`. A
    path or a name is never broken, so that it can be copied.
    """
    rest, deeper = Text(text) if isinstance(text, str) else text, indent
    while True:
        plain, room = rest.plain, to.width - deeper
        at = len(plain)
        if cell_len(plain) > room:
            # The last blank that fits, else the first one.
            found = plain.rfind(" ", 1, room + 1)
            found = found if found > 0 else plain.find(" ", room)
            at = found if found > 0 else at
        line = rest[:at]
        line.rstrip()
        to.print(Text.assemble(" " * deeper, line), soft_wrap=True)
        at += len(plain[at:]) - len(plain[at:].lstrip())
        if at >= len(plain):
            return
        rest, deeper = rest[at:], indent + 2


def print_json(data: Any) -> None:
    """`data` as one JSON document on stdout."""
    # JSON escapes everything that cannot be printed.
    typer.echo(json.dumps(data, indent=2))


def print_finding(finding: Finding, to: Console) -> None:
    """The finding as one screen: position and sentence, the line with the column marked, what is
    allowed, the fix.
    """
    head = Text.assemble(
        (printable(finding.place), "bold"),
        ": ",
        (finding.level, _STYLES[finding.level]),
        ": ",
        finding.message,
    )
    to.print(head, soft_wrap=True)
    if finding.excerpt is not None:
        _print_excerpt(finding, to)
    for label, text in (("allowed", finding.allowed), ("fix", finding.fix)):
        if text:
            # A fix is copied from the terminal, so it must stay one line.
            if to.is_terminal and label == "allowed":
                lines = textwrap.wrap(text, to.width - 11, break_on_hyphens=False)
            else:
                lines = [text]
            indented = ("\n" + " " * 11).join(lines)
            to.print(Text.assemble((f"  {label + ':':9}", "dim"), indented), soft_wrap=True)


def _print_excerpt(finding: Finding, to: Console) -> None:
    line = "".join(c if c.isprintable() else " " for c in finding.excerpt or "")
    start = max(0, finding.column - 50)
    cut = line[start : start + 68]
    number = f"{finding.line:6} "
    to.print(Text.assemble((number, "dim"), f"| {cut}"), soft_wrap=True)
    space = cell_len(line[start : finding.column - 1])
    to.print(
        Text.assemble(" " * len(number), "| ", " " * space, ("^", _STYLES[finding.level])),
        soft_wrap=True,
    )


def print_problem(problem: CouldNotRun, to: Console) -> None:
    """Print why a command could not run, and the fix."""
    to.print(
        Text.assemble(("error", _STYLES["error"]), ": ", printable(problem.message)), soft_wrap=True
    )
    if problem.fix:
        to.print(Text.assemble(("  fix:     ", "dim"), printable(problem.fix)), soft_wrap=True)


@contextmanager
def reporting(as_json: bool) -> Iterator[None]:
    """End the command with exit code 2 and one error if the body raises PolicyError or
    CouldNotRun.
    """
    try:
        yield
    except PolicyError as error:
        if as_json:
            print_json({"ok": False, "findings": [error.finding.as_dict()]})
        else:
            print_finding(error.finding, console(stderr=True))
    except CouldNotRun as error:
        if as_json:
            print_json({"ok": False, "error": error.message, "fix": error.fix})
        else:
            print_problem(error, console(stderr=True))
    else:
        return
    raise typer.Exit(COULD_NOT_RUN)
