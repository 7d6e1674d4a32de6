"""The policy language, as pydantic models: the only definition of its keys and values (settings.py
has those beside the rules).

``policies/policy.schema.json`` is made from it. Locations of errors are keys
and indices of the document; the loader turns them into lines and columns.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from fshield.errors import closest, shown
from fshield.language import callers, destinations, patterns
from fshield.language.aws_services import Accounts, Aws, Regions
from fshield.language.callers import OnlyFor
from fshield.language.cases import Cases
from fshield.language.part import MODES, Boolean, Day, ModeField, Part, Text
from fshield.language.part import text as as_text
from fshield.language.settings import Events, Kernel, Overrides
from fshield.language.wrong import wrong, wrong_choice

OLD_RULES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
NEW_RULES = ("native_code", "runtime_api")
RULES = OLD_RULES + NEW_RULES


class Entry(Part):
    """What every allow entry may have in addition."""

    reason: Text | None = Field(None, description="Why this is allowed, for the next reader.")
    owner: Text | None = Field(None, description="Who asked for it.")
    expires: Day | None = Field(
        None, description="After this day `fshield check` reports the entry."
    )
    only_for: OnlyFor | None = Field(
        None,
        description=(
            "The entry counts for acts of these distributions only, and of what they require."
            " `function`: the function's own code. `unknown`: a caller that cannot be told."
        ),
    )


Host = Annotated[
    str,
    BeforeValidator(as_text),
    BeforeValidator(lambda text: (destinations.host_key(as_text(text)), text)[1]),
]
Cidr = Annotated[
    str,
    BeforeValidator(as_text),
    BeforeValidator(lambda text: (destinations.network(as_text(text)), text)[1]),
]
PortList = Annotated[
    destinations.Ports,
    Field(strict=False),
    BeforeValidator(destinations.ports),
    WithJsonSchema(
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    {"type": "integer", "minimum": 1, "maximum": 65535},
                    {"type": "string", "pattern": "^[0-9]{1,5}-[0-9]{1,5}$"},
                ]
            },
        }
    ),
]


def _loopback(value: object) -> object:
    return () if value == [] else destinations.ports(value)


LoopbackPorts = Annotated[
    destinations.Ports,
    Field(strict=False),
    BeforeValidator(_loopback),
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "integer", "minimum": 1, "maximum": 65535},
                    {"type": "string", "pattern": "^[0-9]{1,5}-[0-9]{1,5}$"},
                ]
            },
        }
    ),
]


def _tls(value: object) -> object:
    if value not in ("required", "starttls", "none"):
        raise wrong_choice(value, ("required", "starttls", "none"), "value of tls")
    return value


Tls = Annotated[Literal["required", "starttls", "none"], BeforeValidator(_tls)]


class Destination(Entry):
    """The fields that the three kinds of outbound entries share."""

    ports: PortList = Field(
        destinations.DEFAULT_PORTS,
        description="443 where none is named.",
        json_schema_extra={"default": [443]},
    )
    tls: Tls | None = Field(
        None, description="Whether a TLS greeting must come first. On 443: required."
    )


class HostEntry(Destination):
    """A host by name."""

    what: ClassVar[str] = "a host entry"
    host: Host = Field(
        description=(
            'A name, or "*.example.org" for all names under example.org. ${env:NAME} stands '
            "for a variable of the function's configuration, as it was at start."
        )
    )


class CidrEntry(Destination):
    """A range of addresses, or one."""

    what: ClassVar[str] = "an address entry"
    cidr: Cidr = Field(description="10.0.0.0/16, fd00::/8, or one address.")


class AwsEntry(Destination):
    """Services of AWS, or all its domain suffixes."""

    what: ClassVar[str] = "an aws entry"
    aws: Aws = Field(
        description=(
            "Services, by name; s3 with its buckets. true: every name under amazonaws.com and the"
            " other suffixes, which is not a boundary: see docs/policy.md."
        )
    )
    regions: Regions | None = Field(
        None, description="These regions instead of the function's own."
    )
    accounts: Accounts | None = Field(
        None,
        description=(
            "Accounts besides the function's own (AWS_ACCOUNT_ID) that may stand in host names."
        ),
    )

    @model_validator(mode="after")
    def _regions_of_services(self) -> AwsEntry:
        if self.aws is True and (self.regions or self.accounts):
            key = "regions" if self.regions else "accounts"
            raise wrong(
                f"`aws: true` has no {key}: it is every name of AWS",
                "services",
                "aws: [dynamodb]",
                key=key,
            )
        return self


_KINDS: dict[str, type[Destination]] = {"host": HostEntry, "cidr": CidrEntry, "aws": AwsEntry}


def _tag(value: object) -> str | None:
    if isinstance(value, Destination):
        return next(
            (f"<{kind}>" for kind, model in _KINDS.items() if isinstance(value, model)), None
        )
    return next((f"<{kind}>" for kind in _KINDS if isinstance(value, dict) and kind in value), None)


def _one_kind(value: object) -> object:
    """Refuse a value that is not an outbound entry, or is two at once. pydantic's own message for a
    union would not help.
    """
    form = "`host: NAME`, `cidr: RANGE` or `aws: [SERVICE]`"
    if isinstance(value, str):
        fix = "- aws: [dynamodb]" if value == "aws" else f"- host: {value}"
        raise wrong(f"{shown(value)} is not an entry: it does not say what it is", form, fix)
    if not isinstance(value, dict):
        raise wrong(f"{shown(value)} is not an entry", form)
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) > 1:
        raise wrong(
            f"an entry is either `{kinds[0]}` or `{kinds[1]}`",
            "one of them in each entry",
            "make two entries",
            key=kinds[1],
        )
    if not kinds:
        common = list(Destination.model_fields)
        odd = next((key for key in value if key not in common), "")
        guess = closest(odd, _KINDS) if odd else None
        raise wrong(
            (
                f"{shown(odd)} is not a key of an entry"
                if odd
                else "the entry does not say what it allows"
            ),
            form,
            f"did you mean `{guess}`?" if guess else "",
            key=odd,
        )
    return value


OutboundEntry = Annotated[
    Annotated[HostEntry, Tag("<host>")]
    | Annotated[CidrEntry, Tag("<cidr>")]
    | Annotated[AwsEntry, Tag("<aws>")],
    Discriminator(_tag),
    BeforeValidator(_one_kind),
]


class PathEntry(Entry):
    """A path pattern. A plain string if it has no other field."""

    what: ClassVar[str] = "a path entry"
    path: Text = Field(
        description="`*` and `?` stand for what is inside one name, `**` for anything."
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"path": data} if isinstance(data, str) else data


class TmpEntry(PathEntry):
    """Objects under /tmp."""

    path: Annotated[str, BeforeValidator(lambda text: patterns.tmp_pattern(as_text(text)))] = Field(
        description="A path under /tmp: `*` and `?` stand for what is inside one name, `**` for "
        "anything. `tempfile` stands for the names that Python's tempfile makes up in /tmp."
    )


class ProgramEntry(PathEntry):
    """Executables, by resolved path, or forks."""

    path: Annotated[str, BeforeValidator(lambda text: patterns.program_pattern(as_text(text)))] = (
        Field(
            description="A program's resolved path: `*` and `?` stand for what is inside one name,"
            " `**` for anything. `fork` stands for a fork whose child executes nothing."
        )
    )

    @classmethod
    def unknown(cls, key: str, known: list[str]) -> Exception:
        if key == patterns.FORK:
            return wrong(
                f"{shown(key)} is not a key of {cls.what}: it is a word of its own",
                "a path, or `fork`",
                "- fork",
                key=key,
            )
        return super().unknown(key, known)


class LibraryEntry(Entry):
    """A module that may bring machine code, by name, or libraries by path."""

    what: ClassVar[str] = "a library entry"
    library: Annotated[str, BeforeValidator(lambda text: patterns.library_pattern(as_text(text)))]

    @classmethod
    def expand(cls, data: object) -> object:
        return {"library": data} if isinstance(data, str) else data


def _entries(value: object) -> object:
    if not isinstance(value, list):
        raise wrong(
            "`allow` is a list of entries",
            "a list, each entry behind a `- `",
            "allow: []" if value is None else "",
        )
    return value


class Rule(Part):
    """A rule that has a mode and nothing else."""

    what: ClassVar[str] = "this rule"
    mode: ModeField | None = Field(None, description="block | alert | allow")

    @classmethod
    def expand(cls, data: object) -> object:
        if data is None:
            raise wrong("the rule has no value", ", ".join(MODES), "block")
        return data if isinstance(data, dict) else {"mode": data}


class _NoExceptions(Rule):
    """A rule without `allow`."""

    @classmethod
    def unknown(cls, key: str, known: list[str]) -> Exception:
        if key == "allow":
            return wrong("this rule takes no exceptions", "mode", "take `allow` out", key=key)
        return super().unknown(key, known)


class RuntimeApiRule(_NoExceptions):
    """Anyone but the runtime client talking to the Runtime API."""


def _listed(value: object) -> object:
    if not isinstance(value, list):
        raise wrong("this is a list", "a list, each item behind a `- `")
    return value


SourcePattern = Annotated[
    str, BeforeValidator(lambda text: patterns.absolute_pattern(as_text(text)))
]
Distribution = Annotated[str, BeforeValidator(callers.distribution)]


class ReadHandlerRule(_NoExceptions):
    """The handler's own source."""

    also: Annotated[list[SourcePattern], BeforeValidator(_listed)] = Field(
        [],
        description=(
            "More of the function's source: path patterns. A pattern that ends in `*` means the"
            " files of code that it matches. Modules go on being imported."
        ),
    )
    quiet: Annotated[list[Distribution], BeforeValidator(_listed)] = Field(
        [], description="Distributions whose reads are blocked without an event."
    )


class OutboundRule(Rule):
    """Every way an IP packet leaves."""

    allow: Annotated[list[OutboundEntry], BeforeValidator(_entries)] = Field(
        [], description="Exceptions."
    )
    loopback: LoopbackPorts | None = Field(
        None,
        description="The ports of 127.0.0.1 and ::1 that may be reached. Left out: all of them.",
    )


def _keep(value: object) -> object:
    if not isinstance(value, list):
        raise wrong("`keep` is a list of entries", "a list, each entry behind a `- `")
    return value


TMP_MODES = (*MODES, "ephemeral")


def _tmp_mode(value: object) -> object:
    if not isinstance(value, str) or value not in TMP_MODES:
        raise wrong_choice(value, TMP_MODES, "mode")
    return value


TmpModeField = Annotated[
    Literal["block", "alert", "allow", "ephemeral"], BeforeValidator(_tmp_mode)
]


class TmpRule(Rule):
    """Whatever touches an object under /tmp."""

    mode: TmpModeField | None = Field(  # type: ignore[assignment]
        None,
        description=(
            "block | alert | allow | ephemeral. ephemeral: what an invocation makes it may use, and"
            " it is gone when the invocation ends."
        ),
    )
    keep: Annotated[list[TmpEntry], BeforeValidator(_keep)] = Field(
        [], description="Under ephemeral: what stays for later invocations, which may use it."
    )
    allow: Annotated[list[TmpEntry], BeforeValidator(_entries)] = Field(
        [], description="Exceptions: path patterns."
    )

    @model_validator(mode="after")
    def _keep_of_ephemeral(self) -> TmpRule:
        if self.keep and self.mode != "ephemeral":
            raise wrong(
                "`keep` says what is not removed, and only `mode: ephemeral` removes",
                "mode: ephemeral, or `allow`",
                "write these under `allow`",
                key="keep",
            )
        if any(entry.only_for for entry in self.keep):
            raise wrong(
                "`keep` says what is not removed: it is the same for all callers",
                "`only_for` in `allow`",
                "take `only_for` out",
                key="keep",
            )
        return self


class ProcessRule(Rule):
    """Every way to start a process."""

    allow: Annotated[list[ProgramEntry], BeforeValidator(_entries)] = Field(
        [], description="Exceptions: executables by resolved path, and `fork`."
    )


class NativeRule(Rule):
    """ctypes, cffi, executable memory, libraries from writable places."""

    allow: Annotated[list[LibraryEntry], BeforeValidator(_entries)] = Field(
        [], description="Exceptions: modules by name, libraries by path."
    )


class Rules(Part):
    """The rules by name."""

    what: ClassVar[str] = "`policy`"
    outbound_connectivity: OutboundRule | None = None
    read_write_tmp: TmpRule | None = None
    create_child_process: ProcessRule | None = None
    read_handler: ReadHandlerRule | None = None
    native_code: NativeRule | None = None
    runtime_api: RuntimeApiRule | None = None
    default: ModeField | None = Field(None, description="As `default` at the top.")

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, dict):
            for name, value in data.items():
                if value is None and name in RULES:
                    raise wrong(
                        f"the rule {name} has no value",
                        ", ".join(MODES),
                        f"{name}: block",
                        key=name,
                    )
        return data


def _version(value: object) -> object:
    if value != 1 or isinstance(value, bool):
        quoted = isinstance(value, str) and value.split(".")[0] == "1"
        raise wrong(
            f"version {shown(value)} is not known",
            "1",
            "version: 1" if quoted or value is None else "",
        )
    return value


class PolicyFile(Part):
    """A policy of FunctionShield, open."""

    what: ClassVar[str] = "a policy"
    version: Annotated[Literal[1], BeforeValidator(_version)]
    extends: Text | None = Field(
        None,
        description=(
            "Another policy, relative to this file: what is left out here is as it is there."
        ),
    )
    policy: Rules = Field(default_factory=Rules)
    default: ModeField | None = Field(
        None,
        description=(
            "For those of the four old rules that are left out: block where this is left out too."
        ),
    )
    allow_reconfigure: Boolean = Field(
        False,
        description=(
            "function_shield.configure may loosen. No boundary against code in the process."
        ),
    )
    allow_mode_override: Overrides = Field(
        ["alert", "off"], description="Which values of FUNCTION_SHIELD_MODE this policy obeys."
    )
    events: Events = Field(default_factory=Events)
    kernel: Kernel = Field(default_factory=Kernel)
    tests: Cases = Field(
        [], description="What must be allowed and what must not: `fshield test`, and every packing."
    )
