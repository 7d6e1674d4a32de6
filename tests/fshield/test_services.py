"""AWS by service and by bucket, and names from the function's own configuration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
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
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from fshield import binary, endpoints, native
from fshield.cli import app
from fshield.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.loader import load, resolve
from fshield.native import Facts
from fshield.policy import Family, Mode, Policy
from fshield.reader import parse

ROOT = Path(__file__).resolve().parents[2]
Compile = Callable[[str], native.Compiled]
OUT = "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
EU = Facts("eu-central-1")
REGIONS = ("eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "ap-southeast-5")


def look_up(policy: native.Compiled, host: str, facts: Facts = EU, port: int = 443) -> native.Verdict:
    return policy.decide(Family.OUTBOUND, names=(host,), port=port, facts=facts)


def allowed(policy: native.Compiled, host: str, facts: Facts = EU) -> bool:
    return look_up(policy, host, facts).mode is Mode.ALLOW


MODELS = Loader()  # one for all clients: it reads each model once


class Dialled(Exception):
    """Where a request would have gone."""


def dialled(region: str, service: str, operation: str, **arguments: str) -> Iterator[str]:
    """The hosts that boto3 would ask, with every kind of endpoint and with an account it knows or not."""

    def stop(request: AWSPreparedRequest, **_: object) -> None:
        raise Dialled(urlsplit(request.url).hostname)

    for fips, dual_stack, account in product((False, True), (False, True), (None, "123456789012")):
        inner = botocore.session.Session()
        inner.register_component("data_loader", MODELS)
        session = boto3.Session("x", "x", region_name=region, aws_account_id=account, botocore_session=inner)
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
    """Of all services at once, the ones that sound like it included."""
    names = [name for name in endpoints.services() if name != "s3"]
    policy = native.Compiled(compile_policy(load_text(OUT + f"      - aws: [{', '.join(names)}]\n")))
    for host in NEVER:
        assert not allowed(policy, host), host
    assert allowed(policy, "ec2.eu-central-1.amazonaws.com")
    assert allowed(policy, "lambda.eu-central-1.amazonaws.com")


def load_text(text: str) -> Policy:
    return resolve(parse("p.yaml", text.encode()), "p")


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
    # A region that botocore does not know yet needs no new policy; what cannot be a region is none.
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
    policy = compiled(OUT + '      - aws: [dynamodb]\n      - aws: {kinesis: {accounts: ["210987654321"]}}\n')
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
        assert allowed(policy, "123456789012.ddb.us-west-2.amazonaws.com", Facts(facts.region, "123456789012"))
        assert not allowed(policy, "dynamodb.us-east-1.amazonaws.com", facts)
        assert not allowed(policy, "dynamodb.eu-central-1.amazonaws.com", facts)
    detailed = compiled(OUT + "      - aws: {sqs: {regions: [us-west-2]}, sns: {}}\n        regions: [eu-west-3]\n")
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
    policy = compiled(OUT + "      - aws: {s3: {buckets: [eu-central-1, '123456789012', vpce-bucket]}, sqs: {}}\n")
    facts = Facts("eu-central-1", "123456789012")
    for bucket in ("eu-central-1", "123456789012", "vpce-bucket"):
        assert allowed(policy, f"{bucket}.s3.eu-central-1.amazonaws.com", facts), bucket
        assert allowed(policy, f"{bucket}.s3.dualstack.eu-central-1.amazonaws.com", facts), bucket
        assert allowed(policy, f"{bucket}.bucket.vpce-0a1b-c2d3.s3.eu-central-1.vpce.amazonaws.com", facts), bucket
        assert not allowed(policy, f"x.{bucket}.s3.eu-central-1.amazonaws.com", facts), bucket
    assert not allowed(policy, "evil.bucket.vpce-0a1b-c2d3.s3.eu-central-1.vpce.amazonaws.com", facts)
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
        (("BUCKET_NAME", "my-bucket"), ("STAGE", "prod"), ("API_HOST", "API.Example.Net"), ("DOMAIN", "example.com")),
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
    for host in ("other.s3.eu-central-1.amazonaws.com", "api.dev.example.org", "example.com", "my-bucket"):
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
    policy = compiled(OUT + '      - aws: {s3: {buckets: ["${env:B}"]}}\n      - host: api.example.org\n')
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
    ["https://api.example.org", "api.example.org:443", "192.0.2.7", "a..b", ".a", "a.", "-a.org", "x" * 254, "*"],
)
def test_a_host_that_is_unfit_says_so(compiled: Compile, value: str) -> None:
    policy = compiled(OUT + '      - host: "${env:HOST}"\n')
    facts = Facts("eu-central-1", "", (("HOST", value),))
    assert look_up(policy, "api.example.org", facts).reason == "variable"
    assert not allowed(policy, value, facts)


def test_no_more_variables_than_an_engine_reads() -> None:
    lines = "".join(f'      - host: "${{env:V{i}}}.example.org"\n' for i in range(33))
    with pytest.raises(CouldNotRun, match="33 variables"):
        compile_policy(load_text(OUT + lines))


def _header(text: str) -> tuple[int, ...]:
    return binary.HEADER.unpack_from(compile_policy(load_text(text)))


def test_only_what_needs_it_is_of_format_1_1() -> None:
    for plain in ("version: 1\n", OUT + "      - host: x.org\n", OUT + "      - aws: true\n"):
        header = _header(plain)
        assert (header[2], header[14], header[24]) == (0, 0, 0)
    for text, feature in (
        (OUT + "      - aws: [sqs]\n", binary.FEATURE_REGION | binary.FEATURE_VPC_ENDPOINT),
        (OUT + '      - host: "${env:A}"\n', binary.FEATURE_VARIABLES),
    ):
        header = _header(text)
        # An engine of 1.0 finds a mode there that it does not know, and refuses the file.
        assert (header[2], header[14], header[24]) == (1, binary.GATE, feature)


# Offsets of struct fs_policy.
MINOR, FLAGS, RESERVED, FEATURES = 10, 24, 76, 80


def _changed(changes: dict[int, int]) -> bytes:
    """A policy of format 1.1 with these bytes changed, and the checksum that belongs to it."""
    content = bytearray(compile_policy(load_text(OUT + "      - aws: [sqs]\n")))
    for at, bits in changes.items():
        content[at] = bits if at == MINOR else content[at] | bits
    content[binary.CHECKSUM_OFFSET : binary.CHECKSUM_OFFSET + 8] = binary.checksum(bytes(content)).to_bytes(8, "little")
    return bytes(content)


NEEDED = [(FEATURES + bit // 8, 1 << bit % 8) for bit in range(5, 32)]
NEEDED += [(FLAGS + bit // 8, 1 << bit % 8) for bit in range(7, 16)]
NEEDED += [(RESERVED, 1), (RESERVED + 3, 0x80)]


@pytest.mark.parametrize("minor", [1, 2, 255])
@pytest.mark.parametrize(("at", "value"), NEEDED)
def test_what_a_later_format_needs_is_refused(at: int, value: int, minor: int) -> None:
    """A feature, a narrowing flag or a field that is not known: the file means more than this engine would enforce."""
    with pytest.raises(ValueError, match="newer than this engine"):
        native.Compiled(_changed({MINOR: minor, at: value}))


@pytest.mark.parametrize("bit", [None, *range(16, 32)])
def test_a_later_format_that_needs_no_more_runs(bit: int | None) -> None:
    """A larger minor version alone, and with the flags that an engine may pass over: it decides as it did."""
    ignorable = {} if bit is None else {FLAGS + bit // 8: 1 << bit % 8}
    later, now = native.Compiled(_changed({MINOR: 2, **ignorable})), native.Compiled(_changed({}))
    for name, expected in (("sqs.eu-central-1.amazonaws.com", True), ("evil.example", False)):
        assert allowed(later, name) is allowed(now, name) is expected


@pytest.mark.parametrize("mode", [3, 4, 0x7F, 0xFE])
@pytest.mark.parametrize("minor", [0, 1, 2, 255])
def test_an_unknown_mode_is_refused_whatever_the_minor_version(mode: int, minor: int) -> None:
    content = bytearray(compile_policy(load_text("version: 1\npolicy: {}\n")))
    content[MINOR], content[32] = minor, mode
    content[binary.CHECKSUM_OFFSET : binary.CHECKSUM_OFFSET + 8] = binary.checksum(bytes(content)).to_bytes(8, "little")
    with pytest.raises(ValueError, match="a mode is unknown"):
        native.Compiled(bytes(content))


_LABELS = st.sampled_from(
    [
        "sqs",
        "my-bucket",
        "s3",
        "eu-central-1",
        "us-east-1",
        "123456789012",
        "vpce-0a-b",
        "ddb",
        "dynamodb",
        "amazonaws",
        "com",
        "api",
        "aws",
        "vpce",
        "bucket",
        "dualstack",
        "evil",
    ]
)
_NAMES = st.lists(_LABELS, min_size=1, max_size=8).map(".".join)
_ENTRIES = st.lists(
    st.sampled_from(
        ["aws: [sqs]", "aws: [dynamodb]", "aws: {s3: {buckets: [my-bucket]}}", 'aws: {s3: {buckets: ["${env:B}"]}}',
         "aws: [sqs]\n        regions: [us-east-1]", 'host: "*.${env:D}"', 'host: "api.${env:D}"', "aws: true"]
    ),
    min_size=1, max_size=5, unique=True,
)  # fmt: skip


def _reference(hosts: Sequence[tuple[str, bool, int, str]], name: str, facts: Facts) -> bool:
    """What the keys of the compiled policy stand for, put in plainly."""
    variables = dict(facts.variables)
    for key, wildcard, partition, region in hosts:
        if partition not in (0, 1) or (region and not _holds(region, facts.region)):
            continue
        for vpce in ("vpce-0a-b", "vpce", "vpce-none"):
            text = key.replace("{region}", facts.region).replace("{vpce}", vpce)
            text = text.replace("{account}", facts.account or "-")
            for variable, value in variables.items():
                for kind in ("env", "bucket", "label"):
                    text = text.replace(f"{{{kind}:{variable}}}", value)
            if "{" not in text and vpce != "vpce" and (name.endswith(f".{text}") if wildcard else name == text):
                return True
    return False


def _holds(condition: str, region: str) -> bool:
    if condition.startswith("!"):
        return not region.startswith(condition[1:])
    return region.startswith(condition) if condition.endswith("-") else region == condition


_ROOTS = [
    "sqs.{r}.amazonaws.com",
    "my-bucket.s3.{r}.amazonaws.com",
    "prod.s3.{r}.amazonaws.com",
    "api.prod",
    "x.prod",
    "{a}.ddb.{r}.amazonaws.com",
    "vpce-0a-b.sqs.{r}.vpce.amazonaws.com",
    "my-bucket.s3.amazonaws.com",
]


@settings(max_examples=200, deadline=None)
@given(
    _ENTRIES,
    _NAMES
    | st.builds(
        lambda root, region: root.replace("{r}", region).replace("{a}", "123456789012"),
        st.sampled_from(_ROOTS),
        st.sampled_from(["eu-central-1", "us-east-1"]),
    ),
    st.sampled_from(["eu-central-1", "us-east-1"]),
    st.sampled_from(["", "123456789012"]),
    st.sampled_from([(), (("B", "prod"), ("D", "prod")), (("B", "my-bucket"), ("D", "evil.com"))]),
)
def test_the_engine_and_the_reference_agree(
    entries: list[str], name: str, region: str, account: str, variables: tuple[tuple[str, str], ...]
) -> None:
    policy = resolve(parse("p.yaml", (OUT + "".join(f"      - {entry}\n" for entry in entries)).encode()), "p")
    facts = Facts(region, account, variables)
    hosts = [(h.key, h.wildcard, h.partition, h.region) for entry in policy.allows for h in entry.hosts]
    verdict = look_up(native.Compiled(compile_policy(policy)), name, facts)
    assert (verdict.mode is Mode.ALLOW) == _reference(hosts, name, facts), (entries, name, facts)
    if verdict.source:
        line = int(verdict.source.rpartition(":")[2])
        entry = next(entry for entry in policy.allows if entry.source == verdict.source)
        assert _reference([(h.key, h.wildcard, h.partition, h.region) for h in entry.hosts], name, facts), line


def test_the_default_policy_maps_small() -> None:
    """What every function without a policy of its own reads at start."""
    assert len(compile_policy(load(ROOT / "policies" / "default.yaml"))) < 40_000


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


VARIABLES = OUT + '      - aws: {s3: {buckets: ["${env:B}"]}}\n      - {host: "${env:H}", ports: [80, 8443]}\n'


def test_explain_takes_variables_and_says_what_a_lookalike_needs(write: Callable[[str], Path]) -> None:
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
    assert (found["mode"], found["rule"], found["by"], found["ports"]) == ("allow", "p.yaml:6", "name", "[443]")
    assert "TLS server name" in found["lookalike"] and "p.yaml:6" in found["lookalike"]
    other = asked("my-bukcet.s3.us-east-1.amazonaws.com:443", "-e", "B=my-bucket", "-e", "H=x.org")
    assert (other["mode"], other["reason"]) == ("block", "no_rule")
    assert "host: my-bukcet" in other["lookalike"]
    assert "`Host`" in asked("x.org:80", "-e", "H=x.org")["lookalike"]
    assert "nothing is read" in asked("x.org:8443", "-e", "H=x.org")["lookalike"]
    assert asked("x.org:443", "-e", "H=x.org")["reason"] == "port"
    account = str(write(OUT + "      - aws: [dynamodb]\n"))
    done = run("explain", account, "connect", "123456789012.ddb.us-east-1.amazonaws.com:443",
               "--env", "AWS_ACCOUNT_ID=123456789012")  # fmt: skip
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
    ("first", "second", "said"),
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
def test_check_says_what_is_allowed_already(write: Callable[[str], Path], first: str, second: str, said: bool) -> None:
    done = run("check", str(write(OUT + f"      - {first}\n      - {second}\n")))
    assert ("allows this already" in done.output) == said
    if said:
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
    assert "no text" in run("check", str(write(VARIABLES + tests.replace("H: x.org", "H: 7")))).output
