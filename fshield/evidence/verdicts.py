"""Asks the compiled core about recorded acts, with the same request that the doors would make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fshield.engine import decide as native
from fshield.evidence.acts import INTEGRITY, ONLY_FOR, UNGUARDABLE, Act, no_exception
from fshield.language.model import RULES
from fshield.language.policy import Family, Mode

HERE = native.Facts()


@dataclass(frozen=True)
class Met:
    """The verdict on an act.

    Args:
        mode: the mode that would apply.
        source: ``FILE:LINE`` of the entry or the mode that decides; None if the policy leaves the
            mode out.
        reason: the engine's word.
        entry: the entry that decides, as compiled (one line may have several).
        entry_source: ``FILE:LINE`` of an entry that matches but does not decide, else "".
        only_for: the distributions that this entry is for.
        caller: the distribution that asked.
    """

    mode: Mode
    source: str | None
    reason: str
    entry: str = ""
    entry_source: str = ""
    only_for: tuple[str, ...] = ()
    caller: str = ""

    @property
    def words(self) -> str:
        """What decided: ``FILE:LINE``, and the callers of the entry there."""
        if self.reason == UNGUARDABLE:
            return "no rule: the guard cannot be loaded into it"
        if self.reason != ONLY_FOR:
            return self.source or "left out"
        names = ", ".join(self.only_for)
        return f"{self.entry_source}: allowed for {names}; asked by {self.caller or 'unknown'}"


def met_by(
    policy: native.Compiled, act: Act, target: str, facts: native.Facts, callers: Iterable[str]
) -> Met:
    """The verdict on `act` with all of `callers` on the stack: the strictest."""
    found = [met(policy, act, target, facts, caller) for caller in callers]
    return max(found, key=lambda one: one.mode)


def met(
    policy: native.Compiled, act: Act, target: str, facts: native.Facts = HERE, caller: str = ""
) -> Met:
    """The verdict on `act` under `policy`.

    Args:
        policy: compiled.
        act: what was done.
        target: exactly one of the paths or names that `act` stands for.
        facts: about the function: its region, its variables.
        caller: the distribution that does it, for entries with ``only_for``.
    """
    if act.rule == INTEGRITY:
        blocks = Mode.BLOCK in policy.modes.values()
        return Met(Mode.BLOCK if blocks else Mode.ALERT, None, INTEGRITY)
    family = Family(RULES.index(act.rule))
    if family is Family.PROCESS and target and no_exception(act):
        # As guard_integrity() of the core: blocked where any rule blocks.
        mode = max(policy.modes.values())
        return Met(mode, None, UNGUARDABLE)
    if act.refused or family is Family.RUNTIME_API or not target:
        return Met(policy.modes[family], policy.mode_source(family), act.refused or "no_rule")
    if family is Family.OUTBOUND:
        address = act.address
        if address is not None:
            found = policy.decide(family, ip=address, port=act.port, facts=facts, caller=caller)
        else:
            found = policy.decide(
                family,
                names=(act.target,),
                port=act.port,
                facts=facts,
                caller=caller,
                look_up=not act.port,
            )
        return _met(found, caller)
    if family is Family.NATIVE:
        return _native(policy, act, target, caller)
    return _met(policy.decide(family, path=target, caller=caller), caller)


def _native(policy: native.Compiled, act: Act, path: str, caller: str) -> Met:
    """The verdict by the calling module, each package above it, and the library, as in
    hook_native.c.
    """
    names = (
        [act.module.rsplit(".", count)[0] for count in range(act.module.count(".") + 1)]
        if act.module
        else []
    )
    verdicts = [
        _met(policy.decide(Family.NATIVE, path=name, caller=caller), caller)
        for name in (*names, path)
        if name
    ]
    others = next((found for found in verdicts if found.only_for), verdicts[-1])
    return next((found for found in verdicts if found.mode is Mode.ALLOW), others)


def _met(verdict: native.Verdict, caller: str = "") -> Met:
    others = verdict.entry.only_for if verdict.entry and verdict.reason == ONLY_FOR else ()
    return Met(
        verdict.mode,
        verdict.source or verdict.mode_source,
        verdict.reason,
        verdict.text or "",
        verdict.entry_source or "" if others else "",
        others,
        caller if others else "",
    )
