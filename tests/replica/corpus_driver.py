"""Runs the corpus inside the container: one line of JSON for each attack on standard output.

Arguments: words, as for run.py.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, "/corpus")
from tests.attacks.corpus import Attack, corpus
from tests.attacks.machine import missing
from tests.attacks.runner import SUCCEEDED, judge

PYTHON = Path("/var/lang/bin/python3")
# The problems that remain if the attack cannot work at all in this sandbox.
STAYS_WRONG = (
    SUCCEEDED,
    "it hung",
    "it was killed",
    "the guard refused",
    "an event that is no JSON",
)
# The sandbox's own answer to a compat system call.
BY_SANDBOX = ("it was killed (status -31)", "it was killed (status 159)")


def stays_wrong(problem: str) -> bool:
    what = problem.partition(": ")[2]
    return what.startswith(STAYS_WRONG) and not what.startswith(BY_SANDBOX)


def one(attack: Attack) -> dict[str, Any]:
    lacking = missing(attack, PYTHON)
    if lacking:
        return {"name": attack.name, "verdict": "not run", "why": lacking}
    verdict = judge(attack, PYTHON)
    problems = verdict.problems
    word = "open" if attack.open else "held"
    if any(problem.startswith("bare: ") for problem in problems):
        word = "sandbox"
        problems = [
            problem
            for problem in problems
            if not problem.startswith("bare: ") and stays_wrong(problem)
        ]
    return {
        "name": attack.name,
        "verdict": word if not problems else "not as declared",
        "rings": sorted(verdict.rings),
        "problems": problems,
        "bare": [problem for problem in verdict.problems if problem.startswith("bare: ")],
    }


def main(words: list[str]) -> None:
    attacks = [
        attack for attack in corpus() if not words or any(word in attack.name for word in words)
    ]
    with ThreadPoolExecutor(max_workers=3) as pool:
        for answer in pool.map(one, attacks):
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
