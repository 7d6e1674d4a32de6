"""What fshield reports: findings with a position, and the two exceptions that end a command."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One finding about one position in a file.

    Args:
        level: an ``error`` stops compilation, a ``warning`` makes ``check`` exit 1, a ``note`` does
            neither.
        file: the file as the user named it.
        line, column: from 1.
        message: what is wrong, one sentence.
        allowed: what would be right, if there is a short answer.
        fix: what to do.
        excerpt: the line of the file, or None.
    """

    level: Level
    file: str
    line: int
    column: int
    message: str
    allowed: str | None = None
    fix: str | None = None
    excerpt: str | None = None

    @property
    def place(self) -> str:
        """``FILE:LINE:COLUMN``, as editors and build machines link it."""
        return f"{self.file}:{self.line}:{self.column}"

    def as_dict(self) -> dict[str, Any]:
        """The finding for ``--json``."""
        return asdict(self)


class PolicyError(Exception):
    """The policy itself is wrong.

    Args:
        finding: the first one in the file.
        more: the others, in the file's order.
    """

    def __init__(self, finding: Finding, *more: Finding) -> None:
        super().__init__(f"{finding.place}: {finding.message}")
        self.finding = finding
        self.findings = (finding, *more)


class CouldNotRun(Exception):
    """The command failed for a reason other than the policy: a missing file, a missing library."""

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` was probably meant to be, or None."""
    matches = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.6)
    return matches[0] if matches else None


def shown(value: object, limit: int = 60) -> str:
    """`value` for a message: quoted, one short line, control characters escaped."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value)
    )
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return f"'{text}'" if isinstance(value, str) else text
