"""Every act of the incidents behaves as its header says, and docs/incidents.md matches the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fshield.engine.incidents import judge
from fshield.language.loader import load
from tests import support
from tests.attacks.corpus import Malformed
from tests.incidents.corpus import HERE, incidents, read_act
from tests.incidents.replay import NoWorld, Outcome, lacking, not_replayed, replay
from tests.incidents.report import document, questions

REQUIRED = "egress" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
ACTS = [(incident, act) for incident in incidents() for act in incident.acts]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    try:
        return {outcome.name: outcome for outcome in replay(incidents())}
    except NoWorld as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("name", [f"{incident.key}/{act.name}" for incident, act in ACTS])
def test_behaves_as_declared(name: str, outcomes: dict[str, Outcome]) -> None:
    incident, act = next(pair for pair in ACTS if f"{pair[0].key}/{pair[1].name}" == name)
    if word := lacking(incident, act):
        pytest.skip(f"needs {word}")
    outcome = outcomes[name]
    assert outcome.problems() == []


def test_python_acts_name_the_distribution(outcomes: dict[str, Outcome]) -> None:
    """The event names the release, as its metadata does."""
    wrong = {
        name: outcome.named("strict")
        for name, outcome in outcomes.items()
        if outcome.act.rule
        and outcome.incident.language == "py"
        and outcome.named("strict") != f"{outcome.incident.distribution} {outcome.incident.version}"
    }
    assert wrong == {}


def test_the_readme_says_what_the_page_says(outcomes: dict[str, Outcome]) -> None:
    """The README's first figures equal those of the headers, which the run above has checked."""
    acts = [outcome.act for outcome in outcomes.values()]
    stopped, realistic, only_for = (
        sum(act.is_stopped(policy) for act in acts)
        for policy in ("default", "realistic", "only_for")
    )
    readme = " ".join((support.ROOT / "README.md").read_text().split())
    missing = len(not_replayed(incidents()))
    if missing != 1:
        pytest.skip("README counts the acts of a machine that can replay all of them")
    assert f"{len(acts)} acts of {len(incidents()) - 1} incidents" in readme
    assert f"`default` stops {stopped}" in readme
    assert f"A realistic policy stops {realistic}, and {only_for} where" in readme


def test_the_page_is_what_the_run_found(outcomes: dict[str, Outcome]) -> None:
    page = (support.ROOT / "docs" / "incidents.md").read_text()
    missing = not_replayed(incidents())
    if ("## Not replayed" in page) != bool(missing):
        pytest.skip("the page comes from a machine that can replay other acts")
    assert page == document(list(outcomes.values()), missing)


def test_check_asks_what_the_acts_ask() -> None:
    written = (support.ROOT / "fshield" / "engine" / "incidents.json").read_text()
    assert written == questions(incidents())


@pytest.mark.parametrize("name", ["default", "strict", "realistic", "only_for"])
def test_check_says_what_the_run_found(name: str, outcomes: dict[str, Outcome]) -> None:
    """`fshield check --incidents` computes what the replay observed."""
    folder = HERE if (HERE / f"{name}.yaml").exists() else support.ROOT / "policies"
    rows = judge(load(folder / f"{name}.yaml"))
    judged = {(row.incident, row.act): row.stopped for row in rows}
    undone = {(row.incident, row.act) for row in rows if row.undone}
    seen = {
        (outcome.incident.title, outcome.act.act): (
            not outcome.seen[name] and name not in outcome.act.undone
        )
        for outcome in outcomes.values()
    }
    assert {key: judged[key] for key in seen} == seen
    assert undone >= {
        (outcome.incident.title, outcome.act.act)
        for outcome in outcomes.values()
        if name in outcome.act.undone
    }


def test_check_names_what_passes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fshield", "check", "--incidents", str(HERE / "realistic.yaml")],
        env=support.clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stops 25 of 32 acts" in done.stdout
    assert "and undoes 2 when the invocation ends" in done.stdout
    assert "commits what it found to GitHub" in done.stdout
    assert "realistic.yaml:9" in done.stdout
    assert "make /tmp/inventory.txt: realistic.yaml:13" in done.stdout


def test_a_header_says_what_stops_it_or_why_nothing_does(tmp_path: Path) -> None:
    program = tmp_path / "act.py"
    program.write_text("# act: does something\n# source: nobody\n# proof: word\n")
    with pytest.raises(Malformed, match="either a rule"):
        read_act(program)
