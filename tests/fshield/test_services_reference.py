"""The engine and a reference implementation in Python agree on names with placeholders."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Facts
from fshield.language.loader import load, resolve
from fshield.language.policy import Mode
from fshield.language.reader import parse
from tests.fshield.serving import OUT, ROOT, look_up

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
        [
            "aws: [sqs]",
            "aws: [dynamodb]",
            "aws: {s3: {buckets: [my-bucket]}}",
            'aws: {s3: {buckets: ["${env:B}"]}}',
            "aws: [sqs]\n        regions: [us-east-1]",
            'host: "*.${env:D}"',
            'host: "api.${env:D}"',
            "aws: true",
        ]
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


def _reference(hosts: Sequence[tuple[str, bool, int, str]], name: str, facts: Facts) -> bool:
    """Expand the keys of the compiled policy into plain names."""
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
            if (
                "{" not in text
                and vpce != "vpce"
                and (name.endswith(f".{text}") if wildcard else name == text)
            ):
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
    policy = resolve(
        parse("p.yaml", (OUT + "".join(f"      - {entry}\n" for entry in entries)).encode()), "p"
    )
    facts = Facts(region, account, variables)
    hosts = [
        (h.key, h.wildcard, h.partition, h.region) for entry in policy.allows for h in entry.hosts
    ]
    verdict = look_up(native.Compiled(compile_policy(policy)), name, facts)
    assert (verdict.mode is Mode.ALLOW) == _reference(hosts, name, facts), (entries, name, facts)
    if verdict.source:
        line = int(verdict.source.rpartition(":")[2])
        entry = next(entry for entry in policy.allows if entry.source == verdict.source)
        assert _reference(
            [(h.key, h.wildcard, h.partition, h.region) for h in entry.hosts], name, facts
        ), line


def test_the_default_policy_maps_small() -> None:
    """Every function without its own policy reads it at start."""
    assert len(compile_policy(load(ROOT / "policies" / "default.yaml"))) < 40_000
