"""ready --evidence: from files alone, without credentials and without boto3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.command import Ran
from tests.fleet.test_ready import Lines, reach

ROOT = Path(__file__).resolve().parents[2]
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:api"
WITHOUT_AWS = (
    "import sys\nsys.modules.update(boto3=None, botocore=None)\n"
    "from fshield.cli.app import main\nmain()\n"
)


def ready(*words: str) -> Ran:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_AWS, "ready", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=ROOT,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def log(tmp_path: Path) -> str:
    lines = Lines()
    for day in range(25):
        lines.process(day / 3 + 0.1, reach("api.stripe.com"))
    return lines.file(tmp_path / "events.log")


def test_a_go_says_what_is_not_known(log: str, tmp_path: Path) -> None:
    policy = tmp_path / "api.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity: {mode: block, allow: [{host:"
        " '${env:API}'}]}\n"
    )
    words = ("api", "--evidence", log, "--policy", str(policy))
    ran = ready(*words)
    assert ran.code == 1 and "reach api.stripe.com:443" in ran.out, ran.err
    ran = ready(*words, "--env", "API=api.stripe.com")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.startswith("api  go  policy monitor, ")
    assert "not known: the function's configuration" in ran.out and "guarded" not in ran.out


def test_an_arn_says_the_region(tmp_path: Path) -> None:
    policy = tmp_path / "api.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity: {mode: block, allow: [{aws: [sqs]}]}\n"
    )
    lines = Lines()
    lines.process(1, reach("sqs.eu-west-1.amazonaws.com"))
    words = ("--evidence", lines.file(tmp_path / "west.log"), "--policy", str(policy), "--json")
    for name, region, blocked in (
        (ARN, (), 0),
        ("api", ("--region", "eu-west-1"), 0),
        ("api", ("--region", "eu-north-1"), 1),
    ):
        answer = json.loads(ready(name, *words, *region).out)
        assert len(answer["would_have_been_blocked"]) == blocked and answer["function"] == "api"
        assert "configuration" in answer["not_known"][0]


def of_function(log: str, name: str) -> str:
    """The log at `log` with events that name the function."""
    path = Path(log)
    named = path.read_text().replace('"event": "armed"', f'"event": "armed", "function": "{name}"')
    path.write_text(named)
    return log


@pytest.mark.parametrize("policy", [(), ("--policy", "policies/default.yaml")])
def test_a_function_that_the_log_does_not_have(log: str, policy: tuple[str, ...]) -> None:
    lenient = ("--days", "0", "--cold-starts", "0", "--quiet-days", "0", *policy)
    ran = ready("web", "--evidence", of_function(log, "api"), *lenient)
    assert ran.code == 1 and ran.out.startswith("web  no-go"), ran.out
    assert "events of the function  none, but of api" in ran.out
    assert "blocked" not in ran.out
    assert "wanted: some" not in ready("api", "--evidence", log, *lenient).out


def test_an_empty_log_is_no_go(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("nothing of ours\n")
    lenient = ("--days", "0", "--cold-starts", "0", "--quiet-days", "0")
    ran = ready("api", "--evidence", str(tmp_path / "empty.log"), *lenient, "--json")
    assert ran.code == 1 and json.loads(ran.out)["checks"] == [
        {"check": "events of the function", "found": "none", "wanted": "some", "ok": False}
    ]


def test_no_line_is_wider_than_80_columns(tmp_path: Path) -> None:
    lines = Lines()
    act = reach("a-long-name-of-a-host.in-a-long-domain.example.org")
    act["origin"] |= {"distribution": "a-distribution-with-a-long-name"}
    lines.process(1, act)
    ran = ready("api", "--evidence", lines.file(tmp_path / "api.log"))
    assert "a-long-name" in ran.out and "not known" in ran.out
    assert max(map(len, ran.out.splitlines()[1:])) <= 80, ran.out


def test_the_log_group_needs_aws() -> None:
    ran = ready("api")
    assert ran.code == 2 and "needs boto3" in ran.err
