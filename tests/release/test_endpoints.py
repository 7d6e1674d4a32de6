"""The frozen AWS host names match the botocore of the lock file."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest

from fshield.language import endpoints
from tests.support import ROOT

sys.path.insert(0, str(ROOT / "release"))

import freeze_endpoints as freezing

#: A partition with one endpoint, an account in the name, streams by ARN, and a plain service.
SOME = ("iam", "dynamodb", "kinesis", "sqs", "route53", "neptune-graph")
FROZEN = json.loads(freezing.OUT.read_text("utf-8"))


def names(content: dict[str, object], service: str) -> object:
    """The host names of a service in a file. Groups of regions are replaced by their regions."""
    sets = content["sets"]
    packed = content["services"][service]  # type: ignore[index]
    return {
        key: {sets[int(number)]: hosts for number, hosts in value.items()}  # type: ignore[index]
        for key, value in packed.items()
    }


def test_it_is_of_the_locked_botocore() -> None:
    locked = re.search(r"^botocore==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked and locked[1] == endpoints.DATA_VERSION == FROZEN["botocore"]
    assert FROZEN["day"] == endpoints.DATA_DAY.isoformat()
    assert list(FROZEN["services"]) == freezing.services()


def test_a_few_services_are_as_botocore_has_them() -> None:
    fresh = freezing.frozen(SOME, FROZEN["day"])
    for service in SOME:
        assert names(fresh, service) == names(FROZEN, service), service
    for key in ("partitions", "regions"):
        assert fresh[key] == FROZEN[key]


@pytest.mark.skipif(
    os.environ.get("RELEASE_CHECK") != "1", reason="takes a quarter of a minute: make release-check"
)
def test_the_whole_file_is_as_botocore_has_it() -> None:
    fresh = freezing.written(freezing.frozen(freezing.services(), FROZEN["day"]))
    assert fresh == freezing.OUT.read_text("utf-8")


@pytest.mark.parametrize(
    ("bucket", "host"),
    [
        ("mine", "mine.s3.eu-central-1.amazonaws.com"),
        (
            "mine--euc1-az2--x-s3",
            "mine--euc1-az2--x-s3.s3express-euc1-az2.eu-central-1.amazonaws.com",
        ),
    ],
)
def test_a_buckets_names(bucket: str, host: str) -> None:
    keys = {each.key for each in endpoints.bucket_hosts(bucket, ("eu-central-1",))}
    assert host in keys
    assert all(key.startswith(f"{bucket}.") for key in keys)


def test_a_directory_bucket_without_a_zone_has_no_name() -> None:
    assert endpoints.bucket_hosts("mine--x-s3", ("eu-central-1",)) == ()
