"""Runs the corpus and prints what held: ``python tests/attacks/run.py [WORD…]``.

With words, only attacks whose name contains one of them run, and docs/attacks.md is not written.
``--bare`` runs them only without the guard. ``ATTACKS_ALL_INTERPRETERS=1`` runs attacks in Python
with every interpreter of this machine. Exit status 0 only if every attack behaves as its header
declares.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests import support
from tests.attacks.corpus import CLASSES, Attack, Malformed, corpus
from tests.attacks.machine import missing, version
from tests.attacks.runner import Verdict, judge, judge_bare

REPORT = support.ROOT / "docs" / "attacks.md"
RING_ORDER = ("interpreter", "libc", "kernel")


@dataclass
class Row:
    """The results of one attack, one for each interpreter that ran it."""

    attack: Attack
    verdicts: list[Verdict] = field(default_factory=list)
    lacking: str = ""
    bare: bool = False

    @property
    def behaves(self) -> bool:
        return all(verdict.behaves for verdict in self.verdicts)

    @property
    def rings(self) -> str:
        named = {ring for verdict in self.verdicts for ring in verdict.rings}
        return ", ".join(ring for ring in RING_ORDER if ring in named)

    @property
    def verdict(self) -> str:
        if not self.verdicts:
            return f"not run: needs {self.lacking}"
        if not self.behaves:
            return "not as declared"
        if self.bare:
            return "works"
        return "open" if self.attack.open else "held"


def pythons() -> list[Path]:
    if os.environ.get("ATTACKS_ALL_INTERPRETERS") == "1":
        return support.interpreters()
    return [Path(sys.executable)]


def one(attack: Attack, interpreters: Iterable[Path], bare: bool) -> Row:
    row = Row(attack, bare=bare)
    for python in interpreters:
        row.lacking = missing(attack, python)
        if row.lacking:
            continue
        if bare:
            row.verdicts.append(Verdict(attack, python, problems=judge_bare(attack, python)))
        else:
            row.verdicts.append(judge(attack, python))
        if attack.language != "py":
            break
    return row


def perform(attacks: list[Attack], interpreters: list[Path], *, bare: bool = False) -> list[Row]:
    """Run the attacks, a few at a time. Shows progress on standard error."""
    console = Console(stderr=True)
    with (
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool,
    ):
        task = progress.add_task("attacks", total=len(attacks))
        rows = []
        for row in pool.map(lambda attack: one(attack, interpreters, bare), attacks):
            rows.append(row)
            progress.advance(task)
    return rows


STYLES = {"works": "green", "held": "green", "open": "yellow", "not as declared": "bold red"}


def show(rows: list[Row]) -> None:
    console = Console(width=80)
    for kind, title in CLASSES.items():
        chosen = [row for row in rows if row.attack.kind == kind]
        if not chosen:
            continue
        table = Table(
            title=title, title_justify="left", box=box.SIMPLE_HEAD, width=80, pad_edge=False
        )
        table.add_column("attack", width=32, overflow="fold")
        table.add_column("rule", width=22, overflow="fold")
        table.add_column("verdict", width=20)
        for row in chosen:
            word = row.verdict
            rings = f" ({row.rings})" if word == "held" and row.rings else ""
            style = STYLES.get(word, "dim")
            table.add_row(
                row.attack.name.split("/")[1], row.attack.rules[0], f"[{style}]{word}[/]{rings}"
            )
        console.print(table)
    for row in rows:
        for verdict in row.verdicts:
            for problem in verdict.problems:
                where = ".".join(map(str, version(verdict.python)))
                console.print(
                    f"{row.attack.name} ({where}): {problem}",
                    style="red",
                    markup=False,
                    soft_wrap=True,
                )


def totals(rows: list[Row]) -> str:
    count = {name: sum(row.verdict == name for row in rows) for name in STYLES}
    skipped = sum(not row.verdicts for row in rows)
    if any(row.bare for row in rows):
        return (
            f"{len(rows)} attacks without the guard: {count['works']} work,"
            f" {count['not as declared']} do not"
        )
    return (
        f"{len(rows)} attacks: {count['held']} held, {count['open']} open as declared, "
        f"{count['not as declared']} not as declared, {skipped} not run here"
    )


def item(text: str) -> str:
    """One entry of a list, wrapped at 100 columns."""
    return textwrap.fill(
        f"- {text}",
        100,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def verdict(row: Row) -> str:
    """The end of an attack's entry: its rules, and the result."""
    rules = ", ".join(f"`{rule}`" for rule in row.attack.rules)
    by = f" by {row.rings}" if row.verdict == "held" and row.rings else ""
    return f"{rules}: {row.verdict}{by}."


def report(rows: list[Row], interpreters: list[Path]) -> str:
    """docs/attacks.md."""
    versions = ", ".join(".".join(map(str, version(python)[:2])) for python in interpreters)
    lines = [
        "# Which attacks are tried, and which pass?",
        "",
        "Written by `python tests/attacks/run.py`; not edited by hand. Each attack is a program",
        "under `tests/attacks/programs/`. It runs three times:",
        "",
        "- without the guard, where it must succeed;",
        "- under `strict`, or its own policy, where it must fail, and an event must name it;",
        "- under the same rules in alert mode, where it must succeed, and an event must name it.",
        "",
        f"{totals(rows)}. Python {versions}.",
        "",
        "Each entry says what the attack does when it succeeds, then the rule and the result. *Held"
        " by* names",
        "the rings whose events named it: the audit hook in the interpreter, or the doors of libc."
        " *Open*",
        "attacks succeed, for the reason given.",
        "",
    ]
    opened = [row for row in rows if row.attack.open]
    if opened:
        lines += [
            "## What is open",
            "",
        ]
        lines += [
            item(f"`{row.attack.name}`: {row.attack.success}. *Why*: {row.attack.open}.")
            for row in opened
        ]
        lines.append("")
    unreported = [row for row in rows if row.attack.unreported]
    if unreported:
        lines += [
            "## Held, and not always named where a policy only reports",
            "",
        ]
        lines += [item(f"`{row.attack.name}`: {row.attack.unreported}.") for row in unreported]
        lines.append("")
    for kind, title in CLASSES.items():
        chosen = [row for row in rows if row.attack.kind == kind]
        if not chosen:
            continue
        lines += [
            f"## {title}",
            "",
        ]
        for row in chosen:
            name = row.attack.name.split("/")[1]
            lines.append(item(f"`{name}`: {row.attack.success}. {verdict(row)}"))
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    options = {word for word in arguments if word.startswith("-")}
    if options - {"--bare"}:
        print(__doc__, file=sys.stdout if options <= {"-h", "--help"} else sys.stderr)
        return 0 if options <= {"-h", "--help"} else 2
    bare = "--bare" in options
    wanted = [word for word in arguments if not word.startswith("-")]
    if not bare and not support.LAUNCHER.exists():
        print(f"{support.LAUNCHER} is missing: run ./build.sh first", file=sys.stderr)
        return 2
    try:
        every = corpus()
    except Malformed as error:
        print(error, file=sys.stderr)
        return 2
    attacks = [
        attack for attack in every if not wanted or any(word in attack.name for word in wanted)
    ]
    interpreters = pythons()
    rows = perform(attacks, interpreters, bare=bare)
    show(rows)
    print(totals(rows))
    if not wanted and not bare:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(report(rows, interpreters))
        print(f"written: {REPORT.relative_to(support.ROOT)}")
    return 0 if all(row.behaves for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
