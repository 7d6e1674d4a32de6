"""Finds wordings that the project does not use, in all files under version control."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from proselint.checks import __register__ as checks
from proselint.config import DEFAULT, Config
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

from tests.prose.text import prose
from tests.prose.words import RULES

ROOT = Path(__file__).resolve().parents[2]
PENDING = Path(__file__).with_name("pending.txt")
WIDTH = 100
SUFFIXES = {".md", ".py", ".c", ".h"}
#: Checks of proselint that do not suit technical prose: typographic quotes, words that have a
#: special sense in the field, capitals of brands, and words repeated across the lines of a list.
OFF = (
    "typography",
    "lexical_illusions",
    "misc.preferred_forms",
    "skunked_terms",
    "weasel_words",
)


def files(arguments: list[str]) -> list[Path]:
    """The named files, or all files that git knows."""
    named = arguments or subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    paths = [ROOT / name for name in named if name]
    return [path for path in paths if path.suffix in SUFFIXES and path.is_file()]


def pending() -> set[str]:
    """Files that are not checked yet. The list only shrinks."""
    return set(PENDING.read_text().split()) if PENDING.exists() else set()


def problems(path: Path) -> Iterator[str]:
    """What is wrong in a file, as FILE:LINE: and the wording to use instead."""
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if len(line) > WIDTH:
            yield f"{name}:{number}: {len(line)} columns, at most {WIDTH}"
    text = prose(path)
    for number, line in enumerate(text.split("\n"), 1):
        for rule in RULES:
            for found in rule.found(line):
                yield f"{name}:{number}: '{found[0]}': write {rule.instead}"
    if text.strip():
        for result in LintFile(name.as_posix(), text).lint(_config()):
            outcome = result.check_result
            # The linter adds an empty line at the top.
            yield f"{name}:{result.pos[0] - 1}: {outcome.message.strip()} ({outcome.check_path})"


def _config() -> Config:
    if not CheckRegistry().checks:
        CheckRegistry().register_many(checks)
    off = dict.fromkeys(OFF, False)
    return {**DEFAULT, "checks": {**off, **DEFAULT["checks"], **off}}


def main(arguments: list[str]) -> int:
    """Check the files. Returns the exit status."""
    left_out = pending()
    found = [
        problem
        for path in files(arguments)
        if path.relative_to(ROOT).as_posix() not in left_out
        for problem in problems(path)
    ]
    for problem in found:
        print(problem)
    return 1 if found else 0
