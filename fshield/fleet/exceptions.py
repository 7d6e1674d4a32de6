"""Known refusals: a file lists those that do not change the exit status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fshield.errors import CouldNotRun


@dataclass(frozen=True)
class Known:
    """Known refusals.

    Args:
        entries: pattern of function names, and the kind of refusal; an empty kind: any.
    """

    entries: Sequence[tuple[str, str]] = ()

    def __contains__(self, refusal: tuple[str, str]) -> bool:
        """Whether a function's name with its kind of refusal is known."""
        name, kind = refusal
        return any(
            fnmatchcase(name, pattern) and wanted in ("", kind) for pattern, wanted in self.entries
        )


NONE_KNOWN = Known()


def read_known(path: Path | None) -> Known:
    """The refusals in a file: a line is ``PATTERN`` or ``PATTERN = KIND``, ``#`` begins a comment.

    Raises:
        CouldNotRun: the file cannot be read, or a line has no pattern.
    """
    if path is None:
        return NONE_KNOWN
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotRun(f"--known {path}: cannot be read ({error})", "a text file") from error
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        pattern, _, kind = content.partition("=")
        if not pattern.strip():
            raise CouldNotRun(f"{path}:{number}: no function", "PATTERN, or PATTERN = KIND")
        entries.append((pattern.strip(), kind.strip()))
    return Known(entries)
