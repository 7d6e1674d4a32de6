"""Writes docs/incidents.md from the results of a run."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby

from tests.incidents.corpus import Act, Incident
from tests.incidents.replay import POLICIES, Outcome

HEAD = """\
# Would it have stopped what happened?

Written by `make incidents`; not edited by hand. Malicious releases and injections of 2025 and 2026,
by what public records say that they did at run time. Each act is a program under
`tests/incidents/acts/`, without a payload: it leaves a mark, or sends one word to servers of the
test's own. It runs as a dependency inside a function, and must work without the guard.

- **default** and **strict** are the policies of that name.
- **realistic** allows github.com, two vendors' APIs and one bucket, and no program. Its `/tmp` is
  `ephemeral`: `tests/incidents/realistic.yaml`.
- **only_for** is that policy with each host for the package that reaches it, as `github.com` for
  `pygithub`: `tests/incidents/only_for.yaml`. In Node.js no caller can be told: such
  an entry is for nobody.
- Python functions run under Lambda's runtime client. Node functions run under a client of the
  tests' own, which loads and calls the handler in the same way, and never ends an invocation.
- *Undone*: the act worked, and what it made in `/tmp` was gone when the invocation had ended.
"""


def listed(rows: Iterable[Sequence[str]]) -> str:
    """A Markdown list. The first row names the cells. The names of its first two cells are not
    printed."""
    head, *rest = rows
    lines = []
    for first, second, *others in rest:
        parts = [f"{first}: {second}."]
        parts += [
            f"*{name.capitalize()}*: {cell}."
            for name, cell in zip(head[2:], others, strict=True)
            if cell
        ]
        lines.append(
            textwrap.fill(
                f"- {' '.join(parts)}",
                100,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)


def questions(incidents: Sequence[Incident]) -> str:
    """The request that each act makes of a policy, for `fshield check --incidents`."""
    rows = [
        {
            "incident": incident.title,
            "date": incident.when,
            "act": act.act,
            "rule": act.rule,
            "asks": act.asks,
            "open": act.open,
        }
        for incident in incidents
        for act in incident.acts
    ]
    return json.dumps(rows, indent=1) + "\n"


def _first(outcomes: Sequence[Outcome], policy: str) -> str:
    """How many of an incident's acts a policy stops, and by which rules."""
    stopped = [outcome for outcome in outcomes if outcome.act.is_stopped(policy)]
    if not stopped:
        return "nothing"
    rules = sorted({outcome.act.rule for outcome in stopped})
    return f"{len(stopped)} of {len(outcomes)}: {', '.join(rules)}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """The summary list: one entry an incident."""
    rows: list[list[str]] = [
        ["date", "incident", "strict stops", "realistic stops", "with `only_for`"]
    ]
    for _, group in groupby(outcomes, key=lambda outcome: outcome.incident.key):
        acts = list(group)
        incident = acts[0].incident
        rows.append(
            [
                incident.when,
                incident.title,
                *(_first(acts, policy) for policy in ("strict", "realistic", "only_for")),
            ]
        )
    return listed(rows)


def _not_replayed(missing: Sequence[tuple[Incident, Act, str]]) -> list[str]:
    if not missing:
        return []
    rows = [["incident", "act", "it needs"]]
    rows += [[incident.title, act.act, f"`{needs}`"] for incident, act, needs in missing]
    return [
        "## Not replayed",
        "",
        "The machine that wrote this page lacks what these need.",
        "",
        listed(rows),
        "",
    ]


def document(outcomes: Sequence[Outcome], missing: Sequence[tuple[Incident, Act, str]]) -> str:
    """The page.

    Args:
        outcomes: the results of a run.
        missing: acts that were not replayed, and what they lack.
    """
    count = len(outcomes)
    stopped = {
        policy: sum(outcome.act.is_stopped(policy) for outcome in outcomes) for policy in POLICIES
    }
    rows: list[list[str]] = [
        ["incident", "act", "rule", "stopped by", "undone by", "the event names"]
    ]
    undone = sum(outcome.act.undone == ("realistic", "only_for") for outcome in outcomes)
    for outcome in outcomes:
        rows.append(
            [
                outcome.incident.title,
                outcome.act.act,
                f"`{outcome.act.rule}`" if outcome.act.rule else "none",
                ", ".join(policy for policy in POLICIES if outcome.act.is_stopped(policy))
                or "none",
                ", ".join(outcome.act.undone),
                outcome.named("strict"),
            ]
        )
    passing = [["incident", "act", "why it passes"]]
    for outcome in outcomes:
        if outcome.act.open:
            passing.append([outcome.incident.title, outcome.act.act, outcome.act.open])
        elif outcome.act.realistic:
            why = f"under realistic only: {outcome.act.realistic}"
            if outcome.act.only_for == outcome.act.realistic:
                why = f"under realistic, with `only_for` as well: {outcome.act.realistic}"
            elif outcome.act.only_for:
                why += f"; with `only_for`: {outcome.act.only_for}"
            passing.append([outcome.incident.title, outcome.act.act, why])
    sources = [["incident", "sources"]]
    for _, group in groupby(outcomes, key=lambda outcome: outcome.incident.key):
        incident = next(group).incident
        sources.append([incident.title, incident.sources])
    return "\n".join(
        [
            HEAD,
            f"{count} acts: `default` stops {stopped['default']}, `strict` {stopped['strict']}, the"
            f" realistic policy {stopped['realistic']}, and with `only_for` {stopped['only_for']}.",
            f"The last two undo {undone} more. `monitor` stops none, and an event names each that a"
            " rule is about.",
            "",
            "## By incident",
            "",
            summary(outcomes),
            "",
            "## By act",
            "",
            listed(rows),
            "",
            "## What nothing of ours stops",
            "",
            listed(passing),
            "",
            "Two of the campaigns of 2026 shipped valid signed provenance: a check of where a"
            " package",
            "comes from passes them.",
            "",
            *_not_replayed(missing),
            "## Sources",
            "",
            listed(sources),
            "",
        ]
    )
