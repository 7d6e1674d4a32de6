"""``fshield diff --dependencies``: finds the packages of a lock file that are new or newer, what
the policy allows to them, and what they did in the tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.evidence.acts import Act
from fshield.evidence.callers import Chain
from fshield.evidence.dependencies import UNKNOWN, asked_as, distribution_of
from fshield.evidence.lockfiles import Lock, Pin, key
from fshield.evidence.touched import Touched
from fshield.evidence.verdicts import HERE, Met, met_by
from fshield.language.model import RULES
from fshield.language.policy import Allow, Mode, Policy

Kind = Literal["new", "replaced", "newer", "older", "changed"]
_WHY = {
    "no_rule": "no rule allows it",
    "port": "allowed on other ports only",
    "variable": "its variable was unset or unfit",
}


@dataclass(frozen=True)
class May:
    """An entry of the policy that is for a package, but not for all.

    Args:
        entry: in one line, without its callers.
        rule: where it stands in the policy.
        source: ``FILE:LINE``.
        through: the package in `only_for`, if that requires the updated one; else "".
    """

    entry: str
    rule: str
    source: str
    through: str = ""


@dataclass(frozen=True)
class Did:
    """Something that a package did in the tests, or that was done through it.

    Args:
        what: ``reach HOST:PORT``.
        policy: the rule that judges it.
        count: how often.
        by: who asked, by the stack.
        mode: the policy's verdict; without a policy, what the engine did.
        why: the reason, in words; "" if it is allowed.
        rule: ``FILE:LINE`` that decided, if a policy was named.
        new: the tests with the old lock file did not do it; None without their log.
    """

    what: str
    policy: str
    count: int
    by: str
    mode: str
    why: str = ""
    rule: str | None = None
    new: bool | None = None

    @property
    def matters(self) -> bool:
        """Whether it is blocked or new."""
        return self.mode == "block" or bool(self.new)


@dataclass
class Update:
    """One package that changed.

    Args:
        name: as the new lock file has it.
        change: ``replaced`` is the same version with other files.
        old, new: versions.
        line: in the new lock file.
        may: what the policy allows to it, but not to every package.
        did: what it did in the tests, the most important first.
    """

    name: str
    change: Kind
    old: list[str]
    new: list[str]
    line: int
    may: list[May] = field(default_factory=list)
    did: list[Did] = field(default_factory=list)

    @property
    def matters(self) -> bool:
        """Whether a person has to look at it."""
        return self.change in ("new", "replaced") or any(did.matters for did in self.did)


@dataclass
class Updates:
    """The comparison of two lock files.

    Args:
        found: the changed packages, the most important first.
        gone: names that the new lock file lacks.
        same: the number of packages that did not change.
        every: what the policy allows to every package; None without a policy.
        modes: the modes of its rules that do not block.
        notes: what else to know.
    """

    found: list[Update]
    gone: list[str]
    same: int
    every: list[May] | None = None
    modes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def widens(self) -> bool:
        """Whether a person has to look at something."""
        return any(update.matters for update in self.found)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ok": not self.widens,
            "packages": [asdict(update) for update in self.found],
            "gone": self.gone,
            "same": self.same,
            "every_package": None if self.every is None else [asdict(may) for may in self.every],
            "modes": self.modes,
            "notes": self.notes,
        }


def updates(
    old: Lock,
    new: Lock,
    policy: Policy | None = None,
    after: Touched | None = None,
    before: Touched | None = None,
    facts: native.Facts = HERE,
) -> Updates:
    """Compare two lock files.

    Args:
        old, new: the lock files, of one kind.
        policy: of the function.
        after, before: what was done in the tests with the new packages, and with the old ones.
        facts: what the engine knows of the function.
    """
    found = [
        made
        for name, pin in new.pins.items()
        if pin.versions and (made := _update(old.pins.get(name), pin))
    ]
    known = {name for name, pin in old.pins.items() if pin.versions}
    kept = {name for name, pin in new.pins.items() if pin.versions}
    result = Updates(found, sorted(known - kept), len(kept) - len(found))
    if policy:
        result.modes = {
            rule: policy.modes[family].mode.name.lower()
            for family, rule in zip(policy.modes, RULES, strict=False)
            if policy.modes[family].mode is not Mode.BLOCK
        }
        result.every = [_may(entry) for entry in _entries(policy) if _for_all(entry, new)]
        for update in found:
            update.may = list(_of(policy, new, key(update.name)))
    if after:
        compiled = native.Compiled(compile_policy(policy)) if policy else None
        done = _by_package(after)
        earlier = (
            {name: set(acts) for name, acts in _by_package(before).items()} if before else None
        )
        for update in found:
            name = key(update.name)
            update.did = [
                _did(after, act, by, compiled, facts, earlier, name)
                for act, by in done.get(name, {}).items()
            ]
            update.did.sort(key=lambda did: (not did.matters, not did.new, -did.count, did.what))
    found.sort(key=lambda one: (not one.matters, _ORDER[one.change], not one.did, one.name.lower()))
    result.notes = list(_notes(new, policy, after))
    return result


_ORDER = {"new": 0, "replaced": 1, "newer": 2, "changed": 3, "older": 4}


def _notes(new: Lock, policy: Policy | None, after: Touched | None) -> Iterator[str]:
    for_some = policy is not None and any(entry.only_for for entry in policy.allows)
    if for_some and new.kind == "pip" and not any(pin.required_by for pin in new.pins.values()):
        yield (
            f"{new.file} does not say what requires what: an entry for a package counts for what it"
            " requires too"
        )
    if after is not None and not after.events:
        yield "no event of an act is in the log: were the tests guarded?"
    if after is not None and after.overflow + after.unattributed:
        yield f"{after.overflow + after.unattributed:,} acts were beyond what is kept"


# ---- versions ----


def _update(before: Pin | None, pin: Pin) -> Update | None:
    now = sorted(pin.versions, key=_order)
    if before is None or not before.versions:
        return Update(pin.name, "new", [], now, pin.line)
    was = sorted(before.versions, key=_order)
    if was == now:
        # A lock file gains hashes when files are added to a release. It is a change only if no hash
        # is the same.
        other = before.hashes and pin.hashes and not before.hashes & pin.hashes
        return Update(pin.name, "replaced", was, now, pin.line) if other else None
    return Update(pin.name, _direction(was, now), was, now, pin.line)


def _direction(was: list[str], now: list[str]) -> Kind:
    added = [one for one in now if one not in was]
    if any("/" in one for one in (*was, *now)):
        return "changed"
    if not added:
        return "changed"  # one of several is gone
    highest = max(map(_order, added))
    if highest > max(map(_order, was)):
        return "newer"
    return "older" if highest < min(map(_order, was)) else "changed"


def _order(version: str) -> tuple[Any, ...]:
    """A sort key: later versions are greater, by the rules that PEP 440 and SemVer share."""
    epoch, _, rest = version.rpartition("!")
    match = re.match(r"v?(\d+(?:\.\d+)*)(.*)\Z", rest, re.DOTALL)
    if not match:
        return (0, (), 0, version)
    release = [int(part[:18]) for part in match[1].split(".")]
    while release and release[-1] == 0:
        release.pop()
    end = match[2].lower()
    early = re.match(r"[-_.]?(?:(dev)|a|b|c|rc|alpha|beta|pre|preview|next|canary)", end)
    rank = (
        (-2 if early[1] else -1) if early else 1 if re.match(r"[-_.]?(post|r|rev)?\d", end) else 0
    )
    parts = tuple(
        (0, int(part[:18]), "") if part.isdigit() else (1, 0, part)
        for part in re.findall(r"\d+|[a-z]+", end)
    )
    return (int(epoch[:9]) if epoch.isdigit() else 0, tuple(release), rank, parts)


# ---- what the policy says ----


def _entries(policy: Policy) -> Iterator[Allow]:
    """Each entry once: one in the file may be several in the policy."""
    seen: set[tuple[str, str]] = set()
    for entry in policy.allows:
        if (entry.source, entry.text) not in seen:
            seen.add((entry.source, entry.text))
            yield entry


def _for_all(entry: Allow, lock: Lock) -> bool:
    # In Node.js the caller is unknown.
    return not entry.only_for or (lock.kind == "npm" and UNKNOWN in entry.only_for)


def _may(entry: Allow, through: str = "") -> May:
    return May(entry.target, RULES[entry.family], entry.source, through)


def _of(policy: Policy, lock: Lock, name: str) -> Iterator[May]:
    if lock.kind == "npm":
        return
    above = lock.requirers(name)
    for entry in _entries(policy):
        if name in entry.only_for:
            yield _may(entry)
        elif entry.only_for and (
            through := next((one for one in entry.only_for if one in above), "")
        ):
            yield _may(entry, through)


# ---- what was done ----


def _by_package(evidence: Touched) -> dict[str, dict[Act, Counter[Chain]]]:
    """For each distribution, the acts with it on the stack."""
    found: dict[str, dict[Act, Counter[Chain]]] = {}
    for (chain, act), tally in evidence.by.items():
        for name in {distribution_of(evidence, package) for package in chain} - {""}:
            found.setdefault(name, {}).setdefault(act, Counter())[chain] += tally.done.total()
    return found


def _did(
    evidence: Touched,
    act: Act,
    by: Counter[Chain],
    policy: native.Compiled | None,
    facts: native.Facts,
    earlier: dict[str, set[Act]] | None,
    name: str,
) -> Did:
    who = "; ".join(
        dict.fromkeys(evidence.packages.of(chain).words for chain, _ in by.most_common(2))
    )
    new = None if earlier is None else act not in earlier.get(name, set())
    if policy is None:
        modes = Counter[str]()
        for chain in by:
            modes += evidence.by[chain, act].done
        mode = "block" if modes["block"] else "alert" if modes["alert"] else "allow"
        why = next((note for chain in by if (note := evidence.by[chain, act].for_others)), "")
        return Did(act.words, act.rule, by.total(), who, mode, why, None, new)
    seen = evidence.acts.get(act)
    targets = (sorted(seen.examples) if seen else []) or [act.target]
    verdicts = [
        met_by(policy, act, target, facts, asked_as(evidence, [chain]))
        for chain in by
        for target in targets
    ]
    worst = max(verdicts, key=lambda one: one.mode)
    return Did(
        act.words,
        act.rule,
        by.total(),
        who,
        worst.mode.name.lower(),
        "" if worst.mode is Mode.ALLOW else _why(worst),
        worst.source,
        new,
    )


def _why(verdict: Met) -> str:
    return verdict.words if verdict.only_for else _WHY.get(verdict.reason, verdict.reason)
