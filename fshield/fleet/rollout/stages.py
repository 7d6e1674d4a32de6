"""Assigns functions to stages, by a hash of their names, so that the result is the same on every
machine.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

from fshield.errors import CouldNotRun, shown
from fshield.fleet.run import Target

_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%\Z")


def shares(words: Sequence[str]) -> list[float]:
    """The shares of ``--canary`` in rising order, with the whole at the end. Raises CouldNotRun."""
    found = []
    for word in (part.strip() for each in words for part in each.split(",")):
        known = _SHARE.match(word)
        share = float(known[1]) / 100 if known else 0.0
        if not 0 < share <= 1:
            raise CouldNotRun(f"--canary {shown(word)} is not a share", "like 5%, or 5%,25%")
        found.append(share)
    if found != sorted(set(found)):
        raise CouldNotRun("--canary: the shares do not grow", "like 5%,25%")
    return found if found and found[-1] == 1 else [*found, 1.0]


def staged(targets: Sequence[Target], parts: Sequence[float], salt: str) -> dict[Target, int]:
    """The stage number of each function.

    Args:
        parts: as `shares` has them.
        salt: changes the order from rollout to rollout, so that not always the same functions are
            first.
    """

    def key(target: Target) -> str:
        place = target.place
        text = f"{salt}/{place.number}/{place.region}/{target.name}"
        return hashlib.sha256(text.encode()).hexdigest()

    ordered = sorted(targets, key=key)
    bounds = [max(1, math.ceil(len(ordered) * part - 1e-9)) for part in parts]
    return {
        target: next(stage for stage, bound in enumerate(bounds) if number < bound)
        for number, target in enumerate(ordered)
    }
