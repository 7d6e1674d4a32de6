"""The domain suffixes of the AWS partitions that a function can run in.

Source: botocore 1.44.5, ``botocore/data/partitions.json`` (``dnsSuffix`` and ``dualStackDnsSuffix``
of each partition). ``on.aws`` is not among a partition's outputs, but in the endpoint rules of
single services (neptune-graph), and in Lambda's function URLs. aws-us-gov shares its suffixes with
aws.

None of them is a boundary: anybody's bucket, host, load balancer or API is
under the same suffix.
"""

from __future__ import annotations

import os
from enum import IntEnum


class Partition(IntEnum):
    """``enum fs_partition`` of policy.h."""

    ANY = 0
    AWS = 1
    AWS_CN = 2
    AWS_EUSC = 3


SUFFIXES: dict[Partition, tuple[str, ...]] = {
    Partition.AWS: ("amazonaws.com", "api.aws", "on.aws"),
    Partition.AWS_CN: ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    Partition.AWS_EUSC: ("amazonaws.eu", "api.amazonwebservices.eu"),
}


def region_asked(option: str | None) -> str | None:
    """The region of a command. Like the AWS CLI, and unlike boto3, prefers AWS_REGION to
    AWS_DEFAULT_REGION.
    """
    return option or os.environ.get("AWS_REGION")


def partition_of_region(region: str) -> Partition:
    """The partition of an AWS region: botocore's ``regionRegex`` of each partition begins with
    these prefixes."""
    if region.startswith("cn-"):
        return Partition.AWS_CN
    return Partition.AWS_EUSC if region.startswith("eusc-") else Partition.AWS
