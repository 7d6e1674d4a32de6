"""The first screen of the report: what happened, in sentences, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fshield.evidence.acts import Act, span
from fshield.evidence.callers import Chain
from fshield.evidence.touched import Dependency, Touched, owner

_NAMED = 3
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "busybox"})


@dataclass(frozen=True)
class Summary:
    """What the page begins with.

    Args:
        happened: the sentence that matters most.
        where: for which functions, since when.
        advice: what to do, the most urgent first.
        mode: ``block``, ``alert`` or ``allow``: the mode that the sentence is about.
    """

    happened: str
    where: str
    advice: list[str]
    mode: str


def summary(evidence: Touched, dependencies: list[Dependency], policy_name: str = "") -> Summary:
    """The summary of what was read."""
    blocked = [each for each in dependencies if each.done["block"]]
    if blocked:
        where = _where(evidence, "block")
        return Summary(_happened("block", blocked), where, _advice(blocked, policy_name), "block")
    reported = [each for each in dependencies if each.done["alert"]]
    if reported:
        opening = f"Nothing was blocked. {_happened('alert', reported)}"
        return Summary(
            opening,
            _where(evidence, "alert"),
            [
                "Read each line below. fshield learn makes a policy of what is needed, and holds"
                " back what no part of the function asked for.",
                "fshield ready says when the function can be enforced.",
            ],
            "alert",
        )
    if evidence.events:
        return Summary(
            "Nothing was blocked or reported: all that was recorded was allowed.",
            _where(evidence, "allow"),
            [],
            "allow",
        )
    return Summary(
        "No act was recorded. That is not the same as none: the log may be of another time, or the"
        " function may not be guarded.",
        _where(evidence, ""),
        ["fshield status says which functions are guarded."],
        "",
    )


def _happened(mode: str, guilty: list[Dependency]) -> str:
    times = sum(each.done[mode] for each in guilty)
    verb = "blocked" if mode == "block" else "reported"
    noun = "attempt" if mode == "block" else "act"
    count = f"{times:,} {noun}{'' if times == 1 else 's'} {verb}"
    first = guilty[0]
    name = who(first)
    if len(guilty) == 1:
        return f"{count}, {'' if times == 1 else 'all '}by {name}: it {_did(first, mode)}."
    share = f"{first.done[mode]:,} of them by {name}: it {_did(first, mode)}"
    others = ", ".join(each.label for each in guilty[1 : 1 + _NAMED])
    more = len(guilty) - 1 - _NAMED
    return f"{count}, {share}. The others: {others}{f' and {more} more' if more > 0 else ''}."


def who(dependency: Dependency) -> str:
    """The caller, in words."""
    if dependency.own:
        return f"{dependency.label}, the function's own code"
    if not dependency.name:
        return "a caller that no event names"
    return f"{dependency.label}, which is not your code"


def _did(dependency: Dependency, mode: str) -> str:
    """What it tried, in words; the kind with the most targets first."""
    acts = [touch.act for touch in dependency.folded if touch.tally.done[mode]]
    words = list(dict.fromkeys(_tried(act) for act in acts))
    named = words[:_NAMED]
    if len(words) > _NAMED:
        named.append(f"{len(words) - _NAMED} more")
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return f"tried to {listed}"


def _tried(act: Act) -> str:
    if act.rule == "create_child_process" and act.target.rpartition("/")[2] in _SHELLS:
        return "start a shell"
    if act.rule == "read_handler":
        return "read the handler's source"
    if act.rule == "native_code":
        return "run machine code"
    if act.rule == "guard_integrity":
        return "change the guard"
    return act.words


def function_names(evidence: Touched) -> list[str]:
    """All functions that events name."""
    return sorted({place.function for place in evidence.fleet} | evidence.functions)


def _where(evidence: Touched, mode: str) -> str:
    """The functions that the sentence is about, of how many, and since when."""
    known = function_names(evidence)
    guilty = {
        place.function
        for place, inside in evidence.fleet.items()
        if any(done[mode] for done in inside.rules.values())
    }
    names = sorted(guilty) or known
    functions = ", ".join(names[:_NAMED]) + (
        f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    )
    of = f", of {len(known):,} functions" if len(known) > len(names) else ""
    opening = f"In {functions}{of}" if functions else "No event names its function"
    return (
        f"{opening}; {span(evidence.first, evidence.last)} UTC." if evidence.last else f"{opening}."
    )


def _advice(blocked: list[Dependency], policy_name: str) -> list[str]:
    policy = policy_name or "POLICY"
    found = []
    others = [each for each in blocked if each.name and not each.own]
    for each in others[:_NAMED]:
        found.append(
            f"Find out whether {each.label} is meant to do this. If not, take that version out:"
            " it was stopped here, and may run elsewhere without a guard. Treat secrets that it"
            " could read as read."
        )
    if any(each.own for each in blocked):
        found.append(
            "The function's own code was stopped. If that breaks it, fshield fix"
            f" -p {policy} EVENTS makes the smallest edit that lets it pass."
        )
    if any(not each.name for each in blocked):
        found.append(
            "Of some attempts no caller is known: a child, a thread, or no Python. The table below"
            " has the program or file."
        )
    return found


def edges(
    evidence: Touched, dependencies: Iterable[Dependency]
) -> list[tuple[str, str, str, Counter[str]]]:
    """The drawing's lines: function, dependency, host and results, the blocked first."""
    found: dict[tuple[str, str, str], Counter[str]] = {}
    shown = {(each.name, each.own): each.label for each in dependencies}
    labels = {chain: shown.get(owner(evidence.packages.of(chain))) for chain in _chains(evidence)}
    named: dict[tuple[Chain, Act], int] = {}

    def add(function: str, chain: Chain, act: Act, done: Counter[str]) -> None:
        label = labels[chain]
        if label is None:
            return
        key = (function, label, act.place or "a socket")
        known = found.get(key)
        if known is None:
            found[key] = Counter(done)
        else:
            known.update(done)

    for place, inside in evidence.fleet.items():
        for (chain, act), tally in inside.by.items():
            if act.rule == "outbound_connectivity":
                named[chain, act] = named.get((chain, act), 0) + tally.done.total()
                add(place.function, chain, act, tally.done)
    for (chain, act), tally in evidence.by.items():
        reached = act.rule == "outbound_connectivity"
        if reached and tally.done.total() > named.get((chain, act), 0):
            add("function not named", chain, act, tally.done)
    order = sorted(
        found.items(), key=lambda item: (-item[1]["block"], -item[1]["alert"], -item[1].total())
    )
    return [(*key, done) for key, done in order]


def _chains(evidence: Touched) -> set[Chain]:
    found = {chain for chain, _ in evidence.by}
    return found.union(*({chain for chain, _ in inside.by} for inside in evidence.fleet.values()))
