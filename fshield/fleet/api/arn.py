"""Parses names and ARNs of functions and layer versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fshield.errors import CouldNotRun, shown

ARCHITECTURES = ("x86_64", "arm64")
ARCH_FIELD = "{arch}"
_LAYER = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
    r"(?P<name>[A-Za-z0-9_-]{1,140}):(?P<version>[1-9]\d*)\Z"
)
_FUNCTION_ARN = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>[A-Za-z0-9$_-]{1,128}))?\Z"
)
_LAYER_FIX = "arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION, as `fshield publish` prints it"


@dataclass(frozen=True)
class LayerVersion:
    """A layer version by its ARN."""

    arn: str
    region: str
    name: str
    version: int

    @property
    def layer_arn(self) -> str:
        """The ARN of the layer, without the version."""
        return self.arn.rpartition(":")[0]


def layer_version(arn: str) -> LayerVersion:
    """The parts of a layer version's ARN. Raises CouldNotRun."""
    found = _LAYER.match(arn)
    if not found:
        raise CouldNotRun(f"{shown(arn, 120)}: is not an ARN of a layer version", _LAYER_FIX)
    return LayerVersion(arn, found["region"], found["name"], int(found["version"]))


def layer_name(arn: str) -> str:
    """The layer's name in a layer version's ARN; other text unchanged."""
    found = _LAYER.match(arn)
    return found["name"] if found else arn


def layer_number(arn: str) -> int:
    """The version number in the ARN of a layer version, or 0."""
    found = _LAYER.match(arn)
    return int(found["version"]) if found else 0


def parts_of_function(text: str) -> tuple[str | None, str | None] | None:
    """The region and the account in a function's name, partial ARN or ARN; None if it is not a
    function's name.
    """
    found = _FUNCTION_ARN.match(text)
    return (found["region"], found["account"]) if found else None


def function_name(text: str, region: str) -> str:
    """The plain name in a function's name, partial ARN or ARN.

    Args:
        text: the text on the command line.
        region: where the command works.

    Raises:
        CouldNotRun: it is not a name, it names a version or an alias, or a function of another
            region.
    """
    found = _FUNCTION_ARN.match(text)
    if not found:
        raise CouldNotRun(f"{shown(text, 120)}: is not a function's name", "a name, or an ARN")
    if found["region"] and found["region"] != region:
        raise CouldNotRun(
            f"{text}: is in {found['region']}, and this command works in {region}",
            f"--region {found['region']}",
        )
    if found["qualifier"] and found["qualifier"] != "$LATEST":
        raise CouldNotRun(
            f"{text}: versions do not change, and an alias only points to one",
            f"name the function, {found['name']}; `fshield mode` moves an alias",
        )
    return found["name"]
