"""``fshield test``: a policy's own ``tests:``, put to the engine.

Each target is one question to the compiled core, the same that ``fshield explain`` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fshield.engine import decide as native
from fshield.engine import explain
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun, Finding, PolicyError
from fshield.language import cases
from fshield.language.policy import Mode, Policy, PolicyTest

WORDS = {Mode.ALLOW: "allowed", Mode.ALERT: "alerted", Mode.BLOCK: "blocked"}


@dataclass(frozen=True)
class Result:
    """The result of one test.

    Args:
        policy: the policy's name.
        file: the file that contains the test, as the user named it.
        test: the test.
        answer: the engine's.
    """

    policy: str
    file: str
    test: PolicyTest
    answer: explain.Answer

    @property
    def passed(self) -> bool:
        """Whether the verdict is the one that the test expects."""
        return self.answer.mode is self.test.expected

    @property
    def name(self) -> str:
        """``POLICY connect api.stripe.com:443``, which ``-k`` searches."""
        return f"{self.policy} {self.test.act} {self.test.target}"

    def as_dict(self) -> dict[str, Any]:
        """The result for ``--json``."""
        verdict = self.answer.verdict
        return {
            "policy": self.policy,
            "file": self.file,
            "line": int(self.test.source.rpartition(":")[2]),
            "act": self.test.act,
            "target": self.test.target,
            "region": self.test.region,
            **({"as": self.test.caller} if self.test.caller else {}),
            "expected": WORDS[self.test.expected],
            "got": WORDS[self.answer.mode],
            "passed": self.passed,
            "why": self.answer.why,
            "rule": verdict.source if verdict else None,
            "rule_text": verdict.text if verdict else None,
            "source": self.answer.source,
            "reason": self.test.reason,
        }


def run(
    policy: Policy, floor: Policy | None = None, keep: Callable[[str], bool] = lambda name: True
) -> list[Result]:
    """Run the tests of `policy` that `keep` selects by name.

    Args:
        policy: whose tests are run.
        floor: asked as well; the stricter verdict counts.
        keep: selects by name.

    Raises:
        CouldNotRun: there is no decide library.
    """
    if not policy.tests:
        return []
    asked = [native.Compiled(compile_policy(one)) for one in (policy, floor) if one is not None]
    results = []
    for test in policy.tests:
        # If both are equally strict, name the function's own policy: its owner can fix that.
        answer = max((_ask(compiled, test) for compiled in asked), key=lambda found: found.mode)
        results.append(Result(policy.name, test.home(policy).file, test, answer))
    return [result for result in results if keep(result.name)]


def _ask(compiled: native.Compiled, test: PolicyTest) -> explain.Answer:
    facts = native.facts_of(test.region, [f"{name}={value}" for name, value in test.environment])
    return ask(compiled, test.act, test.target, facts, test.caller)


def ask(
    compiled: native.Compiled, act: str, target: str, facts: native.Facts, caller: str = ""
) -> explain.Answer:
    """The engine's answer to an act of `tests:`: connect, look_up, open, exec, load or
    read_source."""
    if act == "connect":
        host, port = cases.target(target)
        return explain.connect(compiled, f"[{host}]:{port}", facts, caller)[0]
    if act == "look_up":
        return explain.look_up(compiled, target, facts, caller)[0]
    if act == "open":
        return explain.open_path(compiled, target, caller)[0]
    if act == "exec":
        return explain.execute(compiled, target, caller)[0]
    if act == "load":
        return explain.load_code(compiled, target, caller)[0]
    return explain.read_source(compiled, target)[0]


def failures(policy: Policy, floor: Policy | None = None) -> list[Finding]:
    """The tests of `policy` that fail, as findings with each test's position. Raises
    CouldNotRun."""
    return [finding(policy, result) for result in run(policy, floor) if not result.passed]


def finding(policy: Policy, result: Result) -> Finding:
    """A failed test as a finding for ``check`` and ``package``."""
    test, answer = result.test, result.answer
    home = test.home(policy)
    because = f"; {answer.source} decides" if answer.source else ""
    subject = "" if home is policy.document else f" under {policy.name}"
    subject = f" for {test.caller}{subject}" if test.caller else subject
    return home.finding(
        "error",
        home.find(test.location),
        f"{test.act} {test.target} is {WORDS[answer.mode]}{subject}, and this test wants it"
        f" {WORDS[test.expected]}",
        fix=f"{answer.why}{because}",
    )


def refuse_failures(policy: Policy, floor: Policy | None = None) -> None:
    """Raise PolicyError with the first test of `policy` that fails. Raises CouldNotRun as well."""
    for found in failures(policy, floor):
        raise PolicyError(found)


def collect(paths: Iterable[Path]) -> list[Path]:
    """The policies that `paths` name: files as they are, folders by their ``*.yaml``. Raises
    CouldNotRun."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted((*path.glob("*.yaml"), *path.glob("*.yml")), key=lambda file: file.name)
            if not found:
                raise CouldNotRun(
                    f"{path}: no *.yaml in it", "name a policy, or a folder with policies in it"
                )
            files += found
        elif path.suffix == ".policy":
            raise CouldNotRun(
                f"{path}: a compiled policy carries no tests", "name the YAML that it was made from"
            )
        else:
            files.append(path)
    return files
