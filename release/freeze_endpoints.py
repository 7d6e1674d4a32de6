"""Freezes the host names of AWS services into ``fshield/language/endpoints.json``, from botocore's
endpoint rule sets. ``make endpoints`` runs it after botocore was updated in the lock file.

Each rule set is evaluated for every region of the partitions that a function can run in, with and
without FIPS and dual-stack, for every kind of endpoint that an operation of the service can ask
for. fshield itself reads the frozen names only, so a policy means the same with any botocore, or
with none.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.endpoint_provider import RuleSet
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

from fshield.language.endpoints import OF_CUSTOMERS, PARTITIONS

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "fshield" / "language" / "endpoints.json"

# Stands for the function's account, a bucket and a zone of S3 Express while the rules are
# evaluated.
_ACCOUNT = "999999999999"
_BUCKET, _ZONE = "zz0bucket0zz", "z"
# What a directory bucket's name and an access point's to one end in.
_EXPRESS = ("--x-s3", "--xa-s3")
_LONGEST_ZONE = 40
# botocore passes these on from an operation's parameters; the account in them goes into the name.
_ARN_PARAMETERS = ("StreamARN", "ResourceARN", "ResourceArn", "StreamArn")
_MEMBER = re.compile(r"\{(\w+)\}")

#: Regions to the hosts there.
Names = dict[str, set[str]]


@dataclass(frozen=True)
class _Ask:
    """One kind of endpoint of a service: parameters of its rules that the region does not decide,
    and a prefix."""

    parameters: tuple[tuple[str, Any], ...]
    prefix: str = ""


@lru_cache(maxsize=1)
def _loader() -> Any:
    # The distribution's own data only: what lies in ~/.aws/models must not change what a policy
    # means.
    loader = Loader(include_default_search_paths=False)
    loader.search_paths.append(Loader.BUILTIN_DATA_PATH)
    return loader


@lru_cache(maxsize=1)
def _regions() -> dict[str, str]:
    """The regions that a function can run in, with botocore's name of their partition."""
    return {
        name: partition["id"]
        for partition in _loader().load_data("partitions")["partitions"]
        if partition["id"] in PARTITIONS
        for name in partition["regions"]
        if not name.endswith("-global")
    }


@lru_cache(maxsize=8)
def _rules(service: str) -> Any:
    loader = _loader()
    return RuleSet(
        **loader.load_service_model(service, "endpoint-rule-set-1"),
        partitions=loader.load_data("partitions"),
    )


@lru_cache(maxsize=8)
def _model(service: str) -> Any:
    return _loader().load_service_model(service, "service-2")


def _evaluate(service: str, ask: _Ask, region: str) -> set[str]:
    """The hosts that the rules give for `ask` in `region`, with and without FIPS and dual-stack."""
    rules = _rules(service)
    found = set()
    for fips, dual_stack in product((False, True), repeat=2):
        parameters = {
            "Region": region,
            "UseFIPS": fips,
            "UseDualStack": dual_stack,
            **dict(ask.parameters),
        }
        try:
            endpoint = rules.evaluate(
                {name: parameters[name] for name in parameters if name in rules.parameters}
            )
        except BotoCoreError:  # the rules know no such endpoint: no FIPS there, no dual-stack
            continue
        host = endpoint and urlsplit(endpoint.url).hostname
        if host:
            found.add(host if host.startswith(ask.prefix) else ask.prefix + host)
    return found


def _asks(service: str) -> list[_Ask]:
    """The kinds of endpoints that operations of `service` ask for."""
    known = _rules(service).parameters
    found: dict[_Ask, None] = {_Ask(()): None}
    for operation in _model(service)["operations"].values():
        static = {
            name: value["value"] for name, value in operation.get("staticContextParams", {}).items()
        }
        prefix = operation.get("endpoint", {}).get("hostPrefix", "")
        members = set(_MEMBER.findall(prefix))
        if members - {"AccountId"}:
            continue  # it begins with a resource's own id
        found[_Ask(tuple(sorted(static.items())), prefix.replace("{AccountId}", _ACCOUNT))] = None
    asks = list(found)
    if "UseGlobalEndpoint" in known:
        asks += [
            replace(ask, parameters=(*ask.parameters, ("UseGlobalEndpoint", True))) for ask in asks
        ]
    if "AccountId" in known:
        account = [("AccountId", _ACCOUNT), ("AccountIdEndpointMode", "preferred")]
        asks += [replace(ask, parameters=(*ask.parameters, *account)) for ask in asks]
    arns = [name for name in _ARN_PARAMETERS if name in known]
    asks += [
        replace(
            ask,
            parameters=(*ask.parameters, (name, f"arn:aws:{service}:REGION:{_ACCOUNT}:stream/x")),
        )
        for ask in asks
        for name in arns
    ]
    return asks


def _in_region(ask: _Ask, region: str) -> _Ask:
    """`ask` with ARNs that are of `region`."""
    partition = _regions()[region]
    return replace(
        ask,
        parameters=tuple(
            (
                (name, value.replace("REGION", region).replace("arn:aws:", f"arn:{partition}:"))
                if isinstance(value, str)
                else (name, value)
            )
            for name, value in ask.parameters
        ),
    )


@lru_cache(maxsize=1)
def _global_regions() -> dict[tuple[str, str], str]:
    """What botocore calls the region of a service that has one endpoint for a partition:
    ``aws-global``."""
    return {
        (partition["partition"], prefix): service["partitionEndpoint"]
        for partition in _loader().load_data("endpoints")["partitions"]
        for prefix, service in partition["services"].items()
        if service.get("isRegionalized") is False and "partitionEndpoint" in service
    }


def _global_region(service: str, region: str) -> str | None:
    prefix = _model(service)["metadata"].get("endpointPrefix", service)
    return _global_regions().get((_regions()[region], prefix))


def _names(service: str) -> Names:
    """The hosts of `service` by region, with ``{account}`` in them."""
    asks = _asks(service)
    return {
        region: {
            host.replace(_ACCOUNT, "{account}")
            for ask in asks
            for name in (region, _global_region(service, region))
            if name
            for host in _evaluate(service, _in_region(ask, region), name)
        }
        for region in _regions()
    }


def _usual(service: str) -> Names:
    """The hosts that most operations of `service` ask for in a region."""
    return {region: _evaluate(service, _Ask(()), region) for region in _regions()}


def _everywhere(service: str) -> Names:
    """The hosts that they ask for where the service has one endpoint for all regions."""
    asks = [_Ask(())]
    if "UseGlobalEndpoint" in _rules(service).parameters:
        asks.append(_Ask((("UseGlobalEndpoint", True),)))
    return {
        region: {
            host
            for ask in asks
            for host in _evaluate(service, ask, _global_region(service, region) or region)
        }
        for region in _regions()
    }


def _bucket(name: str) -> Names:
    """The virtual-hosted names of a bucket. Path-style names are every bucket's, and not among
    them."""
    found: Names = {}
    for region in _regions():
        hosts: set[str] = set()
        for accelerate, everywhere in product((False, True), repeat=2):
            parameters = {"Bucket": name, "Accelerate": accelerate, "UseGlobalEndpoint": everywhere}
            hosts |= _evaluate("s3", _Ask(tuple(parameters.items())), region)
        found[region] = {host for host in hosts if host.startswith(f"{name}.")}
    return found


def _express(suffix: str) -> tuple[list[int], Names]:
    """The lengths of zones that S3 takes in a bucket's name with `suffix`, and the names of one."""
    lengths: list[int] = []
    names: Names = {}
    for length in range(1, _LONGEST_ZONE):
        zone = (_ZONE * length)[:-1] + "1"
        bucket = f"{_BUCKET}--{zone}{suffix}"
        found = {
            region: {host.replace(bucket, "{bucket}").replace(zone, "{zone}") for host in hosts}
            for region, hosts in _bucket(bucket).items()
        }
        if not any(found.values()):
            continue
        if lengths and found != names:
            raise SystemExit(f"{suffix}: names of zones with {length} letters differ")
        lengths.append(length)
        names = found
    return lengths, names


class _Sets:
    """Sets of regions by index: there are few, and they are used again and again."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], int] = {}

    def packed(self, names: Names) -> dict[str, list[str]]:
        """`names` with the region's label replaced by ``{region}``, by the set of regions that each
        holds in."""
        where: dict[str, set[str]] = defaultdict(set)
        for region, hosts in names.items():
            for host in hosts:
                where[_with_label(host, region)].add(region)
        packed: dict[int, list[str]] = defaultdict(list)
        for host in sorted(where):
            regions = tuple(sorted(where[host]))
            packed[self.known.setdefault(regions, len(self.known))].append(host)
        return {str(number): packed[number] for number in sorted(packed)}


def _with_label(host: str, region: str) -> str:
    first, *rest = host.split(".")
    return ".".join([first, *("{region}" if one == region else one for one in rest)])


def frozen(services: Iterable[str], day: str) -> dict[str, Any]:
    """The content of the file."""
    sets = _Sets()
    partitions = {
        each["id"]: each["outputs"]["dnsSuffix"]
        for each in _loader().load_data("partitions")["partitions"]
        if each["id"] in PARTITIONS
    }
    express = {}
    for suffix in _EXPRESS:
        lengths, names = _express(suffix)
        express[suffix] = {"zones": lengths, "hosts": sets.packed(names)}
    general = {
        region: {host.replace(_BUCKET, "{bucket}") for host in hosts}
        for region, hosts in _bucket(_BUCKET).items()
    }
    buckets = {"hosts": sets.packed(general), "express": express}
    found = {}
    for service in services:
        packed = {"hosts": sets.packed(_names(service))}
        # What is left out is as the one before.
        before = packed["hosts"]
        for key, names in (("usual", _usual(service)), ("everywhere", _everywhere(service))):
            now = sets.packed(names)
            if now != before:
                packed[key] = now
            before = now
        found[service] = packed
    return {
        "botocore": botocore.__version__,
        "day": day,
        "partitions": partitions,
        "regions": _regions(),
        "sets": [" ".join(regions) for regions in sets.known],
        "buckets": buckets,
        "services": found,
    }


def services() -> list[str]:
    """The services that a policy can name, as boto3 names them."""
    found = _loader().list_available_services("endpoint-rule-set-1")
    return [name for name in found if name not in OF_CUSTOMERS]


def written(content: Mapping[str, Any]) -> str:
    """The file's text: a line for each service, so that a change of one can be read."""
    lines = []
    for key, value in content.items():
        if key in {"services", "sets"}:
            several = [
                json.dumps(each) if key == "sets" else f"{json.dumps(each)}: {_short(value[each])}"
                for each in value
            ]
            begin, end = "[]" if key == "sets" else "{}"
            lines.append(f"{json.dumps(key)}: {begin}\n" + ",\n".join(several) + f"\n{end}")
        else:
            lines.append(f"{json.dumps(key)}: {_short(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _short(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def main() -> None:
    if len(sys.argv) != 2 or not re.fullmatch(r"\d{4}-\d\d-\d\d", sys.argv[1]):
        raise SystemExit("freeze_endpoints.py DAY: the day of botocore's release, 2026-11-17")
    OUT.write_text(written(frozen(services(), sys.argv[1])), "utf-8")
    print(f"{OUT.relative_to(ROOT)}  {OUT.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
