"""docs/compatibility.md promises only what the engine keeps, and the tests that it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fshield.engine import binary
from fshield.errors import PolicyError
from fshield.language.loader import load
from tests.support import LAYER, ROOT, policy_file, rules, run_guarded

PAGE = (ROOT / "docs" / "compatibility.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
PYTHON = ROOT / ".venv" / "bin" / "python"


def section(title: str) -> str:
    """The text below the heading `title`, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[1]


def words(text: str) -> list[str]:
    """The words in backticks."""
    return re.findall(r"`([^`]+)`", text)


def keys_of(event: str) -> set[str]:
    line = next(
        line for line in section("Event keys").splitlines() if line.startswith(f"Of `{event}`:")
    )
    return set(words(line)) - {event}


def test_every_promise_names_a_test() -> None:
    promises = re.findall(r"^- .*(?:\n  .*)*", section("What is promised"), re.MULTILINE)
    assert len(promises) >= 10
    for promise in promises:
        assert re.search(r":\s+`tests/[^`]+::", promise), promise


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_tests_are_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_events_have_the_keys() -> None:
    done = run_guarded([PYTHON, "-c", "open('/tmp/x')"], policy=rules(tmp="block"))
    for event in ("violation", "armed"):
        seen = next(one for one in done.events if one["event"] == event)
        assert keys_of(event) <= set(seen), keys_of(event) - set(seen)
        assert seen["event_version"] == 1


def test_the_launcher_reads_the_variables() -> None:
    promised = set(words(section("Variables")))
    sources = "".join(path.read_text() for path in (ROOT / "wrapper").glob("*.c"))
    read = set(re.findall(r'"(FUNCTION_SHIELD_[A-Z_]+)"', sources))
    assert promised <= read
    # FUNCTION_SHIELD_STATE is internal to launcher and core. Every other variable that is read must
    # be promised.
    assert read - promised <= {"FUNCTION_SHIELD_STATE"}


def test_exit_codes(tmp_path: Path) -> None:
    refused = run_guarded(
        [PYTHON, "-c", ""], policy=policy_file(rules()), env={"FUNCTION_SHIELD_POLICY": "none-such"}
    )
    assert refused.returncode == 78
    wide = tmp_path / "wide.yaml"
    wide.write_text(
        "version: 1\npolicy:\n  outbound_connectivity: {mode: block, allow: [{aws: true}]}\n"
    )
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nno-such-key: 1\n")
    good = ROOT / "policies" / "strict.yaml"
    for status, arguments in (
        (0, ["check", good]),
        (1, ["check", wide]),
        (2, ["compile", wrong, "-o", tmp_path / "x.policy"]),
    ):
        done = run_guarded([PYTHON, "-m", "fshield", *map(str, arguments)], policy=rules())
        assert done.returncode == status, (arguments, done)


def test_the_layer_has_the_paths() -> None:
    paths = [each for each in words(section("Paths under /opt")) if each.startswith("/opt/")]
    assert len(paths) >= 3
    for path in paths[:3]:
        below = path.removeprefix("/opt/").replace("NAME", "default")
        assert (LAYER / below).exists(), path


def test_policy_versions(tmp_path: Path) -> None:
    text = section("Policy version and compiled format")
    assert f"The compiled format is {binary.MAJOR}.{binary.MINOR};" in text
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy: {read_write_tmp: block}\n")
    load(policy)
    policy.write_text("version: 2\npolicy: {read_write_tmp: block}\n")
    with pytest.raises(PolicyError):
        load(policy)
