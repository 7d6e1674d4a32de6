"""The entry `fork` of create_child_process: written, explained, learnt, fixed and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine import policy_tests
from fshield.engine.check import unguardable_programs
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled, Facts
from fshield.engine.explain import execute
from fshield.engine.widening import changes
from fshield.errors import PolicyError
from fshield.evidence.fix import fix
from fshield.evidence.learn import learn
from fshield.evidence.replay import replay
from fshield.evidence.tiers import Tiers
from fshield.language.loader import resolve
from fshield.language.policy import Mode, Policy
from fshield.language.reader import parse
from fshield.language.review import findings, refuse_dead_entries
from fshield.report.pieces import what
from tests.fshield.learning import entries, held, learnt, policy_of
from tests.fshield.recorded import Log, stack

FORK = {"path": None, "arguments": "", "operation": "fork"}


def allowing(*lines: str) -> Policy:
    allow = "".join(f"      - {line}\n" for line in lines)
    text = f"version: 1\npolicy:\n  create_child_process:\n    mode: block\n    allow:\n{allow}"
    return resolve(parse("p.yaml", text.encode()), "p")


def mode(policy: Policy, target: str = "fork", asker: str = "") -> Mode:
    return execute(Compiled(compile_policy(policy)), target, asker, look=True)[0].mode


@pytest.mark.parametrize("entry", ["fork", "path: fork", "{path: fork, reason: workers}"])
def test_it_allows_forks_and_no_program(entry: str) -> None:
    policy = allowing(entry)
    assert mode(policy) is Mode.ALLOW
    assert [mode(policy, path) for path in ("/fork", "/usr/bin/fork")] == [Mode.BLOCK] * 2
    assert not list(unguardable_programs(policy)) and not findings(policy)


@pytest.mark.parametrize("entry", ["/**", "/fork", "/usr/bin/fork"])
def test_no_other_entry_allows_forks(entry: str) -> None:
    assert mode(allowing(entry)) is Mode.BLOCK
    refuse_dead_entries(allowing(entry, "fork"))


def test_it_can_be_for_some_callers() -> None:
    policy = allowing("{path: fork, only_for: [joblib]}")
    assert [mode(policy, "fork", name) for name in ("joblib", "other", "")] == [
        Mode.ALLOW,
        Mode.BLOCK,
        Mode.BLOCK,
    ]


def test_it_is_once_in_a_policy() -> None:
    with pytest.raises(PolicyError, match="can never match"):
        refuse_dead_entries(allowing("fork", "path: fork"))


@pytest.mark.parametrize(
    ("entry", "where", "fix"),
    [("fork: true", "6:9", "- fork"), ("FORK", "6:9", "/usr/bin/FORK"), ("fork*", "6:9", "/usr")],
)
def test_errors_say_how_it_is_written(tmp_path: Path, entry: str, where: str, fix: str) -> None:
    file = tmp_path / "p.yaml"
    rule = "version: 1\npolicy:\n  create_child_process:\n    mode: block\n    allow:\n"
    file.write_text(f"{rule}      - {entry}\n")
    done = CliRunner().invoke(app, ["check", str(file)])
    assert done.exit_code == 1 and f"p.yaml:{where}: error: " in done.output, done.output
    assert fix in done.output


def test_another_rule_has_no_such_entry() -> None:
    text = "version: 1\npolicy:\n  read_write_tmp: {mode: block, allow: [fork]}\n"
    with pytest.raises(PolicyError, match="not absolute"):
        resolve(parse("p.yaml", text.encode()), "p")


def test_it_widens() -> None:
    programs, both = allowing("/**"), allowing("/**", "fork")
    [change] = changes(programs, both)
    assert (change.kind, change.words) == ("widens", "fork becomes allowed")
    assert change.example == "exec fork"
    [change] = changes(both, programs)
    assert (change.kind, change.words) == ("narrows", "fork is no longer allowed")
    [change] = changes(allowing("{path: fork, only_for: [joblib]}"), allowing("fork"))
    assert change.kind == "widens"


def test_a_fork_of_the_function_is_learnt() -> None:
    log = Log().add("create_child_process", *stack(""), **FORK)
    log.add("create_child_process", *stack(""), path="/usr/bin/uname", operation="execute")
    found = learnt(log)
    assert entries(found) == ["/usr/bin/uname", "{path: fork, only_for: [function]}"]
    assert not found.held
    policy = policy_of(found)
    assert [mode(policy, "fork", name) for name in ("function", "tintkit", "unknown")] == [
        Mode.ALLOW,
        Mode.BLOCK,
        Mode.BLOCK,
    ]
    results = policy_tests.run(policy)
    assert len(results) == 2 and all(result.passed for result in results)
    compiled = Compiled(compile_policy(policy))
    assert not [one for one in replay(compiled, log.evidence(), Facts()) if one.would_break]
    compiled = Compiled(compile_policy(allowing("/usr/bin/uname")))
    (broken,) = (one for one in replay(compiled, log.evidence(), Facts()) if one.would_break)
    assert broken.act.words == "fork"


def test_a_fork_of_a_dependency_is_held_back() -> None:
    log = Log().add("create_child_process", "/var/task/tintkit/work.py:3 run", *stack(""), **FORK)
    found = learnt(log)
    assert entries(found) == [] and "only tintkit asked" in held(found)["fork"]
    assert entries(learnt(log, "fork")) == ["{path: fork, only_for: [tintkit]}"]
    assert all(result.passed for result in policy_tests.run(policy_of(found)))


def test_reports_say_fork_once() -> None:
    evidence = Log().add("create_child_process", *stack(""), **FORK).evidence()
    (act,) = evidence.acts
    assert (what(act), act.words, act.place) == ("fork", "fork", "fork")


def test_what_forks_workers_may_and_nobody_else() -> None:
    log = Log().add("create_child_process", "/var/task/joblib/pool.py:3 run", *stack(""), **FORK)
    found = learnt(log)
    assert entries(found) == ["{path: fork, only_for: [joblib]}"] and not found.held
    modes = [mode(policy_of(found), "fork", name) for name in ("joblib", "other", "function")]
    assert modes == [Mode.ALLOW, Mode.BLOCK, Mode.BLOCK]
    assert all(result.passed for result in policy_tests.run(policy_of(found)))


def test_a_fork_that_is_to_execute_is_no_entry_s(tmp_path: Path) -> None:
    """The fork was blocked before the event could name the program."""
    unnamed = {**FORK, "operation": "execute"}
    log = Log().add("create_child_process", *stack(""), mode="block", **unnamed)
    found = learnt(log)
    assert entries(found) == [] and "alert` the event names it" in held(found)["execute"]
    file = tmp_path / "p.yaml"
    file.write_text("version: 1\npolicy:\n  create_child_process: block\n")
    done = CliRunner().invoke(app, ["fix", "-p", str(file), str(log.write(tmp_path / "log"))])
    assert done.exit_code == 1 and "start a program" in done.output, done.output
    (one,) = replay(Compiled(compile_policy(allowing("fork"))), log.evidence(), Facts())
    assert one.met.mode is Mode.BLOCK and one.met.reason == "no_rule"


def test_a_fork_of_an_unknown_caller_is_held_back() -> None:
    found = learnt(Log().add("create_child_process", *stack("", ""), **FORK))
    assert entries(found) == [] and "unknown caller" in held(found)["fork"]


def test_by_dependency_it_names_what_the_function_called() -> None:
    evidence = Log().add("create_child_process", *stack("requests"), **FORK).evidence()
    found = learn(evidence, Tiers(evidence), by_dependency=True)
    assert entries(found) == ["{path: fork, only_for: [requests]}"]
    assert mode(policy_of(found), "fork", "requests") is Mode.ALLOW
    assert mode(policy_of(found), "fork", "other") is Mode.BLOCK


def test_a_fork_that_shares_memory_is_no_entry_s() -> None:
    log = Log().add("create_child_process", *stack(""), reason="malformed", **FORK)
    found = learnt(log)
    assert entries(found) == [] and [item.accept for item in found.held] == [None]


def test_fix_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("version: 1\npolicy:\n  create_child_process: block\n")
    evidence = Log().add("create_child_process", *stack(""), mode="block", **FORK).evidence()
    found = fix(file, evidence)
    assert [line.text for line in found.lines] == ["{path: fork, only_for: [function]}"]
    assert mode(found.policy, "fork", "function") is Mode.ALLOW
    log = Log().add("create_child_process", *stack(""), mode="block", **FORK)
    done = CliRunner().invoke(app, ["fix", "-p", str(file), str(log.write(tmp_path / "log"))])
    assert "+    allow:" in done.output or "fork" in done.output, done.output
    assert "the child is guarded as its parent is" in done.output


def test_fix_writes_it_for_the_package_that_forks_workers(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("version: 1\npolicy:\n  create_child_process: block\n")
    frames = ("/var/task/joblib/pool.py:3 run", *stack(""))
    evidence = Log().add("create_child_process", *frames, mode="block", **FORK).evidence()
    found = fix(file, evidence)
    assert [line.text for line in found.lines] == ["{path: fork, only_for: [joblib]}"]
    assert mode(found.policy, "fork", "joblib") is Mode.ALLOW
    assert mode(found.policy, "fork", "other") is Mode.BLOCK
