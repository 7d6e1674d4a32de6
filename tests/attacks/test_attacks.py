"""Every attack of the corpus behaves as its header declares: without the guard, under it, and under
a policy that only reports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import support
from tests.attacks.corpus import CLASSES, Attack, corpus
from tests.attacks.machine import missing
from tests.attacks.runner import Verdict, judge

ATTACKS = corpus()
ALL = os.environ.get("ATTACKS_ALL_INTERPRETERS") == "1"
PYTHONS = support.interpreters() if ALL else [Path(sys.executable)]


def cases() -> list[object]:
    """Every attack with every chosen interpreter. Attacks that are not in Python run once."""
    found: list[object] = []
    for attack in ATTACKS:
        for python in PYTHONS if attack.language == "py" else PYTHONS[:1]:
            label = (
                f"{attack.name}-{python.parent.parent.name}" if len(PYTHONS) > 1 else attack.name
            )
            found.append(pytest.param(attack, python, id=label))
    return found


Verdicts = dict[tuple[str, Path], "Future[Verdict]"]


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> Iterator[Verdicts]:
    """The verdicts on the selected attacks, a few at a time, because a run mostly waits for
    processes."""
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        found: Verdicts = {}
        for item in request.session.items:
            parameters = (
                item.callspec.params
                if isinstance(item, pytest.Function) and hasattr(item, "callspec")
                else {}
            )
            attack, python = parameters.get("attack"), parameters.get("python")
            if (
                isinstance(attack, Attack)
                and isinstance(python, Path)
                and not missing(attack, python)
            ):
                found[attack.name, python] = pool.submit(judge, attack, python)
        yield found
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("attack", "python"), cases())
def test_behaves_as_declared(attack: Attack, python: Path, verdicts: Verdicts) -> None:
    lacking = missing(attack, python)
    if lacking:
        pytest.skip(f"needs {lacking}")
    verdict = verdicts[attack.name, python].result()
    assert verdict.behaves, "\n".join(verdict.problems)


def test_corpus_is_large_and_covers_every_class() -> None:
    assert len(ATTACKS) >= 120
    assert {attack.kind for attack in ATTACKS} == set(CLASSES)


def test_each_open_attack_says_why() -> None:
    assert all(len(attack.open.split()) >= 4 for attack in ATTACKS if attack.open)
