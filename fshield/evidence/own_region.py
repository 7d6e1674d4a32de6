"""Finds the `aws:` entry for a host that is an endpoint in the function's own region.

A host ties the policy to its region: the same function would be blocked in another one. An `aws:`
entry does not. It is wider only by the service's other endpoints (FIPS, dual-stack).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pydantic_core import PydanticCustomError

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import PolicyError
from fshield.language import endpoints
from fshield.language.aws import SUFFIXES
from fshield.language.aws_services import bucket as bucket_name
from fshield.language.loader import resolve
from fshield.language.policy import Family, Mode
from fshield.language.reader import parse

PORT = 443


@dataclass(frozen=True)
class Stand:
    """What an `aws:` entry has to name for a host.

    Args:
        service: as boto3 names it.
        bucket: if it is one bucket of s3.
    """

    service: str
    bucket: str = ""

    @property
    def entry(self) -> str:
        """The entry in one line of YAML."""
        return (
            f"aws: {{s3: {{buckets: [{self.bucket}]}}}}"
            if self.bucket
            else f"aws: [{self.service}]"
        )

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return f"the bucket {self.bucket}" if self.bucket else self.service


def is_of_aws(host: str) -> bool:
    """Whether `host` is under a domain suffix of AWS. Anybody can have names there."""
    return any(host.endswith(f".{suffix}") for suffixes in SUFFIXES.values() for suffix in suffixes)


def region_of_arn(arn: str) -> str | None:
    """The region in a function's ARN, if functions can run in it."""
    parts = arn.split(":", 4)
    found = parts[3] if len(parts) == 5 and parts[0] == "arn" and parts[2] == "lambda" else ""
    return found if found in endpoints.regions() else None


@lru_cache(maxsize=4096)
def stand(host: str, region: str) -> Stand | None:
    """The narrowest `aws:` entry that allows `host` on port 443 to a function in `region`,
    according to the engine.

    Args:
        host: in its plain form.
        region: of the function.

    Returns:
        the bucket for a virtual-hosted name, or the service for one of its endpoints. None for
        everything else: other regions, customers' resources, names of single VPC endpoints, and s3
        without a bucket, which would be everybody's.
    """
    if region not in endpoints.regions() or not is_of_aws(host) or ".vpce." in host:
        return None
    return next(
        (found for found in _candidates(host, region) if _admits(found, host, region)), None
    )


def _candidates(host: str, region: str) -> list[Stand]:
    first, _, rest = host.partition(".")
    if rest.startswith(("s3.", "s3-")):
        try:
            return [Stand("s3", bucket_name(first))]
        except PydanticCustomError:
            return []
    return [Stand(service) for service in endpoints.services_at(host, region) if service != "s3"]


def _admits(found: Stand, host: str, region: str) -> bool:
    text = (
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      -"
        f" {found.entry}\n"
    )
    try:
        policy = native.Compiled(
            compile_policy(resolve(parse("entry.yaml", text.encode()), "entry"))
        )
    except PolicyError:
        return False
    verdict = policy.decide(Family.OUTBOUND, names=(host,), port=PORT, facts=native.Facts(region))
    return verdict.mode is Mode.ALLOW
