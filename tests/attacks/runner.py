"""Runs an attack three ways, and judges whether it behaves as its header declares."""

from __future__ import annotations

import copy
import json
import re
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests import support
from tests.attacks.corpus import POLICIES, Attack
from tests.attacks.stage import Look, Stage

Document = dict[str, Any]


@dataclass
class Verdict:
    """How one attack behaved with one interpreter.

    Attributes:
        held: whether it was stopped under every blocking policy, and named.
        rings: the rings that named it.
        problems: each difference from the header, with what was observed.
    """

    attack: Attack
    python: Path
    held: bool = True
    rings: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def behaves(self) -> bool:
        return not self.problems


class Words(yaml.SafeLoader):
    """Reads `on` and `off` as strings, as fshield does. PyYAML's own loader makes them booleans."""


Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Words.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(?:true|false)$"), ["t", "f"])


@cache
def load_policy(path: Path) -> Document:
    """The file's document. Callers must not change it."""
    document: Document = yaml.load(path.read_text(), Loader=Words)
    return document


def with_mode(document: Document, wanted: str) -> Document:
    """A copy of the document in which every blocking rule has the mode `wanted`."""
    changed = copy.deepcopy(document)
    for name, rule in changed["policy"].items():
        if rule == "block":
            changed["policy"][name] = wanted
        elif isinstance(rule, dict) and rule.get("mode") in ("block", "ephemeral"):
            rule["mode"] = wanted
    return changed


def without_version(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "version"}


def blocking_policies(attack: Attack) -> list[tuple[str, Document]]:
    """The policies under which this attack must fail: its own or strict, and a copy of that with
    the rules of `also` allowed."""
    source = (
        POLICIES / attack.policy
        if attack.policy.endswith(".yaml")
        else support.ROOT / "policies" / "strict.yaml"
    )
    document = load_policy(source)
    found = [(source.stem, document)]
    if attack.also:
        apart = copy.deepcopy(document)
        for rule in attack.also:
            apart["policy"][rule] = "allow"
        found.append((f"{source.stem} with {', '.join(attack.also)} allowed", apart))
    return found


def alerting(attack: Attack) -> tuple[Document, dict[str, str]]:
    """The same rules in alert mode. An attack on the guard itself is only reported in a dry run,
    because no rule covers it."""
    document = blocking_policies(attack)[0][1]
    if "guard_integrity" in attack.rules:
        document = {**document, "allow_mode_override": ["alert"]}
        return document, {"FUNCTION_SHIELD_MODE": "alert", **PATIENT}
    return with_mode(document, "alert"), PATIENT


#: For a run that must succeed: how long it tries a race, because the machine may be busy.
PATIENT = {"ATTACK_SECONDS": "40"}
COMPILING = threading.Lock()


def perform(attack: Attack, python: Path, document: Document | None, extra: dict[str, str]) -> Look:
    """Run one attack once; without the guard if there is no policy."""
    with Stage(attack, python) as stage:
        if document is None or support.UNGUARDED:
            return stage.run(None, extra)
        # policy_file is safe across processes, but not across threads.
        with COMPILING:
            chosen = support.policy_file(without_version(document))
        if attack.policy.startswith("own"):
            # The program may write to this policy, so each run gets its own copy.
            own = stage.folder / "own.policy"
            own.write_bytes(Path(chosen).read_bytes())
            chosen = str(own)
        given = {"FUNCTION_SHIELD_POLICY": chosen, "ATTACK_POLICY": chosen, **extra}
        return stage.run(stage.layer / support.LAUNCHER.name, given)


def tell(look: Look) -> str:
    """A summary of a run, for the person who has to find out why it failed."""
    end = "it hung" if look.timed_out else f"exit status {look.returncode}"
    said = look.stdout.strip().splitlines()[-3:]
    erred = look.stderr.strip().splitlines()[-6:]
    named = sorted(look.named) or "none"
    messages = [
        event.get("message", event["event"]) for event in look.events if event["event"] != "armed"
    ][:4]
    return f"{end}; said {said}; errors {erred}; rules named {named}; events {messages}"


def unsaid(attack: Attack, look: Look) -> list[str]:
    """The problem, if no event of the attack's rules contains the text that one must contain."""
    about = [
        json.dumps(event)
        for event in look.events
        if event.get("policy") in attack.rules + attack.also
    ]
    return [] if any(attack.says in line for line in about) else [f"no event says {attack.says}"]


def refused(look: Look) -> bool:
    return any(event["event"] == "refused" for event in look.events)


def hurt(attack: Attack, look: Look) -> list[str]:
    """What no run may do, whatever the attack."""
    found = list(look.damage)
    if look.timed_out:
        found.append("it hung")
    if look.returncode < 0 or look.returncode >= 128:
        found.append(f"it was killed (status {look.returncode})")
    if refused(look) and not attack.refuses:
        found.append("the guard refused to run it")
    return found


#: A race can be lost on a busy machine. Only runs that must succeed are repeated.
TRIES = 3


def perform_until_won(
    attack: Attack,
    python: Path,
    document: Document | None,
    extra: dict[str, str],
    named: tuple[str, ...] = (),
) -> Look:
    """Run an attack that must succeed, up to TRIES times. A run in which the guard did damage is
    the last. With `named`, a race is also repeated until an event names one of these rules: if the
    attack won at its first try, the guard saw only the state before.
    """
    for _ in range(TRIES):
        look = perform(attack, python, document, extra)
        won = look.seen and look.claims
        if hurt(attack, look) or (won and (not attack.races or not named or look.named & {*named})):
            break
    return look


def judge_bare(attack: Attack, python: Path) -> list[str]:
    """What is wrong with the attack itself: without the guard it must work."""
    look = perform_until_won(attack, python, None, PATIENT)
    if look.timed_out or not (look.seen and look.claims):
        saw = "nothing of it was seen" if look.claims else "it says itself that it did not work"
        return [f"bare: it must succeed, and {saw}: {tell(look)}"]
    return []


def judge(attack: Attack, python: Path) -> Verdict:
    """Run the attack without the guard, under every policy that must stop it, and under one that
    only reports."""
    verdict = Verdict(attack, python)
    verdict.problems += judge_bare(attack, python)
    went_through = False
    for index, (name, document) in enumerate(blocking_policies(attack)):
        look = (
            perform_until_won(attack, python, document, PATIENT)
            if attack.open
            else perform(attack, python, document, {})
        )
        verdict.problems += [f"{name}: {wrong}: {tell(look)}" for wrong in hurt(attack, look)]
        counted = attack.rules + (attack.also if index == 0 else ())
        through = look.seen or look.claims
        if through:
            went_through = True
            if not attack.open:
                verdict.problems.append(f"{name}: it went through: {tell(look)}")
        elif not (
            look.named & set(counted)
            or attack.open
            or attack.quiet
            or (attack.refuses and refused(look))
        ):
            verdict.problems.append(
                f"{name}: it was stopped, but no event names {' or '.join(counted)}: {tell(look)}"
            )
        elif attack.says:
            verdict.problems += [f"{name}: {wrong}: {tell(look)}" for wrong in unsaid(attack, look)]
        if attack.at_most and len(look.events) > attack.at_most:
            verdict.problems.append(
                f"{name}: {len(look.events)} events, at most {attack.at_most} are allowed"
            )
        verdict.rings |= look.rings(counted)
    if attack.open and not went_through:
        verdict.problems.append(
            "it is declared open, and every policy held it: take its `open` line out"
        )
    verdict.held = not went_through
    document, extra = alerting(attack)
    silent = attack.open or attack.unreported or (attack.quiet and not attack.alerts)
    names = () if silent else attack.rules + attack.also
    look = (
        perform(attack, python, document, extra)
        if attack.refuses
        else perform_until_won(attack, python, document, extra, names)
    )
    verdict.problems += [f"alert: {wrong}: {tell(look)}" for wrong in hurt(attack, look)]
    if attack.refuses:
        verdict.problems += [] if refused(look) else [f"alert: it must be refused: {tell(look)}"]
        return verdict
    if not (look.seen and look.claims):
        verdict.problems.append(f"alert: it must succeed: {tell(look)}")
    if attack.says:
        verdict.problems += [f"alert: {wrong}: {tell(look)}" for wrong in unsaid(attack, look)]
    if names and not look.named & set(names):
        verdict.problems.append(f"alert: no event names {' or '.join(names)}: {tell(look)}")
    return verdict
