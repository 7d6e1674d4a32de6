"""The host names of AWS services, from botocore's endpoint rule sets. Asked at compile time, never in a function.

Each rule set is evaluated for every region of the partitions that a function can run in, with and without FIPS and
dual-stack, for every kind of endpoint that an operation of the service can ask for. Names that differ in the region
alone become one with the label ``{region}``, so that a region which botocore does not know yet needs no new policy.

What belongs to a customer and not to the service is never among them: public names of EC2, load balancers, API
Gateway's ``execute-api``, function URLs, CloudFront distributions, everybody's buckets.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from fshield.aws import Partition
from fshield.policy import Host

# The pinned botocore, and the day of its release.
DATA_VERSION = "1.44.5"
DATA_DAY = date(2026, 11, 17)
DATA_MAX_DAYS = 90
TOO_OLD_MEND = "take a newer fshield and compile again: AWS may have new endpoints"

# botocore's partitions of functions. GovCloud shares its suffixes with aws: there a region's name tells the two apart.
_GOV = "us-gov-"
_PARTITIONS = {
    "aws": (Partition.AWS, f"!{_GOV}"),
    "aws-us-gov": (Partition.AWS, _GOV),
    "aws-cn": (Partition.AWS_CN, ""),
    "aws-eusc": (Partition.AWS_EUSC, ""),
}
# Their names begin with what a customer chose, so that no name of the service's own would do.
_OF_CUSTOMERS = {
    "apigatewaymanagementapi": "host: API-ID.execute-api.eu-central-1.amazonaws.com",
    "cloudfront-keyvaluestore": "host: ACCOUNT.cloudfront-kvs.global.api.aws",
}
# Stands for the function's account while the rules are evaluated.
_ACCOUNT = "999999999999"
# botocore passes these on from an operation's parameters; the account in them goes into the name.
_ARN_PARAMETERS = ("StreamARN", "ResourceARN", "ResourceArn", "StreamArn")
_MEMBER = re.compile(r"\{(\w+)\}")


def too_old(day: date, today: date) -> str | None:
    """What to say about endpoint data of `day`, where there is something."""
    age = (today - day).days
    return f"the endpoint data is of {day.isoformat()}, {age} days old" if age > DATA_MAX_DAYS else None


@dataclass(frozen=True)
class Region:
    """A region that a function can run in."""

    name: str
    partition: Partition
    suffix: str
    group: str


@dataclass(frozen=True)
class _Ask:
    """One kind of endpoint of a service: parameters of its rules that the region does not decide, and a prefix."""

    parameters: tuple[tuple[str, Any], ...]
    prefix: str = ""


@lru_cache(maxsize=1)
def _loader() -> Any:
    from botocore.loaders import Loader  # noqa: PLC0415 - a tenth of a second, and few commands need it

    # The distribution's own data only: what lies in ~/.aws/models must not change what a policy means.
    loader = Loader(include_default_search_paths=False)
    loader.search_paths.append(Loader.BUILTIN_DATA_PATH)
    return loader


@lru_cache(maxsize=1)
def services() -> tuple[str, ...]:
    """The services that a policy can name, as boto3 names them."""
    found: list[str] = _loader().list_available_services("endpoint-rule-set-1")
    return tuple(name for name in found if name not in _OF_CUSTOMERS)


@lru_cache(maxsize=1)
def regions() -> dict[str, Region]:
    """The regions that a function can run in, by name."""
    found = {}
    for partition in _loader().load_data("partitions")["partitions"]:
        if partition["id"] not in _PARTITIONS:
            continue
        number, group = _PARTITIONS[partition["id"]]
        for name in partition["regions"]:
            if not name.endswith("-global"):
                found[name] = Region(name, number, partition["outputs"]["dnsSuffix"], group)
    return found


def of_customers(service: str) -> str | None:
    """What to write instead of a service all of whose names begin with what a customer chose, or None."""
    return _OF_CUSTOMERS.get(service)


@lru_cache(maxsize=1)
def _by_first_label() -> dict[str, str]:
    """Services by how their names begin: ``states`` is stepfunctions, ``monitoring`` is cloudwatch."""
    found: dict[str, str] = {}
    for service in services():
        for host in _evaluate(service, _Ask(()), "us-east-1"):
            found.setdefault(host.partition(".")[0], service)
    return found


def service_by_label(label: str) -> str | None:
    """The service whose endpoint begins with `label`, or None."""
    return _by_first_label().get(label)


@lru_cache(maxsize=8)
def _by_host(region: str, everywhere: bool) -> dict[str, list[str]]:
    """Services by the hosts that most of their operations ask for in `region`; or by those of all regions, which takes
    seconds: every service's model is read."""
    found: dict[str, list[str]] = {}
    for service in services():
        asks, name = [_Ask(())], region
        if everywhere:
            name = _global_region(service, regions()[region]) or region
            if "UseGlobalEndpoint" in _rules(service).parameters:
                asks.append(_Ask((("UseGlobalEndpoint", True),)))
        for host in {host for ask in asks for host in _evaluate(service, ask, name)}:
            found.setdefault(host, []).append(service)
    return found


def services_at(host: str, region: str) -> list[str]:
    """The services that have `host` as their endpoint in `region`, those with the fewest names first.

    Endpoints that single operations ask for (``sync-states``) and those that an account's number stands in are not
    looked for.
    """
    named = set(host.split(".")) & regions().keys()
    if named and region not in named:
        return []
    found = _by_host(region, not named).get(host, [])
    return sorted(found, key=lambda service: (len(service_hosts(service)), service))


@lru_cache(maxsize=64)
def _rules(service: str) -> Any:
    from botocore.endpoint_provider import RuleSet  # noqa: PLC0415

    loader = _loader()
    return RuleSet(
        **loader.load_service_model(service, "endpoint-rule-set-1"), partitions=loader.load_data("partitions")
    )


def _evaluate(service: str, ask: _Ask, region: str) -> set[str]:
    """The hosts that the rules give for `ask` in `region`, with and without FIPS and dual-stack."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    rules = _rules(service)
    found = set()
    for fips, dual_stack in product((False, True), repeat=2):
        parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack, **dict(ask.parameters)}
        try:
            endpoint = rules.evaluate({name: parameters[name] for name in parameters if name in rules.parameters})
        except BotoCoreError:  # the rules know no such endpoint: no FIPS there, no dual-stack
            continue
        host = endpoint and urlsplit(endpoint.url).hostname
        if host:
            found.add(host if host.startswith(ask.prefix) else ask.prefix + host)
    return found


@lru_cache(maxsize=64)
def _asks(service: str) -> tuple[_Ask, ...]:
    """The kinds of endpoints that operations of `service` ask for."""
    known = _rules(service).parameters
    operations = _loader().load_service_model(service, "service-2")["operations"].values()
    found: dict[_Ask, None] = {_Ask(()): None}
    for operation in operations:
        static = {name: value["value"] for name, value in operation.get("staticContextParams", {}).items()}
        prefix = operation.get("endpoint", {}).get("hostPrefix", "")
        members = set(_MEMBER.findall(prefix))
        if members - {"AccountId"}:
            continue  # it begins with a resource's own id
        found[_Ask(tuple(sorted(static.items())), prefix.replace("{AccountId}", _ACCOUNT))] = None
    asks = list(found)
    if "UseGlobalEndpoint" in known:
        asks += [replace(ask, parameters=(*ask.parameters, ("UseGlobalEndpoint", True))) for ask in asks]
    if "AccountId" in known:
        account = [("AccountId", _ACCOUNT), ("AccountIdEndpointMode", "preferred")]
        asks += [replace(ask, parameters=(*ask.parameters, *account)) for ask in asks]
    arns = [name for name in _ARN_PARAMETERS if name in known]
    asks += [
        replace(ask, parameters=(*ask.parameters, (name, f"arn:aws:{service}:REGION:{_ACCOUNT}:stream/x")))
        for ask in asks
        for name in arns
    ]
    return tuple(asks)


def _in_region(ask: _Ask, region: Region) -> _Ask:
    """`ask` with ARNs that are of `region`."""
    partition = next(
        name for name, (number, group) in _PARTITIONS.items() if (number, group) == (region.partition, region.group)
    )
    return replace(
        ask,
        parameters=tuple(
            (name, value.replace("REGION", region.name).replace("arn:aws:", f"arn:{partition}:"))
            if isinstance(value, str)
            else (name, value)
            for name, value in ask.parameters
        ),
    )


@lru_cache(maxsize=1)
def _global_regions() -> dict[tuple[str, str], str]:
    """What botocore calls the region of a service that has one endpoint for a partition: ``aws-global``."""
    found = {}
    for partition in _loader().load_data("endpoints")["partitions"]:
        for prefix, service in partition["services"].items():
            if service.get("isRegionalized") is False and "partitionEndpoint" in service:
                found[partition["partition"], prefix] = service["partitionEndpoint"]
    return found


def _global_region(service: str, region: Region) -> str | None:
    prefix = _loader().load_service_model(service, "service-2")["metadata"].get("endpointPrefix", service)
    name = next(name for name, where in _PARTITIONS.items() if where == (region.partition, region.group))
    return _global_regions().get((name, prefix))


@lru_cache(maxsize=64)
def _names(service: str) -> dict[str, frozenset[str]]:
    """The hosts of `service` by region, with ``{account}`` in them and the names of VPC endpoints among them."""
    asks = _asks(service)
    found = {}
    for region in regions().values():
        asked = (region.name, _global_region(service, region))
        hosts = {
            host for ask in asks for name in asked if name for host in _evaluate(service, _in_region(ask, region), name)
        }
        named = {host.replace(_ACCOUNT, "{account}") for host in hosts}
        found[region.name] = frozenset(named | set(_vpc_endpoints(named, region)))
    return found


def _vpc_endpoints(hosts: set[str], region: Region) -> Iterator[str]:
    """``{vpce}.sqs.eu-central-1.vpce.amazonaws.com`` and its like.

    https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html#interface-endpoint-dns-hostnames
    """
    end = f".{region.name}.{region.suffix}"
    for host in hosts:
        if host.endswith(end) and "{account}" not in host:
            yield f"{{vpce}}.{host.removesuffix(end)}.{region.name}.vpce.{region.suffix}"


@lru_cache(maxsize=256)
def _bucket_names(bucket: str) -> dict[str, frozenset[str]]:
    """The virtual-hosted names of `bucket` by region. Path-style names are every bucket's, and not among them."""
    found = {}
    for region in regions().values():
        hosts: set[str] = set()
        for accelerate, everywhere in product((False, True), repeat=2):
            parameters = {"Bucket": bucket, "Accelerate": accelerate, "UseGlobalEndpoint": everywhere}
            hosts |= _evaluate("s3", _Ask(tuple(parameters.items())), region.name)
        if any(host.endswith(f".s3.{region.name}.{region.suffix}") for host in hosts):
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html
            hosts.add(f"{bucket}.bucket.{{vpce}}.s3.{region.name}.vpce.{region.suffix}")
        found[region.name] = frozenset(host for host in hosts if host.startswith(f"{bucket}."))
    return found


def _label_replaced(host: str, label: str, by: str) -> str:
    """`host` with the labels `label` replaced, but for the first: that is a bucket's or an account's."""
    first, *rest = host.split(".")
    return ".".join([first, *(by if one == label else one for one in rest)])


def _of_own_region(names: dict[str, frozenset[str]]) -> Iterator[Host]:
    """The names that hold in whatever region the function runs."""
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
                templates[_label_replaced(host, region, "{region}"), regions()[region].partition] = None
        else:
            shared[host] = found
    for template, partition in templates:
        yield Host(template, partition=partition)
    for host, found in shared.items():
        yield from _where(host, found)


def _where(host: str, found: set[str]) -> Iterator[Host]:
    """`host`, which does not carry the function's region, where it is the service's name."""
    left = set(found)
    for partition, group in _PARTITIONS.values():
        whole = {one.name for one in regions().values() if (one.partition, one.group) == (partition, group)}
        if whole <= found:
            yield Host(host, partition=partition, region=group)
            left -= whole
    for region in left:
        yield Host(host, partition=regions()[region].partition, region=region)


def _of_regions(names: dict[str, frozenset[str]], chosen: tuple[str, ...]) -> Iterator[Host]:
    """The names of `chosen` regions, wherever the function runs."""
    for region in chosen:
        for host in names[region]:
            yield Host(host)
            own = _label_replaced(host, region, "{region}")
            if own != host and "{" in host:
                # The engine replaces its own region's label together with the others.
                yield Host(own, region=region)


def _hosts(names: dict[str, frozenset[str]], chosen: tuple[str, ...]) -> set[Host]:
    return set(_of_regions(names, chosen) if chosen else _of_own_region(names))


def service_hosts(service: str, chosen: tuple[str, ...] = (), accounts: tuple[str, ...] = ()) -> tuple[Host, ...]:
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
