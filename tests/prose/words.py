"""The house's own rules: a pattern, and what to write. The field's words for the field's things, a
named actor, and no riddles."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A wording that is not used.

    Args:
        pattern: what is found, without regard to case.
        instead: what to write.
        unless: a pattern in the same line that makes it right.
    """

    pattern: str
    instead: str
    unless: str = r"(?!)"

    def found(self, line: str) -> list[re.Match[str]]:
        """Where a line breaks the rule."""
        if re.search(self.unless, line, re.IGNORECASE):
            return []
        return list(re.finditer(self.pattern, line, re.IGNORECASE))


#: A number that is not an fd: of a system call, a line, a port, a version, …
_OTHER_NUMBERS = r"system call|syscall|\bport|\bline|version|address|digit|decimal|sequence|octal"

RULES = (
    Rule(r"\bfile descriptors?\b|\bdescriptors?\b", "fd"),
    Rule(
        r"\b(by|under|at|to|its|the same|another|new|second|lowest|free|high|that) numbers?\b"
        r"(?! of\b| from\b)",
        "fd, where it is one",
        _OTHER_NUMBERS,
    ),
    Rule(
        r"\bwhoever\b|\bwho(ever)? asks\b|\bwhom(ever)?\b", "name the actor: the caller, a thread"
    ),
    Rule(r"\bsomebody\b", "name the actor: another thread, a person"),
    Rule(r"\bmend(s|ed|ing)?\b", "fix"),
    Rule(r"\blook-ups?\b", "lookup"),
    Rule(r"(?<!there )\bis no (mode|page|name|rule|file)\b", "is not a …"),
    Rule(r"\bfine: ", "ok: "),
    Rule(r"\bas a look\b|\ba look (at|first)\b", "inspect, an inspection"),
    Rule(r"(?-i:\bstrangers?\b)", "a connection or caller that is not allow-listed"),
)
