"""What the tests of AWS services in policies share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fshield.engine import decide as native
from fshield.engine.decide import Facts
from fshield.language.loader import resolve
from fshield.language.policy import Family, Mode, Policy
from fshield.language.reader import parse

ROOT = Path(__file__).resolve().parents[2]
Compile = Callable[[str], native.Compiled]
OUT = "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
EU = Facts("eu-central-1")
REGIONS = (
    "eu-central-1",
    "us-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "eusc-de-east-1",
    "ap-southeast-5",
)


def look_up(
    policy: native.Compiled, host: str, facts: Facts = EU, port: int = 443
) -> native.Verdict:
    return policy.decide(Family.OUTBOUND, names=(host,), port=port, facts=facts)


def allowed(policy: native.Compiled, host: str, facts: Facts = EU) -> bool:
    return look_up(policy, host, facts).mode is Mode.ALLOW


def load_text(text: str) -> Policy:
    return resolve(parse("p.yaml", text.encode()), "p")
