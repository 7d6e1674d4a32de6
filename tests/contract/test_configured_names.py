"""Entries with the names of the function's region and configuration, in a guarded process and its
children.

Each lookup is for a port that the entry does not list. If an entry has the name, the reason is
`port`, and no query leaves.
"""

from __future__ import annotations

import json
import sys

import pytest

from tests.support import Guarded, rules, run_guarded

POLICY = rules(
    outbound={
        "mode": "block",
        "allow": [
            {"aws": ["sqs", "dynamodb"]},
            {"aws": {"s3": {"buckets": ["${env:BUCKET_NAME}"]}}},
            {"host": "api.${env:STAGE}.example"},
        ],
    }
)
ASK = """
import os, socket, subprocess, sys
for name in sys.argv[1:]:
    try:
        socket.getaddrinfo(name, int(os.environ.get("PORT", "9")))
    except OSError:
        pass
"""
CHILD = """
import os, subprocess, sys
os.environ.update(BUCKET_NAME="evil-bucket", STAGE="evil")
os.environ.update(AWS_REGION="us-west-2", AWS_ACCOUNT_ID="9" * 12)
subprocess.run([sys.executable, "-S", "-c", os.environ["ASK"], *sys.argv[1:]], env=os.environ)
"""
ENV = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCOUNT_ID": "123456789012",
    "BUCKET_NAME": "my-bucket",
    "STAGE": "Prod",
    "AWS_ENDPOINT_URL_SQS": "https://vpce-0a1b-c2d3.sqs.eu-central-1.vpce.amazonaws.com",
    "OF_ANOTHER": "not-vpce-0e-a.sqs.eu-central-1.vpce.amazonaws.com,vpce-0e-b",
}
REASONS = {
    "sqs.eu-central-1.amazonaws.com": "port",
    "123456789012.ddb.eu-central-1.amazonaws.com": "port",
    "vpce-0a1b-c2d3.sqs.eu-central-1.vpce.amazonaws.com": "port",
    "vpce-0a1b-c2d3-data.sqs.eu-central-1.vpce.amazonaws.com": "no_rule",
    "vpce-0a1b.sqs.eu-central-1.vpce.amazonaws.com": "no_rule",
    "vpce-0e-a.sqs.eu-central-1.vpce.amazonaws.com": "no_rule",
    "vpce-0e-b.sqs.eu-central-1.vpce.amazonaws.com": "no_rule",
    "SQS.EU-Central-1.amazonaws.com.": "port",
    "my-bucket.s3.eu-central-1.amazonaws.com": "port",
    "api.prod.example": "port",
    "sqs.us-west-2.amazonaws.com": "no_rule",
    "999999999999.ddb.eu-central-1.amazonaws.com": "no_rule",
    "evil-bucket.s3.eu-central-1.amazonaws.com": "no_rule",
    "my-bucket.s3.amazonaws.com": "no_rule",
    "s3.eu-central-1.amazonaws.com": "no_rule",
    "api.evil.example": "no_rule",
}


def reasons(done: Guarded) -> list[str]:
    """The reasons of the refused lookups, in order."""
    assert done.returncode == 0, done
    return [
        event["reason"] for event in done.violations if event["policy"] == "outbound_connectivity"
    ]


@pytest.mark.parametrize(
    "program", [ASK, CHILD], ids=["itself", "a child with another environment"]
)
def test_what_was_set_at_start(program: str) -> None:
    done = run_guarded(
        [sys.executable, "-c", program, *REASONS], policy=POLICY, env={**ENV, "ASK": ASK}
    )
    assert reasons(done) == list(REASONS.values()), json.dumps(done.violations, indent=1)


@pytest.mark.parametrize("value", [None, "My.Bucket", "x" * 300, "a\x1fb"])
def test_what_was_not_set_says_so(value: str | None) -> None:
    env = {"AWS_REGION": "eu-central-1"} | ({"BUCKET_NAME": value} if value else {})
    env["PORT"] = "443"
    names = [
        "my-bucket.s3.eu-central-1.amazonaws.com",
        "my-bucket.s3.us-west-2.amazonaws.com",
        "evil.example",
    ]
    for program in (ASK, CHILD):
        done = run_guarded(
            [sys.executable, "-c", program, *names], policy=POLICY, env={**env, "ASK": ASK}
        )
        assert reasons(done) == ["variable", "no_rule", "no_rule"], done


def test_alert_says_it_too_and_changes_nothing() -> None:
    document = json.loads(json.dumps(POLICY))
    document["policy"]["outbound_connectivity"]["mode"] = "alert"
    # A numeric host needs no query.
    done = run_guarded([sys.executable, "-c", ASK, "127.0.0.1"], policy=document, env=ENV)
    assert reasons(done) == []


def test_more_than_children_can_be_told_is_as_if_unset() -> None:
    """In the process itself and in its children, which start as before."""
    names = [f"A_VARIABLE_WITH_A_NAME_OF_SOME_LENGTH_{number:02}" for number in range(32)]
    policy = rules(
        outbound={"mode": "block", "allow": [{"host": f"x.${{env:{name}}}"} for name in names]}
    )
    env = {
        name: f"{'v' * 60}.{'w' * 60}.{'x' * 40}.zone{number}" for number, name in enumerate(names)
    }
    hosts = [f"x.{value}" for value in env.values()]
    answers = []
    for program in (ASK, CHILD):
        done = run_guarded(
            [sys.executable, "-c", program, *hosts], policy=policy, env={**env, "ASK": ASK}
        )
        answers.append(reasons(done))
    assert answers[0] == answers[1]
    assert 5 < answers[0].count("port") < 32
    assert answers[0] == sorted(answers[0], reverse=True)
