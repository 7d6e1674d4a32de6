"""Merges new names under /tmp with those in a policy, by the rules of `learn`."""

from __future__ import annotations

from collections.abc import Sequence

from fshield.engine.containment import path_outside
from fshield.evidence.entries import like_database, merged, without_covered
from fshield.evidence.learnt import Line
from fshield.evidence.shapes import gathered
from fshield.language.callers import counted
from fshield.language.policy import Allow, Family, Policy
from fshield.language.reader import Document

_TMP = "read_write_tmp"


def with_siblings(document: Document, policy: Policy, lines: Sequence[Line]) -> list[Line]:
    """`lines`, with names under /tmp merged with their siblings in the policy. A line that became a
    pattern has its old value in `alone`.
    """
    made = [line for line in lines if line.rule != _TMP]
    callers = {line.only_for for line in lines if line.rule == _TMP}
    for names in sorted(callers):
        paths = [line for line in lines if line.rule == _TMP and line.only_for == names]
        there = [
            entry.pattern
            for entry in _plain_paths(document, policy)
            if entry.pattern and entry.only_for == counted(names)
        ]
        together = gathered([*(line.value for line in paths), *there])
        for line in paths:
            wide = like_database(together[line.value], there)
            if wide != line.value:
                line.alone, line.value = line.alone or line.value, wide
        made += without_covered(merged(paths))
    return made


def covered_entries(
    document: Document, policy: Policy, lines: Sequence[Line]
) -> list[tuple[str, int]]:
    """The entries of the file that `lines` make dead: the rule, and the index in its list."""
    wide = [(line.value, counted(line.only_for)) for line in lines if line.rule == _TMP]
    return [
        (_TMP, int(entry.location[-1]))
        for entry in _plain_paths(document, policy)
        if entry.pattern
        and any(
            names == entry.only_for and _covers(pattern, entry.pattern) for pattern, names in wide
        )
    ]


def _plain_paths(document: Document, policy: Policy) -> list[Allow]:
    """The entries of read_write_tmp in this very file that consist of a path and callers only."""
    return [
        entry
        for entry in policy.allows
        if entry.family is Family.TMP
        and entry.inherited_from is None
        and entry.pattern == _only_path(document.find(entry.location).plain())
    ]


def _only_path(written: object) -> object:
    """The path of an entry that has at most ``only_for`` besides."""
    if isinstance(written, dict) and set(written) == {"path", "only_for"}:
        return written["path"]
    return written


def _covers(wide: str, entry: str) -> bool:
    """Whether a wider entry makes an entry dead."""
    if wide == entry:
        return False
    return path_outside(entry, [wide]) is None
