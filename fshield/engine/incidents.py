"""``fshield check --incidents``: which acts of known malicious releases a policy would not stop.

`make incidents` replays these acts and writes incidents.json. It holds, for each act, the question
to put to a policy, in the form of a policy's `tests:`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.policy_tests import ask
from fshield.language.policy import Family, Mode, Policy

_REGION = "eu-central-1"
_KINDS = {"outbound_connectivity": Family.OUTBOUND}


@dataclass(frozen=True)
class Judged:
    """One act, and what a policy would do.

    Attributes:
        incident: the release or injection.
        date: when it was, ``YYYY-MM-DD`` or ``YYYY-MM``.
        act: what it did, in one sentence without a subject.
        asks: the question that was put to the policy; "" if no rule judges the act.
        stopped: it would be blocked.
        why: the reason in words.
        source: ``FILE:LINE`` of what decided, if a line did.
        undone: it would pass, but what it creates is removed when the invocation ends.
    """

    incident: str
    date: str
    act: str
    asks: str
    stopped: bool
    why: str
    source: str | None
    undone: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The act for ``--json``."""
        return {
            "incident": self.incident,
            "date": self.date,
            "act": self.act,
            "asks": self.asks or None,
            "stopped": self.stopped,
            "undone": self.undone,
            "why": self.why,
            "rule": self.source,
        }


def judge(policy: Policy) -> list[Judged]:
    """Every act, by date.

    Raises:
        CouldNotRun: there is no decide library.
    """
    compiled = native.Compiled(compile_policy(policy))
    facts = native.facts_of(_REGION, [])
    found = []
    for row in json.loads((files("fshield.engine") / "incidents.json").read_text()):
        about = (row["incident"], row["date"], row["act"], row["asks"])
        if row["open"]:
            found.append(Judged(*about, stopped=False, why=row["open"], source=None))
        elif row["asks"] == "kind":
            mode = policy.modes[_KINDS[row["rule"]]].mode
            why = f"{row['rule']} is {mode.name.lower()}"
            found.append(Judged(*about, stopped=mode is Mode.BLOCK, why=why, source=None))
        else:
            kind, _, target = row["asks"].partition(" ")
            makes = kind == "make"
            answer = ask(compiled, "open" if makes else kind, target, facts)
            if makes and compiled.tmp_ephemeral and answer.mode is Mode.BLOCK:
                why = "an invocation may use what it makes; removed when it ends"
                found.append(
                    Judged(*about, stopped=False, why=why, source=answer.source, undone=True)
                )
                continue
            found.append(
                Judged(
                    *about,
                    stopped=answer.mode is Mode.BLOCK,
                    why=f"only reported: {answer.why}" if answer.mode is Mode.ALERT else answer.why,
                    source=answer.source,
                )
            )
    return found
