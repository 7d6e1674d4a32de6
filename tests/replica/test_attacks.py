"""The attack corpus in the stand-in: every attack that can work there behaves as its header
declares."""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.corpus import CLASSES
from tests.replica import attacks

# What Lambda's own sandbox refuses or lacks (a semaphore needs /dev/shm). An attack that needs one
# of these cannot work there, with or without the guard.
STOPPED_BY_SANDBOX = ("ptrace", "io_uring", "x32", "copy_file_range", "semaphore")


@pytest.fixture(scope="module")
def answers(debian: str) -> list[dict[str, Any]]:
    assert debian
    return attacks.run()


def test_every_attack_behaves_as_declared(answers: list[dict[str, Any]]) -> None:
    wrong = [
        f"{each['name']}: {problem}" for each in answers for problem in each.get("problems", [])
    ]
    assert not wrong, "\n".join(wrong)


def test_most_of_the_corpus_runs_there(answers: list[dict[str, Any]]) -> None:
    ran = [each for each in answers if each["verdict"] != "not run"]
    assert len(ran) >= 300
    assert {each["name"].split("/")[0] for each in ran} == set(CLASSES)


def test_only_what_the_sandbox_refuses_fails_bare(answers: list[dict[str, Any]]) -> None:
    stopped = [each for each in answers if each.get("bare")]
    assert len(stopped) <= 10
    for each in stopped:
        assert any(word in each["name"] for word in STOPPED_BY_SANDBOX), each
