"""Versions of a function and the aliases that lead to them: how two versions differ, and how an
alias splits its calls.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fshield.fleet.api.arn import layer_name, layer_number
from fshield.fleet.api.configuration import Function

#: Keys that differ between any two versions, or follow from others.
_ALWAYS_DIFFERENT = frozenset(
    {
        "FunctionArn",
        "Version",
        "LastModified",
        "RevisionId",
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "MasterArn",
        "SnapStart",
        "ResponseMetadata",
        "Description",
        "CodeSize",
        "RuntimeVersionConfig",
        "ConfigSha256",
    }
)


def differences(one: Function, other: Function, without: Collection[str] = ()) -> list[str]:
    """The differences between two versions of a function, in words, without variables' values.

    Args:
        one: the one to publish.
        without: variables that may differ.
    """
    found = []
    for key in sorted(
        {*one.raw, *other.raw} - _ALWAYS_DIFFERENT - {"Environment", "Layers", "CodeSha256"}
    ):
        if one.raw.get(key) != other.raw.get(key):
            found.append(key)
    if one.raw.get("CodeSha256") != other.raw.get("CodeSha256"):
        found.insert(0, "the code")
    if one.layers != other.layers:
        here = ", ".join(f"{layer_name(arn)}:{layer_number(arn)}" for arn in one.layers) or "none"
        found.append(f"layers (now {here})")
    names = {*one.variables, *other.variables} - set(without)
    changed = sorted(name for name in names if one.variables.get(name) != other.variables.get(name))
    if changed:
        found.append(f"variables {', '.join(changed)}")
    return found


def split_of(alias: Mapping[str, Any]) -> dict[str, float]:
    """The share of its calls that an alias sends to each version besides its own."""
    return dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def split_in_words(alias: Mapping[str, Any]) -> str:
    """`split_of` in words."""
    shares = split_of(alias).items()
    return ", ".join(f"{share * 100:.3g}% to version {version}" for version, share in shares)
