"""From nothing to enforcement in four commands, for a function with ten real dependencies and one
malicious one."""

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

from tests import forked
from tests.support import ROOT, clean_environment

EXAMPLE = ROOT / "examples" / "ten"
FSHIELD = [sys.executable, "-m", "fshield"]
REQUIRED = "ten" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
THIEF = "collector.evil.example"
REGION = ("--region", "eu-central-1")


def fshield(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return forked.fshield(*arguments, env=clean_environment(), timeout=120)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the ten dependencies."""
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
        pytest.skip(f"the dependencies cannot be installed: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    found = Path(done.stdout.strip())
    # Fetch the runtime client into the cache now: the example's own network has no way out.
    folder = tmp_path_factory.mktemp("fetch")
    (folder / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (folder / "event.json").write_text("{}")
    named = ("--handler", "app.handler", "--event", folder / "event.json", "--python", found)
    fetched = fshield("invoke", folder, *named, "--policy", "monitor")
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    return found


@pytest.fixture
def world(python: Path, tmp_path: Path) -> Iterator[Any]:
    """Invoke the function under a policy, in the example's own network. Returns the answer, the
    file of events, and what the thief got."""
    if (
        subprocess.run(
            [python, EXAMPLE / "world.py", "true"], capture_output=True, check=False
        ).returncode
        != 0
    ):
        assert not REQUIRED, "no network namespace can be made here"
        pytest.skip("no network namespace can be made here")
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
        rows = list(csv.reader(file))
    assert {name for name, digest, _ in rows if digest} >= {
        f"inkstamp/{name}.py" for name in ("__init__", "_telemetry")
    }
    for name, digest, size in rows:
        content = (EXAMPLE / name).read_bytes()
        if digest:
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (len(content), digest) == (int(size), f"sha256={found}"), name


def test_the_function_does_not_know_of_the_guard() -> None:
    for path in (EXAMPLE / "app.py", *sorted((EXAMPLE / "inkstamp").glob("*.py"))):
        assert not any(word in path.read_text().lower() for word in ("shield", "guard")), path


def violations(events: Path) -> list[Any]:
    lines = (json.loads(line) for line in events.read_text().splitlines() if line[:1] == "{")
    return [event for event in lines if event["event"] == "violation"]


def test_learnt_by_dependency(world: Any, tmp_path: Path) -> None:
    """The attack is stopped even if another package may reach the thief's host."""
    _, events, _ = world("monitor", "monitor")
    policy = tmp_path / "by-dependency.yaml"
    learnt = fshield("learn", events, "--by-dependency", "-o", policy, *REGION)
    assert learnt.returncode == 0, learnt.stderr
    text = policy.read_text()
    entries = {
        line.strip()[2:].partition("  # ")[0]
        for line in text.splitlines()
        if line.strip()[:2] == "- " and "  # " in line
    }
    assert entries == {
        "{host: feed.weather.example, only_for: [aiohttp]}",
        "{aws: {s3: {buckets: [shop-pictures]}}, only_for: [botocore]}",
        "{host: cache.shop.example, ports: [6379], only_for: [redis]}",
        "{host: api.rates.example, only_for: [requests]}",
        "{path: /tmp/offers.db, only_for: [sqlalchemy]}",
        # SQLite's own act: no frame shows its caller.
        "{path: /tmp, only_for: [sqlalchemy, unknown]}",
        "{path: /tmp/offers.db-journal, only_for: [sqlalchemy, unknown]}",
        "cryptography",
        "numpy",
    }
    for rule in ("create_child_process", "read_handler", "runtime_api"):
        assert f"  {rule}: block\n" in text
    assert fshield("test", policy).returncode == 0
    replayed = json.loads(fshield("replay", "--policy", policy, events, "--json", *REGION).stdout)
    assert {one["policy"] for one in replayed["blocked"]} == {
        "outbound_connectivity",
        "create_child_process",
        "read_handler",
    }
    assert [one["target"] for one in replayed["blocked"] if "connect" in one["policy"]] == [THIEF]

    thief = f"    allow:\n      - {{host: {THIEF}, ports: [80], only_for: [requests]}}\n"
    policy.write_text(text.replace("    allow:\n", thief, 1).partition("\ntests:")[0])
    answer, events, stolen = world(policy, "enforced")
    assert answer["number"] == 1 and answer["dry"] is True
    assert stolen == []
    sent = [one for one in violations(events) if one["policy"] == "outbound_connectivity"]
    assert {(one["reason"], one["asker"], one["mode"]) for one in sent} == {
        ("only_for", "inkstamp", "block")
    }
    assert all("allowed for requests; asked by inkstamp" in one["message"] for one in sent)

    # `fix` writes no entry for it unless a person accepts it by name.
    accepted = ("--accept", f"{THIEF}:80", "--json")
    refused = fshield("fix", "-p", policy, events, "--json")
    assert refused.returncode == 1 and json.loads(refused.stdout)["entries"] == []
    written = json.loads(fshield("fix", "-p", policy, events, *accepted).stdout)["entries"]
    assert [entry["entry"] for entry in written] == [
        f"{{host: {THIEF}, ports: [80], only_for: [inkstamp]}}"
    ]
