"""Finds out what is guarded, by which engine and policy, and what only looks guarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from fshield.fleet.api.arn import layer_name, layer_number
from fshield.fleet.api.configuration import LAUNCHER, MODE, NEXT_WRAPPER, POLICY, WRAPPER, Function
from fshield.fleet.api.runtimes import Fitness, fitness
from fshield.fleet.plan import is_engine, is_policies


class State(str, Enum):
    """The states of a function, the worst last."""

    GUARDED = "guarded"
    DRY_RUN = "dry run"
    NONE = "no guard"
    CANNOT = "cannot be"
    UNKNOWN = "unknown"
    OFF = "off"
    LAYER_ONLY = "NOT GUARDED"
    BROKEN = "BROKEN"


#: States that are not findings. A dry run is a choice, which the columns show.
FINE = frozenset({State.GUARDED, State.DRY_RUN})


@dataclass(frozen=True)
class Expected:
    """What a guarded function should have. Fields that are None or empty are not compared.

    Args:
        engines: for each architecture the layer version.
        policy: the policy's name.
        names: our layers that have other names.
        newest: for each layer name the newest version in use; older ones have drifted.
    """

    engines: Mapping[str, str] | None = None
    policy: str | None = None
    names: frozenset[str] = frozenset()
    newest: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Standing:
    """The status of one function.

    Args:
        engine: the engine's layer as ``NAME:VERSION``, or None.
        policy: its name; None if the function's own name chooses it, or there is no guard.
        drift: how it differs from what is expected, in words.
        findings: what else is wrong, in words.
        aliases: alias to the standing of the version that it points to.
        remarks: notes, if nothing is wrong with the guard.
    """

    function: Function
    state: State
    engine: str | None
    policy: str | None
    drift: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    aliases: Mapping[str, Standing] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether there is nothing to look at."""
        aliases = self.aliases or {}
        return (
            self.state in FINE
            and not self.drift
            and not self.findings
            and all(a.fine for a in aliases.values())
        )

    def notes(self) -> list[str]:
        """The notes besides the columns."""
        notes = [*self.findings, *self.drift, *self.remarks]
        for name, standing in sorted((self.aliases or {}).items()):
            same = standing.state is self.state and standing.policy == self.policy
            if not same or standing.findings or standing.drift:
                what = [standing.state.value, *standing.findings, *standing.drift]
                if standing.policy != self.policy and standing.policy:
                    what.append(f"policy {standing.policy}")
                notes.append(
                    f"alias {name}, version {standing.function.version}: {', '.join(what)}"
                )
        return notes

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        function = self.function
        return {
            "function": function.name,
            "version": function.version,
            "state": self.state.value,
            "engine": self.engine,
            "policy": self.policy,
            "mode": function.variables.get(MODE),
            "next_wrapper": function.variables.get(NEXT_WRAPPER),
            "runtime": function.runtime,
            "architecture": function.architecture,
            "drift": list(self.drift),
            "findings": list(self.findings),
            "remarks": list(self.remarks),
            "aliases": (
                None
                if self.aliases is None
                else {name: standing.as_dict() for name, standing in sorted(self.aliases.items())}
            ),
        }


def standing(function: Function, expected: Expected) -> Standing:
    """The status of a function."""
    fit = fitness(function.package_type, function.runtime)
    remarks = (fit.deprecated,) if fit.deprecated else ()
    return replace(_standing(function, expected, fit), remarks=remarks)


def _standing(function: Function, expected: Expected, fit: Fitness) -> Standing:
    engines = [arn for arn in function.layers if is_engine(arn, expected.names)]
    engine = engines[-1] if engines else None
    label = f"{layer_name(engine)}:{layer_number(engine)}" if engine else None
    policy = function.variables.get(POLICY)
    if function.unreadable:
        return Standing(
            function, State.UNKNOWN, label, None, findings=(f"variables: {function.unreadable}",)
        )
    wrapper = function.variables.get(WRAPPER)
    if not function.guarded and not engine:
        if fit.refused:
            return Standing(function, State.CANNOT, None, None, findings=(fit.refused,))
        return Standing(function, State.NONE, None, None)
    if not function.guarded:
        why = f"{WRAPPER} is {wrapper}" if wrapper else f"{WRAPPER} is not set"
        return Standing(
            function, State.LAYER_ONLY, label, policy, findings=(f"has the layer, but {why}",)
        )
    if not engine:
        if function.package_type == "Image":
            return Standing(function, _guarded_state(function), "in the image", policy)
        if all(is_policies(arn, expected.names) for arn in function.layers):
            why = f"{WRAPPER} is {LAUNCHER}, and no layer has it: it does not start"
            return Standing(function, State.BROKEN, None, policy, findings=(why,))
    return Standing(
        function,
        _guarded_state(function),
        label,
        policy,
        _drift(function, engine, expected),
        _findings(function, engine, engines, expected),
    )


def _guarded_state(function: Function) -> State:
    mode = function.variables.get(MODE)
    if mode == "off":
        return State.OFF
    return State.DRY_RUN if mode == "alert" else State.GUARDED


def _drift(function: Function, engine: str | None, expected: Expected) -> tuple[str, ...]:
    drift = []
    wanted = (expected.engines or {}).get(function.architecture)
    if wanted and engine != wanted:
        drift.append(f"engine is not {layer_name(wanted)}:{layer_number(wanted)}")
    elif engine and not wanted:
        newest = (expected.newest or {}).get(layer_name(engine), 0)
        if layer_number(engine) < newest:
            drift.append(f"older engine than {newest}, which others have")
    policy = function.variables.get(POLICY)
    if expected.policy and policy != expected.policy:
        drift.append(f"policy is {policy or 'chosen by the name'}, not {expected.policy}")
    return tuple(drift)


def _findings(
    function: Function, engine: str | None, engines: Sequence[str], expected: Expected
) -> tuple[str, ...]:
    findings = []
    if engine is None:
        findings.append("no layer of it is known as ours: name it with --layer-arn")
        return tuple(findings)
    after = function.layers[function.layers.index(engine) + 1 :]
    later = [layer_name(arn) for arn in after if not is_policies(arn, expected.names)]
    if later:
        findings.append(f"layers after ours, which may replace it: {', '.join(later)}")
    if len(engines) > 1:
        findings.append("two engines: the last one counts")
    for architecture in ("x86_64", "arm64"):
        if layer_name(engine).endswith(architecture) and function.architecture != architecture:
            findings.append(
                f"an engine for {architecture} on {function.architecture}: it does not start"
            )
    mode = function.variables.get(MODE)
    if mode not in (None, "alert", "off"):
        findings.append(f"{MODE}={mode} is unknown: it does not start")
    return tuple(findings)


def newest_engines(functions: Iterable[Function], names: frozenset[str]) -> dict[str, int]:
    """For each engine layer, the newest version that any of the functions uses."""
    newest: dict[str, int] = {}
    for function in functions:
        for arn in function.layers:
            if is_engine(arn, names):
                newest[layer_name(arn)] = max(newest.get(layer_name(arn), 0), layer_number(arn))
    return newest


def with_aliases(of: Standing, aliases: Mapping[str, Function], expected: Expected) -> Standing:
    """`of`, with the status of its aliases' versions, which are what callers reach."""
    return replace(
        of, aliases={name: standing(function, expected) for name, function in aliases.items()}
    )
