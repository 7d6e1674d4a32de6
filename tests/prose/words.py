"""The project's own rules, each a pattern and the wording to use instead: the field's words for the
field's things, a named actor, and no riddles."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A wording that the project does not use.

    Args:
        pattern: a regular expression; case is ignored.
        instead: the wording to use.
        unless: a pattern that makes the wording right if it is in the same line.
    """

    pattern: str
    instead: str
    unless: str = r"(?!)"

    def found(self, line: str) -> list[re.Match[str]]:
        """The places in a line that break the rule."""
        if re.search(self.unless, line, re.IGNORECASE):
            return []
        return list(re.finditer(self.pattern, line, re.IGNORECASE))


#: Numbers that are not fds: of a system call, a line, a port, a version, …
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
