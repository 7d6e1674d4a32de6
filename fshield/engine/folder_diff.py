"""``fshield diff`` of two folders: compares policies of the same name. A function whose name has no
policy takes ``default``. So a new policy is compared with the old ``default``, and a removed one
with the new ``default``. A missing floor counts as one that allows everything.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fshield.engine.floor import NAME as FLOOR
from fshield.engine.package import policy_files
from fshield.engine.widening import Change, changes
from fshield.language.loader import load
from fshield.language.policy import Family, Mode, Policy, RuleMode

DEFAULT = "default"


def folder_changes(old: Path, new: Path) -> list[Change]:
    """The changes: first what widens, then what narrows. A change that several policies inherit is
    listed once, with their names.

    Raises:
        CouldNotRun: a folder has no policies in it, or one cannot be read.
        PolicyError: one is wrong.
    """
    before = {path.stem: load(path) for path in policy_files(old)}
    after = {path.stem: load(path) for path in policy_files(new)}
    merged: dict[Change, list[str]] = {}
    for name in sorted(before.keys() | after.keys()):
        for change in _changes(name, before, after):
            merged.setdefault(change, []).append(name)
    found = [replace(change, policies=tuple(names)) for change, names in merged.items()]
    return sorted(found, key=lambda change: change.kind == "narrows")


def _changes(name: str, before: dict[str, Policy], after: dict[str, Policy]) -> list[Change]:
    was, now = before.get(name), after.get(name)
    if was and now:
        return changes(was, now)
    present = was or now
    assert present is not None
    if name == FLOOR:
        absent = _uniform(present, Mode.ALLOW)
        return changes(was or absent, now or absent)
    if now:
        return changes(before.get(DEFAULT) or _uniform(present, Mode.BLOCK), now)
    if DEFAULT in after:
        return changes(present, after[DEFAULT])
    words = (
        "the policy is gone, and what its functions take instead (the engine's `default`) is not in"
        " this folder"
    )
    return [Change("widens", "policy", words, present.document.file, 1)]


def _uniform(like: Policy, mode: Mode) -> Policy:
    """A policy with one mode for all rules. If that is block, it also obeys no variable."""
    return Policy(
        like.document,
        like.name,
        {family: RuleMode(mode, "") for family in Family},
        [],
        allow_reconfigure=mode is Mode.ALLOW,
        mode_overrides=("alert", "off") if mode is Mode.ALLOW else like.mode_overrides,
    )
