"""The host names of AWS services, frozen from botocore's endpoint rule sets by
``release/freeze_endpoints.py``. Used at compile time, never in a function.

Names that differ only in the region become one with the label ``{region}``, so that a policy also
works in regions that botocore does not know yet.

Names that belong to a customer, not to the service, are left out: public names of EC2, load
balancers, API Gateway's ``execute-api``, function URLs, CloudFront distributions, everybody's
buckets.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from fshield.language.aws import Partition
from fshield.language.policy import Host

# The version of botocore that the names are from, and the day of its release.
DATA_VERSION = "1.44.5"
DATA_DAY = date(2026, 11, 17)
DATA_MAX_DAYS = 90
TOO_OLD_FIX = "take a newer fshield and compile again: AWS may have new endpoints"
_DATA = Path(__file__).with_name("endpoints.json")

# botocore's partitions that have functions. GovCloud shares its suffixes with aws, but its regions'
# names differ.
_GOV = "us-gov-"
PARTITIONS = {
    "aws": (Partition.AWS, f"!{_GOV}"),
    "aws-us-gov": (Partition.AWS, _GOV),
    "aws-cn": (Partition.AWS_CN, ""),
    "aws-eusc": (Partition.AWS_EUSC, ""),
}
# Services whose host names all begin with a customer's own label, so that the service itself has no
# name.
OF_CUSTOMERS = {
    "apigatewaymanagementapi": "host: API-ID.execute-api.eu-central-1.amazonaws.com",
    "cloudfront-keyvaluestore": "host: ACCOUNT.cloudfront-kvs.global.api.aws",
}


def too_old(day: date, today: date) -> str | None:
    """A warning if endpoint data of `day` is too old, else None."""
    age = (today - day).days
    return (
        f"the endpoint data is of {day.isoformat()}, {age} days old"
        if age > DATA_MAX_DAYS
        else None
    )


@dataclass(frozen=True)
class Region:
    """A region that a function can run in."""

    name: str
    partition: Partition
    suffix: str
    group: str


@lru_cache(maxsize=1)
def _data() -> Any:
    # Loaded on use: it takes some milliseconds, and few commands need it.
    return json.loads(_DATA.read_bytes())


@lru_cache(maxsize=1)
def services() -> tuple[str, ...]:
    """The services that a policy can name, as boto3 names them."""
    return tuple(_data()["services"])


@lru_cache(maxsize=1)
def regions() -> dict[str, Region]:
    """The regions that a function can run in, by name."""
    data = _data()
    found = {}
    for name, partition in data["regions"].items():
        number, group = PARTITIONS[partition]
        found[name] = Region(name, number, data["partitions"][partition], group)
    return found


def of_customers(service: str) -> str | None:
    """What to write instead of `service`, if all its names begin with a customer's own label; else
    None.
    """
    return OF_CUSTOMERS.get(service)


def _usual(names: Mapping[str, Any]) -> Any:
    """The hosts that most of a service's operations use. The file lists them once if these are
    all.
    """
    return names.get("usual", names["hosts"])


def _unpacked(packed: Mapping[str, list[str]]) -> dict[str, set[str]]:
    """Unpack to hosts by region. In `packed`, hosts have the label ``{region}``, and keys are
    numbers of sets of regions.
    """
    sets = _data()["sets"]
    found: dict[str, set[str]] = {name: set() for name in regions()}
    for number, hosts in packed.items():
        for region in sets[int(number)].split():
            found[region].update(host.replace("{region}", region) for host in hosts)
    return found


@lru_cache(maxsize=1)
def _by_first_label() -> dict[str, str]:
    """Services by the first label of their names: ``states`` is stepfunctions, ``monitoring`` is
    cloudwatch.
    """
    found: dict[str, str] = {}
    for service, names in _data()["services"].items():
        for host in sorted(_unpacked(_usual(names))["us-east-1"]):
            found.setdefault(host.partition(".")[0], service)
    return found


def service_by_label(label: str) -> str | None:
    """The service whose endpoint begins with `label`, or None."""
    return _by_first_label().get(label)


@lru_cache(maxsize=8)
def _by_host(region: str, everywhere: bool) -> dict[str, list[str]]:
    """Services by the hosts that most of their operations use in `region`, or in all regions."""
    found: dict[str, list[str]] = {}
    for service, names in _data()["services"].items():
        packed = names.get("everywhere", _usual(names)) if everywhere else _usual(names)
        for host in _unpacked(packed)[region]:
            found.setdefault(host, []).append(service)
    return found


def services_at(host: str, region: str) -> list[str]:
    """The services that have `host` as an endpoint in `region`, the one with the fewest names
    first.

    Endpoints of single operations (``sync-states``), and those with an account's number in them,
    are not searched.
    """
    named = set(host.split(".")) & regions().keys()
    if named and region not in named:
        return []
    found = _by_host(region, not named).get(host, [])
    return sorted(found, key=lambda service: (len(service_hosts(service)), service))


@lru_cache(maxsize=64)
def _names(service: str) -> dict[str, frozenset[str]]:
    """The hosts of `service` by region, with ``{account}`` as a label, and with the names of VPC
    endpoints.
    """
    found = {}
    for name, hosts in _unpacked(_data()["services"][service]["hosts"]).items():
        found[name] = frozenset(hosts | set(_vpc_endpoints(hosts, regions()[name])))
    return found


def _vpc_endpoints(hosts: set[str], region: Region) -> Iterator[str]:
    """``{vpce}.sqs.eu-central-1.vpce.amazonaws.com`` and its like.

    "DNS hostnames" in
    https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html
    """
    end = f".{region.name}.{region.suffix}"
    for host in hosts:
        if host.endswith(end) and "{account}" not in host:
            yield f"{{vpce}}.{host.removesuffix(end)}.{region.name}.vpce.{region.suffix}"


@lru_cache(maxsize=256)
def _bucket_names(bucket: str) -> dict[str, frozenset[str]]:
    """The virtual-hosted names of `bucket` by region. Path-style names are left out, because all
    buckets share them.
    """
    data = _data()["buckets"]
    packed, zone = data["hosts"], ""
    for suffix, express in data["express"].items():
        if bucket.endswith(suffix):
            stem = bucket.removesuffix(suffix)
            zone = next((stem[-n:] for n in express["zones"] if stem[-n - 2 : -n] == "--"), "")
            packed = express["hosts"] if zone else {}
    found = {}
    for name, patterns in _unpacked(packed).items():
        region = regions()[name]
        hosts = {
            pattern.replace("{zone}", zone).replace("{bucket}", bucket) for pattern in patterns
        }
        if f"{bucket}.s3.{name}.{region.suffix}" in hosts:
            # "AWS PrivateLink for Amazon S3" at https://docs.aws.amazon.com/AmazonS3
            hosts.add(f"{bucket}.bucket.{{vpce}}.s3.{name}.vpce.{region.suffix}")
        found[name] = frozenset(hosts)
    return found


def _label_replaced(host: str, label: str, by: str) -> str:
    """`host` with each label `label` replaced, except the first, which is a bucket or an
    account.
    """
    first, *rest = host.split(".")
    return ".".join([first, *(by if one == label else one for one in rest)])


def _of_own_region(names: dict[str, frozenset[str]]) -> Iterator[Host]:
    """Names for a function in any region."""
    where: dict[str, set[str]] = defaultdict(set)
    for region, hosts in names.items():
        for host in hosts:
            where[host].add(region)
    templates: dict[tuple[str, Partition], None] = {}
    shared: dict[str, set[str]] = {}
    for host, found in where.items():
        own = {region for region in found if _label_replaced(host, region, "{region}") != host}
        if found == own:
            for region in own:
                templates[
                    _label_replaced(host, region, "{region}"), regions()[region].partition
                ] = None
        else:
            shared[host] = found
    for template, partition in templates:
        yield Host(template, partition=partition)
    for host, found in shared.items():
        yield from _where(host, found)


def _where(host: str, found: set[str]) -> Iterator[Host]:
    """`host`, whose name does not contain the function's region, in the regions where it is the
    service's.
    """
    left = set(found)
    for partition, group in PARTITIONS.values():
        whole = {
            one.name
            for one in regions().values()
            if (one.partition, one.group) == (partition, group)
        }
        if whole <= found:
            yield Host(host, partition=partition, region=group)
            left -= whole
    for region in left:
        yield Host(host, partition=regions()[region].partition, region=region)


def _of_regions(names: dict[str, frozenset[str]], chosen: tuple[str, ...]) -> Iterator[Host]:
    """The names in `chosen` regions, for a function in any region."""
    for region in chosen:
        for host in names[region]:
            yield Host(host)
            own = _label_replaced(host, region, "{region}")
            if own != host and "{" in host:
                # The engine would replace ``{region}`` by its own region, so write the region out.
                yield Host(own, region=region)


def _hosts(names: dict[str, frozenset[str]], chosen: tuple[str, ...]) -> set[Host]:
    return set(_of_regions(names, chosen) if chosen else _of_own_region(names))


def service_hosts(
    service: str, chosen: tuple[str, ...] = (), accounts: tuple[str, ...] = ()
) -> tuple[Host, ...]:
    """The names of a service.

    Args:
        service: one of `services`.
        chosen: regions; none for the function's own.
        accounts: accounts besides the function's own that stand in names.
    """
    found = _hosts(_names(service), chosen)
    for account in accounts:
        found |= {replace(host, key=host.key.replace("{account}", account)) for host in found}
    return _sorted(found)


def bucket_hosts(bucket: str, chosen: tuple[str, ...] = ()) -> tuple[Host, ...]:
    """The virtual-hosted names of an S3 bucket.

    Args:
        bucket: its name, or a stand-in for one.
        chosen: regions; none for the function's own.
    """
    return _sorted(_hosts(_bucket_names(bucket), chosen))


def _sorted(hosts: set[Host]) -> tuple[Host, ...]:
    return tuple(sorted(hosts, key=lambda host: (host.key, host.partition, host.region)))
