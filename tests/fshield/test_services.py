"""AWS by service and by bucket, and names that come from the function's configuration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Facts
from fshield.language import endpoints
from fshield.language.policy import Mode
from tests.fshield.serving import EU, OUT, REGIONS, Compile, allowed, load_text, look_up

MODELS = Loader()  # one for all clients: it reads each model once


class Dialled(Exception):
    """Carries the host that a request would have gone to."""


def dialled(region: str, service: str, operation: str, **arguments: str) -> Iterator[str]:
    """The hosts that boto3 would contact, for every kind of endpoint, with and without a known
    account."""

    def stop(request: AWSPreparedRequest, **_: object) -> None:
        raise Dialled(urlsplit(request.url).hostname)

    for fips, dual_stack, account in product((False, True), (False, True), (None, "123456789012")):
        inner = botocore.session.Session()
        inner.register_component("data_loader", MODELS)
        session = boto3.Session(
            "x", "x", region_name=region, aws_account_id=account, botocore_session=inner
        )
        config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual_stack)
        try:
            client: Any = session.client(service, config=config)  # type: ignore[call-overload]
            client.meta.events.register("before-send", stop)
            getattr(client, operation)(**arguments)
        except Dialled as found:
            yield str(found)
        except BotoCoreError:  # there is no such endpoint
            continue


OPERATIONS = {
    "dynamodb": "list_tables",
    "sqs": "list_queues",
    "sns": "list_topics",
    "sts": "get_caller_identity",
    "iam": "list_users",
    "kms": "list_keys",
    "lambda": "list_functions",
    "stepfunctions": "list_state_machines",
    "ecr": "describe_repositories",
    "cloudwatch": "list_metrics",
    "route53": "list_hosted_zones",
    "kinesis": "list_streams",
    "acm": "list_certificates",
    "organizations": "list_accounts",
}


@pytest.mark.parametrize("region", REGIONS)
def test_whatever_boto3_dials_is_allowed(compiled: Compile, region: str) -> None:
    policy = compiled(OUT + f"      - aws: [{', '.join(OPERATIONS)}, s3control]\n")
    facts = Facts(region, "123456789012")
    for name, operation in OPERATIONS.items():
        hosts = set(dialled(region, name, operation))
        assert hosts
        for host in hosts:
            assert allowed(policy, host, facts), host
    stream = f"arn:aws:kinesis:{region}:123456789012:stream/x"
    for host in (
        *dialled(region, "kinesis", "describe_stream", StreamARN=stream),
        *dialled(region, "s3control", "list_access_points", AccountId="123456789012"),
    ):
        assert host.startswith("123456789012.") or "control" in host or "kinesis" in host
        assert allowed(policy, host, facts), host


@pytest.mark.parametrize("region", REGIONS)
def test_whatever_boto3_dials_for_a_bucket_is_allowed(compiled: Compile, region: str) -> None:
    policy = compiled(OUT + "      - aws: {s3: {buckets: [my-bucket, a--euc1-az1--x-s3]}}\n")
    for bucket in ("my-bucket", "other-bucket"):
        hosts = set(dialled(region, "s3", "head_bucket", Bucket=bucket))
        assert hosts
        for host in hosts:
            assert host.startswith(f"{bucket}.")
            assert allowed(policy, host, Facts(region)) == (bucket == "my-bucket"), host
    for host in dialled(region, "s3", "list_buckets"):
        assert not allowed(policy, host, Facts(region)), host


NEVER = [
    "ec2-192-0-2-7.eu-central-1.compute.amazonaws.com",
    "my-lb-1234567890.eu-central-1.elb.amazonaws.com",
    "my-lb-0123456789abcdef.elb.eu-central-1.amazonaws.com",
    "abc123.execute-api.eu-central-1.amazonaws.com",
    "vpce-0123456789abcdef0-abcdefgh.execute-api.eu-central-1.vpce.amazonaws.com",
    "abc123.lambda-url.eu-central-1.on.aws",
    "d111111abcdef8.cloudfront.net",
    "amazonaws.com",
    "eu-central-1.amazonaws.com",
    "s3.eu-central-1.amazonaws.com",
    "s3.amazonaws.com",
    "evil.s3.eu-central-1.amazonaws.com",
    "evil.s3.amazonaws.com",
]


def test_what_customers_own_is_no_service(compiled: Compile) -> None:
    """For all services at once, including those with similar names."""
    names = [name for name in endpoints.services() if name != "s3"]
    policy = native.Compiled(
        compile_policy(load_text(OUT + f"      - aws: [{', '.join(names)}]\n"))
    )
    for host in NEVER:
        assert not allowed(policy, host), host
    assert allowed(policy, "ec2.eu-central-1.amazonaws.com")
    assert allowed(policy, "lambda.eu-central-1.amazonaws.com")


def test_this_region_and_no_other(compiled: Compile) -> None:
    policy = compiled(OUT + "      - aws: [dynamodb, sqs]\n")
    for host in (
        "dynamodb.eu-central-1.amazonaws.com",
        "dynamodb.eu-central-1.api.aws",
        "dynamodb-fips.eu-central-1.amazonaws.com",
        "sqs.eu-central-1.amazonaws.com",
        "vpce-0123456789abcdef0-abcdefgh.sqs.eu-central-1.vpce.amazonaws.com",
        "vpce-0123456789abcdef0-abcdefgh-eu-central-1a.dynamodb.eu-central-1.vpce.amazonaws.com",
    ):
        assert look_up(policy, host).source == "p.yaml:6", host
        assert not allowed(policy, host, Facts("eu-west-1")), host
        assert not allowed(policy, f"x.{host}"), host
        assert not allowed(policy, f"{host}.evil.example"), host
        assert look_up(policy, host, port=80).reason == "port", host
    # A region that botocore does not know yet needs no new policy. A string that cannot be a region
    # matches nothing.
    assert allowed(policy, "sqs.eu-nowhere-9.amazonaws.com", Facts("eu-nowhere-9"))
    for region in ("", "a.b", "x/y", "UP-WEST-1", "{region}", "e" * 64):
        assert not allowed(policy, f"sqs.{region}.amazonaws.com", Facts(region)), region


def test_placeholders_are_no_names(compiled: Compile) -> None:
    policy = compiled(OUT + '      - aws: [dynamodb]\n      - host: "${env:A}.example.org"\n')
    facts = Facts("eu-central-1", "123456789012", (("A", "a"),))
    for host in (
        "dynamodb.{region}.amazonaws.com",
        "{account}.ddb.eu-central-1.amazonaws.com",
        "{vpce}.dynamodb.eu-central-1.vpce.amazonaws.com",
        "{env:A}.example.org",
    ):
        assert not allowed(policy, host, facts), host


def test_accounts(compiled: Compile) -> None:
    policy = compiled(
        OUT + '      - aws: [dynamodb]\n      - aws: {kinesis: {accounts: ["210987654321"]}}\n'
    )
    own = Facts("eu-central-1", "123456789012")
    assert allowed(policy, "123456789012.ddb.eu-central-1.amazonaws.com", own)
    assert not allowed(policy, "123456789012.ddb.eu-central-1.amazonaws.com")
    assert not allowed(policy, "210987654321.ddb.eu-central-1.amazonaws.com", own)
    assert not allowed(policy, "123456789012.dynamodb.eu-central-1.amazonaws.com", own)
    for facts in (EU, own, Facts("eu-central-1", "not-an-account")):
        assert allowed(policy, "210987654321.data-kinesis.eu-central-1.amazonaws.com", facts)
    assert allowed(policy, "123456789012.data-kinesis.eu-central-1.amazonaws.com", own)
    assert not allowed(policy, "999999999999.data-kinesis.eu-central-1.amazonaws.com", own)


def test_regions_instead_of_its_own(compiled: Compile) -> None:
    policy = compiled(OUT + "      - aws: [dynamodb]\n        regions: [us-west-2, cn-north-1]\n")
    for facts in (EU, Facts("us-west-2"), Facts("us-east-1")):
        assert allowed(policy, "dynamodb.us-west-2.amazonaws.com", facts)
        assert allowed(policy, "dynamodb.cn-north-1.amazonaws.com.cn", facts)
        assert allowed(policy, "vpce-0a-b.dynamodb.us-west-2.vpce.amazonaws.com", facts)
        assert allowed(
            policy, "123456789012.ddb.us-west-2.amazonaws.com", Facts(facts.region, "123456789012")
        )
        assert not allowed(policy, "dynamodb.us-east-1.amazonaws.com", facts)
        assert not allowed(policy, "dynamodb.eu-central-1.amazonaws.com", facts)
    detailed = compiled(
        OUT + "      - aws: {sqs: {regions: [us-west-2]}, sns: {}}\n        regions: [eu-west-3]\n"
    )
    assert allowed(detailed, "sqs.us-west-2.amazonaws.com")
    assert not allowed(detailed, "sqs.eu-west-3.amazonaws.com")
    assert allowed(detailed, "sns.eu-west-3.amazonaws.com")


def test_global_names_hold_where_they_are_used(compiled: Compile) -> None:
    policy = compiled(OUT + "      - aws: [sts, iam]\n      - aws: {s3: {buckets: [my-bucket]}}\n")
    assert allowed(policy, "iam.amazonaws.com")
    assert not allowed(policy, "iam.amazonaws.com", Facts("us-gov-west-1"))
    assert allowed(policy, "iam.us-gov.amazonaws.com", Facts("us-gov-east-1"))
    assert not allowed(policy, "iam.us-gov.amazonaws.com")
    assert allowed(policy, "sts.amazonaws.com", Facts("us-east-1"))
    assert not allowed(policy, "sts.amazonaws.com", Facts("us-gov-west-1"))
    assert allowed(policy, "my-bucket.s3.amazonaws.com", Facts("us-east-1"))
    assert not allowed(policy, "my-bucket.s3.amazonaws.com")


def test_buckets(compiled: Compile) -> None:
    policy = compiled(
        OUT + "      - aws: {s3: {buckets: [eu-central-1, '123456789012', vpce-bucket]}, sqs: {}}\n"
    )
    facts = Facts("eu-central-1", "123456789012")
    for bucket in ("eu-central-1", "123456789012", "vpce-bucket"):
        assert allowed(policy, f"{bucket}.s3.eu-central-1.amazonaws.com", facts), bucket
        assert allowed(policy, f"{bucket}.s3.dualstack.eu-central-1.amazonaws.com", facts), bucket
        assert allowed(
            policy, f"{bucket}.bucket.vpce-0a1b-c2d3.s3.eu-central-1.vpce.amazonaws.com", facts
        ), bucket
        assert not allowed(policy, f"x.{bucket}.s3.eu-central-1.amazonaws.com", facts), bucket
    assert not allowed(
        policy, "evil.bucket.vpce-0a1b-c2d3.s3.eu-central-1.vpce.amazonaws.com", facts
    )
    assert not allowed(policy, "bucket.vpce-0a1b-c2d3.s3.eu-central-1.vpce.amazonaws.com", facts)
    assert allowed(policy, "sqs.eu-central-1.amazonaws.com", facts)


def test_variables(compiled: Compile) -> None:
    policy = compiled(
        OUT
        + '      - aws: {s3: {buckets: ["${env:BUCKET_NAME}", "${env:STAGE}-data"]}}\n'
        + '      - host: "api.${env:STAGE}.example.org"\n'
        + '      - host: "${env:API_HOST}"\n        ports: [8443]\n'
        + '      - host: "*.${env:DOMAIN}"\n'
    )
    facts = Facts(
        "eu-central-1",
        "",
        (
            ("BUCKET_NAME", "my-bucket"),
            ("STAGE", "prod"),
            ("API_HOST", "API.Example.Net"),
            ("DOMAIN", "example.com"),
        ),
    )
    for host, line, port in (
        ("my-bucket.s3.eu-central-1.amazonaws.com", 6, 443),
        ("my-bucket.bucket.vpce-0a-b.s3.eu-central-1.vpce.amazonaws.com", 6, 443),
        ("prod-data.s3.eu-central-1.amazonaws.com", 6, 443),
        ("api.prod.example.org", 7, 443),
        ("api.example.net", 8, 8443),
        ("a.b.example.com", 10, 443),
    ):
        assert look_up(policy, host, facts, port).source == f"p.yaml:{line}", host
    for host in (
        "other.s3.eu-central-1.amazonaws.com",
        "api.dev.example.org",
        "example.com",
        "my-bucket",
    ):
        verdict = look_up(policy, host, facts)
        assert (verdict.mode, verdict.reason) == (Mode.BLOCK, "no_rule"), host
    assert look_up(policy, "api.example.net", facts).reason == "port"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "my.bucket",
        "My-Bucket",
        "ab",
        "-bucket",
        "b" * 64,
        "bucket/",
        "my_bucket",
        "a b",
        "{region}",
        "*",
        "é",
    ],
)
def test_a_bucket_that_is_unset_or_unfit_says_so(compiled: Compile, value: str | None) -> None:
    policy = compiled(
        OUT + '      - aws: {s3: {buckets: ["${env:B}"]}}\n      - host: api.example.org\n'
    )
    facts = Facts("eu-central-1", "", (("B", value),) if value is not None else ())
    wanted = look_up(policy, "my-bucket.s3.eu-central-1.amazonaws.com", facts)
    assert (wanted.mode, wanted.reason, wanted.source) == (Mode.BLOCK, "variable", None)
    assert wanted.entry_source == "p.yaml:6"
    assert look_up(policy, "my-bucket.s3.eu-west-1.amazonaws.com", facts).reason == "no_rule"
    assert look_up(policy, "evil.example", facts).reason == "no_rule"
    assert look_up(policy, "api.example.org", facts).mode is Mode.ALLOW
    if value:
        assert not allowed(policy, f"{value}.s3.eu-central-1.amazonaws.com".lower(), facts)


@pytest.mark.parametrize(
    "value",
    [
        "https://api.example.org",
        "api.example.org:443",
        "192.0.2.7",
        "a..b",
        ".a",
        "a.",
        "-a.org",
        "x" * 254,
        "*",
    ],
)
def test_a_host_that_is_unfit_says_so(compiled: Compile, value: str) -> None:
    policy = compiled(OUT + '      - host: "${env:HOST}"\n')
    facts = Facts("eu-central-1", "", (("HOST", value),))
    assert look_up(policy, "api.example.org", facts).reason == "variable"
    assert not allowed(policy, value, facts)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


VARIABLES = (
    OUT
    + '      - aws: {s3: {buckets: ["${env:B}"]}}\n      - {host: "${env:H}", ports: [80, 8443]}\n'
)


def test_explain_takes_variables_and_says_what_a_lookalike_needs(
    write: Callable[[str], Path],
) -> None:
    path = str(write(VARIABLES))

    def asked(target: str, *more: str) -> dict[str, Any]:
        done = run("explain", path, "connect", target, "--json", *more)
        assert done.exit_code == 0, done.output
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    bucket = "my-bucket.s3.us-east-1.amazonaws.com:443"
    unset = asked(bucket)
    assert (unset["mode"], unset["reason"], unset["rule"]) == ("block", "variable", None)
    found = asked(bucket, "--env", "B=my-bucket")
    assert (found["mode"], found["rule"], found["by"], found["ports"]) == (
        "allow",
        "p.yaml:6",
        "name",
        "[443]",
    )
    assert "TLS server name" in found["lookalike"] and "p.yaml:6" in found["lookalike"]
    other = asked("my-bukcet.s3.us-east-1.amazonaws.com:443", "-e", "B=my-bucket", "-e", "H=x.org")
    assert (other["mode"], other["reason"]) == ("block", "no_rule")
    assert "host: my-bukcet" in other["lookalike"]
    assert "`Host`" in asked("x.org:80", "-e", "H=x.org")["lookalike"]
    assert "nothing is read" in asked("x.org:8443", "-e", "H=x.org")["lookalike"]
    assert asked("x.org:443", "-e", "H=x.org")["reason"] == "port"
    account = str(write(OUT + "      - aws: [dynamodb]\n"))
    done = run(
        "explain",
        account,
        "connect",
        "123456789012.ddb.us-east-1.amazonaws.com:443",
        "--env",
        "AWS_ACCOUNT_ID=123456789012",
    )
    assert "allowed" in done.output
    assert run("explain", path, "connect", bucket, "--env", "B").exit_code == 2


def test_check_looks_at_variables_where_it_has_them(write: Callable[[str], Path]) -> None:
    path = str(write(VARIABLES))
    assert run("check", path).exit_code == 0
    assert run("check", path, "-e", "B=my-bucket", "-e", "H=api.example.org").exit_code == 0
    done = run("check", path, "-e", "B=my.bucket")
    assert done.exit_code == 1
    assert "B cannot stand in a name" in done.output
    assert "H is not set" in done.output


@pytest.mark.parametrize(
    ("first", "second", "reported"),
    [
        ('host: "*.example.org"', "host: api.example.org", True),
        ("host: api.example.org", 'host: "*.example.org"', False),
        ('host: "*.example.org"', "{host: api.example.org, ports: [80]}", False),
        ("{host: '*.example.org', ports: [80, 443]}", "host: a.b.example.org", True),
        ("aws: true", "aws: [sqs]", True),
        ("aws: [sqs, sns]", "aws: [sns]", True),
        ("aws: [sns]", "aws: [sqs, sns]", False),
        ("aws: [sqs]", "host: sqs.eu-west-1.amazonaws.com", False),
        ("cidr: 10.0.0.0/8", "cidr: 10.1.0.0/16", True),
        ("cidr: 10.1.0.0/16", "cidr: 10.0.0.0/8", False),
        ('host: "*.example.org"', 'host: "${env:A}.example.org"', True),
        ('host: "${env:A}.example.org"', "host: a.example.org", False),
    ],
)
def test_check_says_what_is_allowed_already(
    write: Callable[[str], Path], first: str, second: str, reported: bool
) -> None:
    done = run("check", str(write(OUT + f"      - {first}\n      - {second}\n")))
    assert ("allows this already" in done.output) == reported
    if reported:
        assert ":7:9: note: p.yaml:6" in done.output


def test_tests_of_a_policy_say_what_the_function_is_given(write: Callable[[str], Path]) -> None:
    tests = """
tests:
  - allowed: {connect: [my-bucket.s3.eu-west-1.amazonaws.com]}
    region: eu-west-1
    env: {B: my-bucket, H: x.org}
  - blocked: {connect: [my-bucket.s3.us-east-1.amazonaws.com, "x.org:8443"]}
"""
    assert run("test", str(write(VARIABLES + tests))).exit_code == 0
    failing = write(VARIABLES + tests.replace("B: my-bucket", "B: other-bucket"))
    assert run("test", str(failing)).exit_code == 1
    assert (
        "not text" in run("check", str(write(VARIABLES + tests.replace("H: x.org", "H: 7")))).output
    )
