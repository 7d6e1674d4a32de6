"""From nothing to enforced in four commands: a function with ten real dependencies, and one that
turned bad."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, clean_environment

EXAMPLE = ROOT / "examples" / "ten"
FSHIELD = [sys.executable, "-m", "fshield"]
REQUIRED = "ten" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
THIEF = "collector.evil.example"
REGION = ("--region", "eu-central-1")


def fshield(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FSHIELD, *map(str, arguments)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with the ten dependencies."""
    environment = clean_environment({"PYTHON": sys.executable})
    done = subprocess.run(
        [EXAMPLE / "fetch.sh"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    if done.returncode != 0 and not REQUIRED:
        pytest.skip(f"the dependencies are not to be had: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture
def world(python: Path, tmp_path: Path) -> Iterator[Any]:
    """Invokes the function under a policy, in the example's own network: the answer, the events'
    file, what the thief got."""
    if (
        subprocess.run(
            [python, EXAMPLE / "world.py", "true"], capture_output=True, check=False
        ).returncode
        != 0
    ):
        assert not REQUIRED, "no network namespace is to be had here"
        pytest.skip("no network namespace is to be had here")
    offers = [Path("/tmp/offers.db"), Path("/tmp/offers.db-journal")]

    def invoke(policy: str | Path, name: str) -> tuple[Any, Path, list[str]]:
        for path in offers:
            path.unlink(missing_ok=True)
        events, arrived = tmp_path / f"{name}.log", tmp_path / f"{name}.arrived"
        command = [
            *FSHIELD,
            "invoke",
            EXAMPLE,
            "--handler",
            "app.handler",
            "--event",
            EXAMPLE / "event.json",
            "--json",
            "--policy",
            policy,
            "--python",
            python,
            "--env",
            f"FUNCTION_SHIELD_EVENTS={events}",
        ]
        done = subprocess.run(
            [
                python,
                EXAMPLE / "world.py",
                "--arrived",
                arrived,
                "sh",
                "-c",
                '"$@" $EXAMPLE_ENV',
                "sh",
                *command,
            ],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines = arrived.read_text().splitlines() if arrived.exists() else []
        (invocation,) = json.loads(done.stdout)["invocations"]
        return invocation["response"], events, [json.loads(line)["path"] for line in lines]

    yield invoke
    for path in offers:
        path.unlink(missing_ok=True)


def test_from_nothing_to_enforced(world: Any, tmp_path: Path) -> None:
    answer, events, stolen = world("monitor", "monitor")
    assert answer["number"] == 1 and answer["dry"] is True
    assert sorted(stolen) == ["/document", "/environment", "/source"]

    policy = tmp_path / "ten.yaml"
    learnt = fshield("learn", events, "-o", policy, *REGION)
    assert learnt.returncode == 0, learnt.stderr
    assert f"{THIEF}:80" in learnt.stderr and "inkstamp" in learnt.stderr
    text = policy.read_text().partition("tests:")[0]
    assert THIEF not in text and "dash" not in text and "inkstamp" not in text
    for wanted in (
        "aws: {s3: {buckets: [shop-pictures]}}",
        "cache.shop.example",
        "api.rates.example",
        "feed.weather.example",
    ):
        assert wanted in text
    assert "by app through requests" in text and "read_handler: block" in text

    tested = fshield("test", policy)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    replayed = fshield("replay", "--policy", policy, events, "--json", *REGION)
    assert replayed.returncode == 1
    assert {
        outcome["target"].rpartition("/")[2] for outcome in json.loads(replayed.stdout)["blocked"]
    } <= {
        THIEF,
        "app.py",
        "dash",
        "sh",
        "bash",
        "busybox",
    }

    enforced, events, stolen = world(policy, "enforced")
    assert {**enforced, "sealed": 0} == {**answer, "sealed": 0}
    assert stolen == []
    blocked = [
        json.loads(line) for line in events.read_text().splitlines() if '"violation"' in line
    ]
    assert blocked and {event["mode"] for event in blocked} == {"block"}
    assert {event["origin"]["distribution"] for event in blocked} == {"inkstamp"}
    assert {event["policy"] for event in blocked} == {
        "outbound_connectivity",
        "read_handler",
        "create_child_process",
    }


def test_accepted_it_is_in_the_policy(world: Any, tmp_path: Path) -> None:
    _, events, _ = world("monitor", "monitor")
    policy = tmp_path / "ten.yaml"
    done = fshield("learn", events, "-o", policy, *REGION, "--accept", f"{THIEF}:80")
    assert done.returncode == 0, done.stderr
    assert THIEF in policy.read_text().partition("tests:")[0]
    _, _, stolen = world(policy, "enforced")
    assert "/environment" in stolen


def test_the_dependency_is_as_its_record_says() -> None:
    with (EXAMPLE / "inkstamp-2.3.1.dist-info" / "RECORD").open(newline="") as file:
        for name, digest, size in csv.reader(file):
            content = (EXAMPLE / name).read_bytes()
            if digest:
                found = (
                    base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
                )
                assert (len(content), digest) == (int(size), f"sha256={found}"), name


def test_the_function_does_not_know_of_the_guard() -> None:
    for path in (EXAMPLE / "app.py", *sorted((EXAMPLE / "inkstamp").glob("*.py"))):
        assert not any(word in path.read_text().lower() for word in ("shield", "guard")), path


def test_learnt_by_dependency(world: Any, tmp_path: Path) -> None:
    """The attack is held even where the thief's host is allowed for another package."""
    _, events, _ = world("monitor", "monitor")
    policy = tmp_path / "by-dependency.yaml"
    learnt = fshield("learn", events, "--by-dependency", "-o", policy, *REGION)
    assert learnt.returncode == 0, learnt.stderr
    text = policy.read_text()
    assert "{aws: {s3: {buckets: [shop-pictures]}}, only_for: [botocore]}" in text
    assert "{host: api.rates.example, only_for: [requests]}" in text
    assert fshield("test", policy).returncode == 0
    thief = f"    allow:\n      - {{host: {THIEF}, ports: [80], only_for: [requests]}}\n"
    policy.write_text(text.replace("    allow:\n", thief, 1))
    answer, _, stolen = world(policy, "enforced")
    assert answer["number"] == 1 and answer["dry"] is True
    assert stolen == []
