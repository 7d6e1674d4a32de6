"""Changes a function's configuration: to the new policy layer, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection

from fshield.fleet.api.configuration import POLICY, Function
from fshield.fleet.plan import Change, Refused, with_policies
from fshield.fleet.rollout.journal import Moved

_FOLDER = "/opt/function-shield.d/policies/"


def forward(
    function: Function, arn: str, policies: Collection[str], moving: Callable[[Moved], None]
) -> Change:
    """The change to the policy layer `arn`.

    Args:
        policies: the names of those in it.
        moving: called with the change before anything is written.

    Raises:
        Refused: the function is not guarded, or its policy is not in the layer.
    """
    change = with_policies(function, arn)
    _has_policy(function, policies)
    if not change.empty and arn not in function.layers:
        old, new = function.variables, change.variables
        variables = {
            name: (old.get(name), new.get(name))
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        }
        moving(Moved(function.layers, change.layers, variables))
    return change


def back(function: Function, arn: str, moved: Moved) -> Change:
    """The change back to the old configuration. Changes that others have made since stay."""
    layers: tuple[str, ...] = moved.before
    notes: tuple[str, ...] = ()
    if function.layers != moved.after:
        if arn not in function.layers:
            layers = function.layers
            if layers != moved.before:
                notes = ("its layers were changed by another hand since: left as they are",)
        else:
            place = function.layers.index(arn)
            old = [layer for layer in moved.before if layer not in moved.after]
            layers = (*function.layers[:place], *old, *function.layers[place + 1 :])
    variables = dict(function.variables)
    for name, (old_value, new_value) in moved.variables.items():
        if variables.get(name) != new_value:
            continue
        if old_value is None:
            del variables[name]
        else:
            variables[name] = old_value
    return Change(function, layers, variables, notes)


def _has_policy(function: Function, policies: Collection[str]) -> None:
    named = function.variables.get(POLICY)
    if named:
        known = named.removeprefix(_FOLDER).removesuffix(".policy") in policies
    else:
        known = function.name in policies or "default" in policies
    if not known:
        raise Refused(
            f"its policy {named or 'default'} is not in the layer",
            "add it to the folder that `fshield package` packs, or leave the function out",
            "policy not in the layer",
        )
