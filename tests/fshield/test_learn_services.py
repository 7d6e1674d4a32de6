"""`fshield learn` writes AWS services instead of hosts in the function's own region."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.policy_tests import run
from fshield.language.policy import Family, Mode
from tests.fshield.learning import FRANKFURT, entries, learnt, policy_of
from tests.fshield.recorded import Log, stack

# ---- AWS ----


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("dynamodb.eu-central-1.amazonaws.com", "aws: [dynamodb]"),
        ("dynamodb.eu-central-1.api.aws", "aws: [dynamodb]"),
        ("states.eu-central-1.amazonaws.com", "aws: [stepfunctions]"),
        ("sts.eu-central-1.amazonaws.com", "aws: [sts]"),
        ("sts.amazonaws.com", "aws: [sts]"),
        ("iam.amazonaws.com", "aws: [iam]"),
        ("my-bucket.s3.eu-central-1.amazonaws.com", "aws: {s3: {buckets: [my-bucket]}}"),
        ("my-bucket.s3.dualstack.eu-central-1.amazonaws.com", "aws: {s3: {buckets: [my-bucket]}}"),
    ],
)
def test_endpoints_of_the_function_s_own_region(host: str, entry: str) -> None:
    found = learnt(Log().host(host, *stack("requests")), region=FRANKFURT)
    assert entries(found) == [entry]
    (line,) = found.lines
    assert found.comment(line).endswith(f"by app through requests, urllib3, seen as {host}")
    # By the engine's decision, this policy allows the service in its region, and in no other.
    policy = policy_of(found)
    assert [result.passed for result in run(policy)] == [True] and policy.tests[
        0
    ].region == FRANKFURT
    if FRANKFURT not in host:
        return
    elsewhere = host.replace(FRANKFURT, "us-east-1")
    compiled = native.Compiled(compile_policy(policy))
    for region, name, mode in (
        (FRANKFURT, host, Mode.ALLOW),
        (FRANKFURT, elsewhere, Mode.BLOCK),
        ("us-east-1", elsewhere, Mode.ALLOW),
    ):
        asked = compiled.decide(
            Family.OUTBOUND, names=(name,), port=443, facts=native.Facts(region)
        )
        assert asked.mode is mode, (region, name)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("dynamodb.us-east-1.amazonaws.com", 443),  # another region
        ("my-bucket.s3.us-east-1.amazonaws.com", 443),
        ("my-bucket.s3.amazonaws.com", 443),  # us-east-1 only
        ("dynamodb.eu-central-1.amazonaws.com", 80),  # another port
        ("s3.eu-central-1.amazonaws.com", 443),  # covers all buckets
        ("my.dotted.bucket.s3.eu-central-1.amazonaws.com", 443),
        ("abc123.execute-api.eu-central-1.amazonaws.com", 443),  # belongs to a customer
        ("abcdefgh.lambda-url.eu-central-1.on.aws", 443),
        ("db.c123.eu-central-1.rds.amazonaws.com", 443),
        (
            "vpce-0123456789abcdef0-abcd.sqs.eu-central-1.vpce.amazonaws.com",
            443,
        ),  # one VPC endpoint, not all
        (
            "123456789012.ddb.eu-central-1.amazonaws.com",
            443,
        ),  # one account, while the function's own account is unknown
    ],
)
def test_what_is_no_endpoint_of_the_own_region_stays_a_host(host: str, port: int) -> None:
    found = learnt(Log().host(host, port=port), region=FRANKFURT)
    assert [line.key for line in found.lines] == ["host"] and host in entries(found)[0]


def test_without_a_region_a_host_stays_one_and_it_is_said(tmp_path: Path) -> None:
    log = (
        Log()
        .host("dynamodb.eu-central-1.amazonaws.com")
        .host("my-bucket.s3.eu-central-1.amazonaws.com")
    )
    assert all(entry.startswith("host: ") for entry in entries(learnt(log)))
    events = str(log.write(tmp_path / "log"))
    printed = " ".join(CliRunner().invoke(app, ["learn", events]).stderr.split())
    assert "and 1 more: tied to one region; --region" in printed
    done = CliRunner().invoke(app, ["learn", "--region", FRANKFURT, events])
    assert "tied" not in done.stderr and "      - aws: [dynamodb]  # once" in done.stdout
    assert (
        "did you mean"
        in CliRunner().invoke(app, ["learn", "--region", "eu-centra-1", events]).stderr
    )


def test_two_names_of_one_service_are_one_entry_and_two_ports_are_two() -> None:
    log = Log()
    for name in ("dynamodb.eu-central-1.amazonaws.com", "dynamodb.eu-central-1.api.aws"):
        log.host(name).host(name, *stack("requests"))
    log.host("dynamodb.eu-central-1.amazonaws.com", port=8000)
    found = learnt(log, region=FRANKFURT)
    assert entries(found) == [
        "aws: [dynamodb]",
        "{host: dynamodb.eu-central-1.amazonaws.com, ports: [8000]}",
    ]
    seen = "seen as dynamodb.eu-central-1.amazonaws.com, dynamodb.eu-central-1.api.aws"
    assert seen in found.text("p") and found.lines[0].seen.count == 4
    policy_of(found)


def test_the_region_of_the_functions_arn(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:{}:123456789012:function:pay"
    log = Log().host("sqs.eu-central-1.amazonaws.com", function_arn=arn.format(FRANKFURT))
    done = CliRunner().invoke(app, ["learn", "--json", str(log.write(tmp_path / "log"))])
    answer = json.loads(done.stdout)
    assert (answer["region"], answer["learnt"][0]["entry"]) == (FRANKFURT, "aws: [sqs]")
    for other in (arn.format("eu-west-1"), "arn:aws:lambda:nowhere:1:function:x", "nonsense"):
        both = (
            Log()
            .host("a.example", function_arn=arn.format(FRANKFURT))
            .host("b.example", function_arn=other)
        )
        assert both.evidence().region is None


def test_into_a_policy_that_allows_the_service_already(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    allow:\n      - aws: [sqs]\n"
    )
    log = (
        Log().host("sqs.eu-central-1.amazonaws.com").host("my-bucket.s3.eu-central-1.amazonaws.com")
    )
    events = str(log.write(tmp_path / "log"))
    done = CliRunner().invoke(
        app, ["learn", "--into", str(policy), "-y", "--region", FRANKFURT, events]
    )
    assert done.exit_code == 0 and "1 exception added" in done.stderr, done.output
    assert "- aws: {s3: {buckets: [my-bucket]}}  # once" in policy.read_text()
