"""The ``tests:`` of a policy, as pydantic models: acts, and whether the policy must allow, report
or block each.

The words are those of ``fshield explain``: connect, open, exec. They are not part of the compiled
policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from fshield.errors import shown
from fshield.language import destinations, patterns
from fshield.language.callers import Caller
from fshield.language.part import Part, Text
from fshield.language.part import text as as_text
from fshield.language.wrong import wrong

VERDICTS = ("allowed", "alerted", "blocked")
ACTS = ("connect", "look_up", "open", "exec", "load", "read_source")
DEFAULT_PORT = 443
_ACT_FORM = ", ".join(f"`{act}:`" for act in ACTS)
_CASE_FORM = "`- blocked: {connect: evil.example.org}`, and so on"
_TARGET_FORM = "HOST or HOST:PORT, as in api.stripe.com:443 or [2001:db8::1]:443"


def target(text: str) -> tuple[str, int]:
    """The host or address, and the port, of ``connect``. The default port is 443. Raises
    PydanticCustomError."""
    host, port = text, str(DEFAULT_PORT)
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        host, port = bracketed[1], bracketed[2] if bracketed[2] is not None else port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    elif ":" in text and not _is_address(text):
        raise wrong(f"{shown(text)} can be read in two ways", _TARGET_FORM)
    if not port.isascii() or not port.isdigit() or not 1 <= int(port[:6]) <= 65535:
        raise wrong(f"{shown(port)} is not a port", "a number from 1 to 65535")
    if not _is_address(host):
        _one_name(host)
    return host, int(port)


def _is_address(text: str) -> bool:
    return destinations.address_of(text) is not None


def _one_name(text: str) -> str:
    key, wildcard = destinations.host_key(text)
    if wildcard:
        raise wrong(
            f"{shown(text)} is a pattern", "one host: a test asks about one thing", f"www.{key}"
        )
    return key


def _one_path(text: str) -> str:
    if re.search(r"[*?]", text):
        raise wrong(f"{shown(text)} is a pattern", "one path: a test asks about one thing")
    return patterns.absolute_pattern(text)


def _program(text: str) -> str:
    return text if text == patterns.FORK else _one_path(text)


def _under_tmp(text: str) -> str:
    path = _one_path(text)
    if path != "/tmp" and not path.startswith("/tmp/"):
        raise wrong(
            f"{shown(text)} is not under /tmp: no rule judges it",
            "a path under /tmp",
            f"/tmp{path}",
        )
    return path


def _library(text: str) -> str:
    return _one_path(text) if "/" in text else patterns.library_pattern(text)


def _many(value: object) -> object:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise wrong("the list is empty: it tests nothing", "one thing or more")
    return values


def _each(check: Callable[[str], object]) -> BeforeValidator:
    """A validator that runs `check` and returns the text unchanged."""

    def checked(value: object) -> str:
        found = as_text(value)
        check(found)
        return found

    return BeforeValidator(checked)


_SHAPE = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]}
)
Targets = Annotated[list[Annotated[str, _each(target)]], BeforeValidator(_many), _SHAPE]
Names = Annotated[list[Annotated[str, _each(_one_name)]], BeforeValidator(_many), _SHAPE]
Paths = Annotated[list[Annotated[str, _each(_one_path)]], BeforeValidator(_many), _SHAPE]
Programs = Annotated[list[Annotated[str, _each(_program)]], BeforeValidator(_many), _SHAPE]
Tmp = Annotated[list[Annotated[str, _each(_under_tmp)]], BeforeValidator(_many), _SHAPE]
Libraries = Annotated[list[Annotated[str, _each(_library)]], BeforeValidator(_many), _SHAPE]


class Acts(Part):
    """The act of a test."""

    what: ClassVar[str] = "what is tested"
    connect: Targets | None = Field(
        None, description="outbound_connectivity: HOST:PORT, or HOST for port 443."
    )
    look_up: Names | None = Field(None, description="outbound_connectivity: a name is asked for.")
    open: Tmp | None = Field(None, description="read_write_tmp: a resolved path under /tmp.")
    exec: Programs | None = Field(
        None, description="create_child_process: a program by its resolved path, or `fork`."
    )
    load: Libraries | None = Field(
        None, description="native_code: a module's name, or a library's resolved path."
    )
    read_source: Paths | None = Field(
        None, description="read_handler: a file of the handler's own source."
    )

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, str):
            raise wrong(
                f"{shown(data)} does not say what is done with it",
                _ACT_FORM,
                f"{{connect: {data}}}",
            )
        if data is None or data == {}:
            raise wrong("the test has nothing in it", _ACT_FORM)
        return data


def _environment(value: object) -> object:
    form = "a mapping of variables to texts: {BUCKET_NAME: my-bucket}"
    if not isinstance(value, dict) or not value:
        raise wrong(f"{shown(value)} is not an environment", form, "env: {BUCKET_NAME: my-bucket}")
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise wrong(f"{shown(name)} is not a variable's name", form, key=name)
        if not isinstance(text, str):
            raise wrong(f"{shown(text)} is not text", form, f'{name}: "{text}"', key=name)
    return value


Environment = Annotated[dict[str, str], BeforeValidator(_environment)]


class Case(Part):
    """One test: acts, and the verdict that each must get."""

    what: ClassVar[str] = "a test"
    allowed: Acts | None = Field(None, description="These must be allowed.")
    alerted: Acts | None = Field(None, description="These must be let through with an event.")
    blocked: Acts | None = Field(None, description="These must be blocked.")
    reason: Text | None = Field(None, description="Why this must be so: shown where it is not.")
    region: Text | None = Field(
        None, description="The AWS region of the function. us-east-1 where it is left out."
    )
    env: Environment | None = Field(
        None, description="Variables of the function, for entries with ${env:NAME}."
    )
    caller: Caller | None = Field(
        None,
        alias="as",
        description="The distribution that asks, for entries with only_for.",
    )

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, dict):
            if not any(verdict in data for verdict in VERDICTS):
                odd = next((key for key in data if key not in cls.model_fields), None)
                if odd is not None:
                    raise cls.unknown(odd, list(cls.model_fields))
                raise wrong("the test does not say which verdict it wants", _CASE_FORM)
            for verdict in VERDICTS:
                if verdict in data and data[verdict] is None:
                    raise wrong(f"`{verdict}` has nothing in it", _ACT_FORM, key=verdict)
        return data

    @classmethod
    def unknown(cls, key: str, known: list[str]) -> Exception:
        meant = {
            "allow": "allowed",
            "block": "blocked",
            "alert": "alerted",
            "deny": "blocked",
            "denied": "blocked",
        }
        if key in meant:
            return wrong(
                f"{shown(key)} is not a verdict",
                ", ".join(VERDICTS),
                f"did you mean `{meant[key]}`?",
                key=key,
            )
        return super().unknown(key, known)


def _cases(value: object) -> object:
    if not isinstance(value, list):
        raise wrong("`tests` is a list", _CASE_FORM, "tests: []" if value is None else "")
    return value


Cases = Annotated[list[Case], BeforeValidator(_cases)]
