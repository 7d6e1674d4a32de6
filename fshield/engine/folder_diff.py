"""``fshield diff`` of two folders: every policy with its namesake, and what a new or a missing one
means.

A function without a policy of its name takes ``default``; without a floor,
everything is above the floor. So a policy that is new is compared with the old
``default``, one that is gone with the new one, and a missing floor allows all.
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
    """What widens, then what narrows. A change that several policies inherit is said once, with
    their names.

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
    """A policy that allows all or nothing, and obeys no variable where it allows nothing."""
    return Policy(
        like.document,
        like.name,
        {family: RuleMode(mode, "") for family in Family},
        [],
        allow_reconfigure=mode is Mode.ALLOW,
        mode_overrides=("alert", "off") if mode is Mode.ALLOW else like.mode_overrides,
    )
