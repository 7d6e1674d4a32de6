"""The base of every mapping of the policy language: unknown keys are errors that say what was
probably meant.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from fshield.errors import closest, shown
from fshield.language.wrong import wrong, wrong_choice

Mode = Literal["block", "alert", "allow"]
MODES: tuple[str, ...] = get_args(Mode)


def _mode(value: object) -> object:
    if not isinstance(value, str) or value not in MODES:
        raise wrong_choice(value, MODES, "mode")
    return value


ModeField = Annotated[Mode, BeforeValidator(_mode)]


def text(value: object) -> str:
    if not isinstance(value, str):
        fix = f'in quotes: "{value}"' if isinstance(value, (int, bool)) else ""
        raise wrong(f"{shown(value)} is not text", "text", fix)
    return value


Text = Annotated[str, BeforeValidator(text), Field(min_length=1, max_length=500)]


def _boolean(value: object) -> object:
    if not isinstance(value, bool):
        words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
        guess = words.get(str(value).lower(), "")
        raise wrong(
            f"{shown(value)} is neither true nor false",
            "true, false",
            guess and f"did you mean `{guess}`?",
        )
    return value


Boolean = Annotated[bool, BeforeValidator(_boolean)]


def _date(value: object) -> date:
    try:
        return (
            date.fromisoformat(value)
            if isinstance(value, str) and len(value) == 10
            else _no_date(value)
        )
    except ValueError:
        return _no_date(value)


def _no_date(value: object) -> date:
    raise wrong(f"{shown(value)} is not a date", "year-month-day: 2027-01-31")


Day = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]


@cache
def _keys_of(part: type[Part]) -> list[str]:
    """The mapping's own keys first, then those that it shares with others."""
    fields = sorted(part.model_fields, key=lambda key: key not in part.__annotations__)
    return [part.model_fields[key].alias or key for key in fields]


class Part(BaseModel):
    """A mapping of the language. Keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
    what: ClassVar[str] = "mapping"

    @classmethod
    def expand(cls, data: object) -> object:
        """Bring a short form to the long one."""
        return data

    @classmethod
    def unknown(cls, key: str, known: list[str]) -> Exception:
        """The error about a key that is not known."""
        guess = closest(key, known)
        return wrong(
            f"{shown(key)} is not a key of {cls.what}",
            ", ".join(known),
            f"did you mean `{guess}`?" if guess else "",
            key=key,
        )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: object) -> object:
        data = cls.expand(data)
        known = _keys_of(cls)
        if not isinstance(data, dict):
            raise wrong(
                f"{cls.what} must be a mapping, but this is {shown(data)}",
                ", ".join(known),
                f"{known[0]}: …",
            )
        for key in data:
            if key not in known:
                raise cls.unknown(key, known)
        return data
