"""Plans what attach and detach change in a function's configuration. Makes no calls to AWS.

Detach keeps no file. It removes the variables that attach sets and the layers with our names, and
restores the next wrapper. If that would not restore exactly what attach found (layers with other
names, our layer already in another place, variables of ours from before), attach stores what is
missing in one more variable, ``FUNCTION_SHIELD_RESTORE``. To find out whether it is needed, attach
runs detach on its own result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fshield.fleet.api.arn import layer_name, layer_number
from fshield.fleet.api.configuration import (
    LAUNCHER,
    MODE,
    NEXT_WRAPPER,
    POLICY,
    RESTORE,
    WRAPPER,
    Function,
)
from fshield.fleet.api.runtimes import fitness
from fshield.fleet.wrappers import known_wrapper

#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: neither can be raised.
MAX_LAYERS = 5
MAX_ENVIRONMENT_BYTES = 4096
_ENGINE_NAME = re.compile(r"function-shield-(x86_64|arm64)\Z")
_POLICIES_NAME = re.compile(r"function-shield-policies([-_].*)?\Z")
#: The variables that attach sets and detach removes. Neither touches FUNCTION_SHIELD_EVENTS.
_OURS = (POLICY, MODE, NEXT_WRAPPER, RESTORE)


class Refused(Exception):
    """This function is not changed, for a reason that a retry does not fix.

    Args:
        kind: the reason without details of this function. None: the same as the reason.
    """

    def __init__(self, reason: str, fix: str, kind: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.kind = kind or reason


def is_engine(arn: str, names: Iterable[str] = ()) -> bool:
    """Whether a layer is the engine's, by the name that `publish` gives it, or one of `names`."""
    name = layer_name(arn)
    return bool(_ENGINE_NAME.match(name)) or name in names


def is_policies(arn: str, names: Iterable[str] = ()) -> bool:
    """Whether a layer is a policy layer, by the name that `publish` gives it, or one of `names`."""
    name = layer_name(arn)
    return bool(_POLICIES_NAME.match(name)) or name in names


@dataclass(frozen=True)
class Wanted:
    """What attach should do to a function.

    Args:
        engines: the engine's layer version for each architecture.
        policy: what FUNCTION_SHIELD_POLICY becomes.
        policy_layers: layer versions after the engine's. Empty: keep the present ones.
    """

    engines: Mapping[str, str]
    policy: str
    policy_layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A function's configuration as it is and as it should be."""

    function: Function
    layers: tuple[str, ...]
    variables: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to change."""
        return self.layers == self.function.layers and dict(self.variables) == dict(
            self.function.variables
        )

    def request(self) -> dict[str, Any]:
        """The arguments of UpdateFunctionConfiguration: only what changes."""
        arguments: dict[str, Any] = {"FunctionName": self.function.name}
        if self.function.revision:
            arguments["RevisionId"] = self.function.revision
        if self.layers != self.function.layers:
            arguments["Layers"] = list(self.layers)
        if dict(self.variables) != dict(self.function.variables):
            arguments["Environment"] = {"Variables": dict(self.variables)}
        return arguments

    def lines(self) -> list[str]:
        """The change in lines for people. Shows only our variables: others may be secrets, and do
        not change.
        """
        before, after = self.function.layers, self.layers
        said = [
            f"- layer {layer_name(arn)}:{layer_number(arn)}" for arn in before if arn not in after
        ]
        said += [
            f"+ layer {layer_name(arn)}:{layer_number(arn)}, {place} of {len(after)}"
            for place, arn in enumerate(after, 1)
            if arn not in before
        ]
        stayed = [arn for arn in before if arn in after]
        if stayed != [arn for arn in after if arn in before]:
            said.append(f"~ layers in the order {', '.join(layer_name(arn) for arn in after)}")
        for name in sorted({*self.function.variables, *self.variables}):
            old, new = self.function.variables.get(name), self.variables.get(name)
            if old == new:
                continue
            sign = "+" if old is None else "-" if new is None else "~"
            value = f"{name}={new}" if new is not None else name
            said.append(f"{sign} {value}" + (f" (was {old})" if sign == "~" else ""))
        return said

    def short(self) -> str:
        """The change in a few words, for one line among hundreds."""
        said = []
        for sign, these, others in (
            ("+", self.layers, self.function.layers),
            ("-", self.function.layers, self.layers),
        ):
            for arn in these:
                if arn not in others:
                    name = layer_name(arn).removeprefix("function-shield-")
                    said.append(f"{sign}{name}:{layer_number(arn)}")
        before, after = self.function.variables, self.variables
        if after.get(WRAPPER) != before.get(WRAPPER):
            kept = after.get(NEXT_WRAPPER) if self.guards else after.get(WRAPPER)
            said.append(f"{'keeps' if self.guards else 'gives back'} {kept}" if kept else "wrapper")
        if after.get(POLICY) != before.get(POLICY) and POLICY in after:
            said.append(f"policy {after[POLICY]}")
        if MODE in before and MODE not in after:
            said.append(f"no mode {before[MODE]}")
        return ", ".join(said) or "variables"

    @property
    def guards(self) -> bool:
        """Whether the function is guarded after the change."""
        return self.variables.get(WRAPPER) == LAUNCHER


@dataclass(frozen=True)
class _Record:
    """The value of FUNCTION_SHIELD_RESTORE.

    Args:
        names: our layers that have other names.
        layers: the whole list that attach found, if removing our layers would not restore it.
        variables: our variables that existed before attach.
    """

    names: tuple[str, ...] = ()
    layers: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> _Record:
        try:
            found = json.loads(text or "{}")
            names, layers, variables = (
                found.get("names", []),
                found.get("layers"),
                found.get("variables", {}),
            )
            if not all(
                isinstance(each, str) for each in (*names, *(layers or ()), *variables.values())
            ):
                return cls()
            return cls(tuple(names), None if layers is None else tuple(layers), variables)
        except (ValueError, AttributeError, TypeError):
            return cls()

    def text(self) -> str:
        content: dict[str, Any] = {}
        if self.names:
            content["names"] = list(self.names)
        if self.layers is not None:
            content["layers"] = list(self.layers)
        if self.variables:
            content["variables"] = dict(self.variables)
        return json.dumps(content, separators=(",", ":"))


def attach(function: Function, wanted: Wanted) -> Change:
    """The change that puts the guard on, or brings a guarded function to another engine or policy.

    Raises:
        Refused: the function cannot be guarded, with the reason.
    """
    notes = _fit(function, wanted)
    engine = wanted.engines[function.architecture]
    engine_names = {layer_name(arn) for arn in wanted.engines.values()}
    policy_names = {layer_name(arn) for arn in wanted.policy_layers}
    record = _Record.parse(function.variables.get(RESTORE)) if function.guarded else _Record()
    ours = {*engine_names, *policy_names, *record.names}

    others = [a for a in function.layers if not is_engine(a, ours) and not is_policies(a, ours)]
    policies = wanted.policy_layers or _policy_layers(function.layers, engine_names, record.names)
    layers = (*others, engine, *policies)

    variables = dict(function.variables)
    old = variables.get(WRAPPER)
    if not function.guarded:
        # Remove the variables of an earlier guard: its mode could switch this one off, its next
        # wrapper would run.
        for name in (MODE, NEXT_WRAPPER, RESTORE):
            variables.pop(name, None)
        if old:
            variables[NEXT_WRAPPER] = old
            notes.extend(known_wrapper(old))
    elif MODE in variables:
        notes.append(f"{MODE}={variables[MODE]} stays")
    variables |= {WRAPPER: LAUNCHER, POLICY: wanted.policy}

    unlike = tuple(
        sorted(
            layer_name(a) for a in (engine, *policies) if not is_engine(a) and not is_policies(a)
        )
    )
    if function.guarded:
        before = _detached(function.layers, function.variables)
        names = tuple(dict.fromkeys((*record.names, *unlike)))
        records = [
            record,
            _Record(names, record.layers, record.variables),
            _Record(names, before[0], record.variables),
        ]
    else:
        before = (
            function.layers,
            {name: value for name, value in function.variables.items() if name != RESTORE},
        )
        left_over = {name: before[1][name] for name in _OURS if name in before[1]}
        if old == "":
            left_over[WRAPPER] = old
        records = [
            _Record(),
            _Record(unlike),
            _Record(unlike, None, left_over),
            _Record(unlike, before[0], left_over),
        ]
    variables = _recorded(layers, variables, before, records)
    _fits(function, layers, variables)
    return Change(function, layers, variables, tuple(notes))


def with_policies(function: Function, arn: str) -> Change:
    """The change that only gives a guarded function another policy layer.

    Raises:
        Refused: it is not guarded, or none of its layers is known to be the engine's.
    """
    if not function.guarded:
        raise Refused(
            "it is not guarded", "`fshield attach --policy-layer-arn` guards it", "not guarded"
        )
    recorded = _Record.parse(function.variables.get(RESTORE)).names
    engines = [layer for layer in function.layers if is_engine(layer)] or [
        layer for layer in function.layers if layer_name(layer) in recorded
    ][:1]
    if not engines:
        raise Refused(
            "no layer of it is known as the engine's", "attach it with --layer-arn", "no engine"
        )
    names = [layer_name(engine) for engine in engines]
    record = _Record.parse(function.variables.get(RESTORE))
    old = _policy_layers(function.layers, names, record.names)
    layers = [layer for layer in function.layers if layer not in old]
    place = function.layers.index(old[0]) if old else layers.index(engines[-1]) + 1
    layers.insert(place, arn)
    unlike = () if is_policies(arn) or layer_name(arn) in record.names else (layer_name(arn),)
    before = _detached(function.layers, function.variables)
    ours = (*record.names, *unlike)
    records = [
        record,
        _Record(ours, record.layers, record.variables),
        _Record(ours, before[0], record.variables),
    ]
    variables = _recorded(tuple(layers), dict(function.variables), before, records)
    _fits(function, tuple(layers), variables)
    return Change(function, tuple(layers), variables)


def _policy_layers(
    layers: tuple[str, ...], engines: Iterable[str], recorded: tuple[str, ...]
) -> tuple[str, ...]:
    """The policy layers among `layers`: by the name that `publish` gives them, or by the record.
    The record also lists engines. If no layer has an engine's name, the record's first one is the
    engine, because attach puts it first.
    """
    unlike = [
        a
        for a in layers
        if layer_name(a) in recorded and not is_engine(a, engines) and not is_policies(a)
    ]
    if not any(is_engine(a, engines) for a in layers):
        unlike = unlike[1:]
    return tuple(a for a in layers if is_policies(a) or a in unlike)


def _recorded(
    layers: tuple[str, ...],
    variables: dict[str, str],
    before: tuple[tuple[str, ...], dict[str, str]],
    records: Iterable[_Record],
) -> dict[str, str]:
    """`variables`, with the shortest record that lets detach restore `before`."""
    for record in records:
        content = {name: value for name, value in variables.items() if name != RESTORE}
        if record != _Record():
            content[RESTORE] = record.text()
        if _detached(layers, content) == before:
            return content
    raise Refused(
        "detach could not give its configuration back as it is now",
        "attach it by infrastructure as code",
    )


def detach(function: Function) -> Change:
    """The change that removes the guard and restores what attach found. Raises Refused.

    It only acts if the wrapper is ours or there is a record. So a second run does not remove what
    attach found.
    """
    if function.unreadable:
        raise Refused(*_unreadable(function))
    if not function.guarded and RESTORE not in function.variables:
        left = [layer_name(arn) for arn in function.layers if is_engine(arn)]
        left += [name for name in _OURS if name in function.variables]
        notes = (f"not guarded; left as it is: {', '.join(left)}",) if left else ()
        return Change(function, function.layers, function.variables, notes)
    layers, variables = _detached(function.layers, function.variables)
    notes = ()
    if function.guarded and layers == function.layers and layers:
        notes = ("no layer of it is known as ours: all stay",)
    elif not function.guarded and function.variables.get(NEXT_WRAPPER):
        notes = (f"{WRAPPER} was not ours any more: it stays as it is",)
    return Change(function, layers, variables, notes)


def _detached(
    layers: tuple[str, ...], variables: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Layers and variables without the guard."""
    record = _Record.parse(variables.get(RESTORE))
    ours = set(record.names)
    others = tuple(a for a in layers if not is_engine(a, ours) and not is_policies(a, ours))
    if record.layers is not None:
        # Use the recorded list only if nobody has changed the other layers since.
        was = tuple(a for a in record.layers if not is_engine(a, ours) and not is_policies(a, ours))
        if was == others:
            others = record.layers
    rest = {name: value for name, value in variables.items() if name not in _OURS}
    if variables.get(WRAPPER) == LAUNCHER:
        del rest[WRAPPER]
        if NEXT_WRAPPER in variables:
            rest[WRAPPER] = variables[NEXT_WRAPPER]
    rest |= record.variables
    return others, rest


def _fit(function: Function, wanted: Wanted) -> list[str]:
    """Notes about a function that can be guarded. Raises Refused for one that cannot."""
    fit = fitness(function.package_type, function.runtime)
    if fit.refused:
        raise Refused(fit.refused, fit.fix or "leave it out")
    if function.unreadable:
        raise Refused(*_unreadable(function))
    if function.architecture not in wanted.engines:
        known = ", ".join(wanted.engines)
        raise Refused(
            f"it runs on {function.architecture}, and the layer named is for {known}",
            "write {arch} into --layer-arn, or name a layer for each architecture",
        )
    return list(fit.notes)


def _fits(function: Function, layers: tuple[str, ...], variables: Mapping[str, str]) -> None:
    if len(layers) > MAX_LAYERS:
        raise Refused(
            f"it has {len(function.layers)} layers already, and Lambda permits {MAX_LAYERS}",
            "merge two of its layers into one",
            "too many layers",
        )
    size = environment_bytes(variables)
    if size > MAX_ENVIRONMENT_BYTES:
        raise Refused(
            f"its environment would be {size} bytes, and Lambda permits {MAX_ENVIRONMENT_BYTES}",
            f"move {size - MAX_ENVIRONMENT_BYTES} bytes of it to Parameter Store, AppConfig or"
            " Secrets Manager",
            "environment too large",
        )


def environment_bytes(variables: Mapping[str, str]) -> int:
    """The size that Lambda compares with its limit of 4 KB: the variables as compact JSON,
    according to its error message.
    """
    return len(json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False).encode())


def _unreadable(function: Function) -> tuple[str, str]:
    return (
        (
            f"its variables cannot be read ({function.unreadable}), and to write without them would"
            " erase them"
        ),
        "permit kms:Decrypt with the key of the function",
    )
