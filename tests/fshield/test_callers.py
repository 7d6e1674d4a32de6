"""The callers that an entry counts for."""

from __future__ import annotations

from fshield.language.callers import counted
from fshield.language.loader import resolve
from fshield.language.reader import parse

TEXT = """
version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - {host: s3.example.org, only_for: [boto3, Stripe]}
"""


def test_a_client_of_boto3_runs_in_botocore() -> None:
    (entry,) = resolve(parse("p.yaml", TEXT.encode()), "p").allows
    assert entry.only_for == ("boto3", "botocore", "stripe")
    assert counted(["botocore", "botocore"]) == ("botocore",)
