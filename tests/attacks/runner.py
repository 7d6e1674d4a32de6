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
from tests.attacks.stage import Observation, Stage

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
#: The problem of an attack that should have failed. tests/replica/corpus_driver.py looks for it.
SUCCEEDED = "it succeeded"


def perform(
    attack: Attack, python: Path, document: Document | None, extra: dict[str, str]
) -> Observation:
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


def describe(observed: Observation) -> str:
    """A summary of a run, for the person who has to find out why it failed."""
    end = "it hung" if observed.timed_out else f"exit status {observed.returncode}"
    printed = observed.stdout.strip().splitlines()[-3:]
    erred = observed.stderr.strip().splitlines()[-6:]
    named = sorted(observed.named) or "none"
    messages = [
        event.get("message", event["event"])
        for event in observed.events
        if event["event"] != "armed"
    ][:4]
    return f"{end}; said {printed}; errors {erred}; rules named {named}; events {messages}"


def missing_text(attack: Attack, observed: Observation) -> list[str]:
    """The problem, if no event of the attack's rules contains the text that one must contain."""
    about = [
        json.dumps(event)
        for event in observed.events
        if event.get("policy") in attack.rules + attack.also
    ]
    return [] if any(attack.says in line for line in about) else [f"no event says {attack.says}"]


def refused(observed: Observation) -> bool:
    return any(event["event"] == "refused" for event in observed.events)


def harm(attack: Attack, observed: Observation) -> list[str]:
    """What no run may do, whatever the attack."""
    found = list(observed.damage)
    if observed.timed_out:
        found.append("it hung")
    if observed.returncode < 0 or observed.returncode >= 128:
        found.append(f"it was killed (status {observed.returncode})")
    if refused(observed) and not attack.refuses:
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
) -> Observation:
    """Run an attack that must succeed, up to TRIES times. A run in which the guard did damage is
    the last. With `named`, a race is also repeated until an event names one of these rules: if the
    attack won at its first try, the guard saw only the state before.
    """
    for _ in range(TRIES):
        observed = perform(attack, python, document, extra)
        won = observed.seen and observed.claims
        if harm(attack, observed) or (
            won and (not attack.races or not named or observed.named & {*named})
        ):
            break
    return observed


def judge_bare(attack: Attack, python: Path) -> list[str]:
    """What is wrong with the attack itself: without the guard it must work."""
    observed = perform_until_won(attack, python, None, PATIENT)
    if observed.timed_out or not (observed.seen and observed.claims):
        saw = "the runner saw no effect" if observed.claims else "the program reports a failure"
        return [f"bare: it must succeed, and {saw}: {describe(observed)}"]
    return []


def judge(attack: Attack, python: Path) -> Verdict:
    """Run the attack without the guard, under every policy that must stop it, and under one that
    only reports."""
    verdict = Verdict(attack, python)
    verdict.problems += judge_bare(attack, python)
    went_through = False
    for index, (name, document) in enumerate(blocking_policies(attack)):
        observed = (
            perform_until_won(attack, python, document, PATIENT)
            if attack.open
            else perform(attack, python, document, {})
        )
        verdict.problems += [
            f"{name}: {wrong}: {describe(observed)}" for wrong in harm(attack, observed)
        ]
        counted = attack.rules + (attack.also if index == 0 else ())
        through = observed.seen or observed.claims
        if through:
            went_through = True
            if not attack.open:
                verdict.problems.append(f"{name}: {SUCCEEDED}: {describe(observed)}")
        elif not (
            observed.named & set(counted)
            or attack.open
            or attack.quiet
            or (attack.refuses and refused(observed))
        ):
            verdict.problems.append(
                f"{name}: it was stopped, but no event names {' or '.join(counted)}:"
                f" {describe(observed)}"
            )
        elif attack.says:
            verdict.problems += [
                f"{name}: {wrong}: {describe(observed)}" for wrong in missing_text(attack, observed)
            ]
        if attack.at_most and len(observed.events) > attack.at_most:
            verdict.problems.append(
                f"{name}: {len(observed.events)} events, at most {attack.at_most} are allowed"
            )
        verdict.rings |= observed.rings(counted)
    if attack.open and not went_through:
        verdict.problems.append(
            "it is declared open, and every policy held it: take its `open` line out"
        )
    verdict.held = not went_through
    document, extra = alerting(attack)
    silent = attack.open or attack.unreported or (attack.quiet and not attack.alerts)
    names = () if silent else attack.rules + attack.also
    observed = (
        perform(attack, python, document, extra)
        if attack.refuses
        else perform_until_won(attack, python, document, extra, names)
    )
    verdict.problems += [
        f"alert: {wrong}: {describe(observed)}" for wrong in harm(attack, observed)
    ]
    if attack.refuses:
        verdict.problems += (
            [] if refused(observed) else [f"alert: it must be refused: {describe(observed)}"]
        )
        return verdict
    if not (observed.seen and observed.claims):
        verdict.problems.append(f"alert: it must succeed: {describe(observed)}")
    if attack.says:
        verdict.problems += [
            f"alert: {wrong}: {describe(observed)}" for wrong in missing_text(attack, observed)
        ]
    if names and not observed.named & set(names):
        verdict.problems.append(f"alert: no event names {' or '.join(names)}: {describe(observed)}")
    return verdict
