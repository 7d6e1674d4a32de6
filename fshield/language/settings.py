"""The settings of a policy besides its rules: events, kernel limits, modes that override it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from fshield.errors import shown
from fshield.language.part import Part
from fshield.language.part import text as as_text
from fshield.language.wrong import wrong, wrong_choice

_NAMESPACE = re.compile(r"[A-Za-z0-9._/#: -]{1,255}\Z")


def _namespace(value: object) -> str:
    text = as_text(value)
    # "Namespaces" in
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
    if not _NAMESPACE.match(text) or not text.strip() or text.startswith("AWS/"):
        raise wrong(
            f"{shown(text)} is not a namespace for metrics",
            "1 to 255 letters, digits and `._/#:-`, not beginning with AWS/",
        )
    return text


def _format(value: object) -> object:
    if value not in ("json", "ocsf"):
        raise wrong_choice(value, ("json", "ocsf"), "format of events")
    return value


def _allowed(value: object) -> object:
    if value != "first":
        raise wrong_choice(value, ("first",), "value of allowed")
    return value


class Events(Part):
    """The format of events, and which events there are besides violations."""

    what: ClassVar[str] = "`events`"
    format: Annotated[Literal["json", "ocsf"], BeforeValidator(_format)] = "json"
    allowed: Annotated[Literal["first"], BeforeValidator(_allowed)] | None = Field(
        None, description="first: an event at the first use of each allow entry in a process."
    )
    emf_namespace: Annotated[str, BeforeValidator(_namespace)] | None = Field(
        None, description="CloudWatch namespace for metrics."
    )


def _switch(value: object) -> object:
    if isinstance(value, bool):
        return "on" if value else "off"  # what other readers of YAML make of these words
    if value not in ("on", "off"):
        raise wrong(f"{shown(value)} is neither on nor off", "on, off")
    return value


class Kernel(Part):
    """Limits that the process puts on itself. The kernel enforces them on machine code too."""

    what: ClassVar[str] = "`kernel`"
    file_size: Annotated[Literal["on", "off"], BeforeValidator(_switch)] = Field(
        "off",
        description="on: no file grows, where /tmp is closed. See docs/decisions/kernel-ring.md.",
    )


def _overrides(value: object) -> object:
    if not isinstance(value, list):
        raise wrong(
            "allow_mode_override is a list",
            "[], [alert], [off], [alert, off]",
            "allow_mode_override: []",
        )
    return value


def _override(value: object) -> object:
    if value not in ("alert", "off"):
        raise wrong_choice(value, ("alert", "off"), "value of FUNCTION_SHIELD_MODE")
    return value


Override = Annotated[Literal["alert", "off"], BeforeValidator(_override)]
Overrides = Annotated[list[Override], BeforeValidator(_overrides)]
