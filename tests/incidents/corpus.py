"""Reads the incidents: the table incidents.yaml, and the header of each act's program."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import yaml

from tests.attacks.corpus import COMMENT, Malformed, read_header

HERE = Path(__file__).resolve().parent
ACTS = HERE / "acts"

# How the replay observes that an act was done.
Proof = Literal[
    "mark",  # the started program left its mark
    "file",  # `path` exists
    "arrived",  # a request that contains the secret reached `to`
    "question",  # the name server got a question that contains the secret
    "word",  # only the program's own word
]
When = Literal["path_file", "import", "thread", "call"]
KEYS = frozenset(
    {
        *("act", "source", "when", "rule", "asks", "says", "proof", "to", "path"),
        *("prepare", "needs", "open", "realistic", "only_for", "undone"),
    }
)


@dataclass(frozen=True)
class Act:
    """One act: a program with a header.

    Attributes:
        path: the program.
        act: what it does, in one sentence without a subject.
        when: what starts it: a .pth file, the package's import, a thread that the import starts, or
            a call from the handler.
        source: where it is documented.
        rule: the rule that stops it; "" if none does.
        asks: the request that it makes, in the words of a policy's `tests:`: ``connect HOST:PORT``,
            ``exec PROGRAM``, …; ``make PATH`` for a file that the act makes; ``kind`` where the
            rule's mode alone decides.
        says: text that an event of that rule must contain, in its JSON.
        proof: how the replay observes that the act was done; `to` and `path` are its arguments.
        prepare: a file to create before the act: an earlier stage.
        needs: programs and kinds of sockets that the machine must have.
        open: why no rule stops it; "" if one does.
        realistic: why the realistic policy lets it pass; "" if it does not.
        only_for: why that policy with ``only_for`` lets it pass; "" if it does not.
        undone: the policies that let it pass, but remove the file when the invocation ends.
    """

    path: Path
    act: str
    when: When
    source: str
    rule: str
    asks: str
    says: str
    proof: Proof
    to: str
    target: str
    prepare: str
    needs: tuple[str, ...]
    open: str
    realistic: str
    only_for: str
    undone: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    def is_stopped(self, policy: str) -> bool:
        """Whether the header says that `policy` (the stem of a file's name) stops the act."""
        if policy == "monitor" or self.open:
            return False
        return not {"realistic": self.realistic, "only_for": self.only_for}.get(policy)


@dataclass(frozen=True)
class Incident:
    """One row of incidents.yaml, with its acts sorted by name."""

    key: str
    title: str
    date: datetime.date
    has_day: bool
    distribution: str
    version: str
    acts: tuple[Act, ...]

    @property
    def language(self) -> str:
        return self.acts[0].path.suffix[1:]

    @property
    def sources(self) -> str:
        """Where its acts are documented, without duplicates."""
        return ", ".join(dict.fromkeys(act.source for act in self.acts))

    @property
    def when(self) -> str:
        return self.date.isoformat() if self.has_day else self.date.strftime("%Y-%m")


def read_act(path: Path) -> Act:
    """Read and check the header of one program."""
    fields = read_header(path, KEYS)
    if not fields.get("source"):
        raise Malformed(f"{path}: the header names no source")
    if not fields.get("act") or fields.get("proof") not in get_args(Proof):
        raise Malformed(f"{path}: the header needs an act, and a proof that is one of the kinds")
    if bool(fields.get("rule")) == bool(fields.get("open")):
        raise Malformed(f"{path}: either a rule stops it, or `open` says why none does")
    if fields.get("rule") and not (fields.get("says") and fields.get("asks")):
        raise Malformed(f"{path}: `says` is what the event must hold, `asks` the question")
    when = fields.get("when", "call")
    if when not in get_args(When):
        raise Malformed(f"{path}: when {when!r} is not one of {', '.join(get_args(When))}")
    return Act(
        path=path,
        act=fields["act"],
        when=cast(When, when),
        source=fields["source"],
        rule=fields.get("rule", ""),
        asks=fields.get("asks", ""),
        says=fields.get("says", ""),
        proof=cast(Proof, fields["proof"]),
        to=fields.get("to", ""),
        target=fields.get("path", ""),
        prepare=fields.get("prepare", ""),
        needs=tuple(fields.get("needs", "").split()),
        open=fields.get("open", ""),
        realistic=fields.get("realistic", ""),
        only_for=fields.get("only_for", ""),
        undone=tuple(fields.get("undone", "").split()),
    )


def incidents() -> list[Incident]:
    """Every incident, sorted by date."""
    found = []
    for row in yaml.safe_load((HERE / "incidents.yaml").read_text()):
        paths = sorted(path for path in (ACTS / row["id"]).iterdir() if path.suffix[1:] in COMMENT)
        if not paths:
            raise Malformed(f"{row['id']}: there is no act")
        found.append(
            Incident(
                key=row["id"],
                title=row["title"],
                date=row["date"],
                has_day=row.get("day", True),
                distribution=row["distribution"],
                version=str(row["version"]),
                acts=tuple(map(read_act, paths)),
            )
        )
    return sorted(found, key=lambda incident: (incident.date, incident.key))
