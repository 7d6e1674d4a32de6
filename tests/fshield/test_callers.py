"""The callers that an entry with `only_for` covers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
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


@pytest.mark.parametrize(
    ("asker", "mode", "why"),
    [
        ("stripe", "allow", "an allow entry matches"),
        ("tintbox", "block", "an entry matches, and counts for boto3, botocore, stripe only"),
    ],
)
def test_explain_says_for_which_callers(tmp_path: Path, asker: str, mode: str, why: str) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(TEXT)
    words = ["explain", str(policy), "connect", "s3.example.org:443", "--as", asker]
    assert why in " ".join(CliRunner().invoke(app, words).stdout.split())
    answer = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (answer["mode"], answer["only_for"]) == (mode, ["boto3", "botocore", "stripe"])
