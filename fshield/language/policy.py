"""A policy in memory: every mode and every entry, resolved, with its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from fshield.errors import Finding
from fshield.language import aws, destinations
from fshield.language.reader import Document, Location


class Mode(IntEnum):
    """``enum fs_mode`` of policy.h."""

    ALLOW = 0
    ALERT = 1
    BLOCK = 2


class Family(IntEnum):
    """``enum fs_family`` of policy.h, the rules among them."""

    OUTBOUND = 0
    TMP = 1
    PROCESS = 2
    HANDLER = 3
    NATIVE = 4
    RUNTIME_API = 5


@dataclass(frozen=True)
class RuleMode:
    """A rule's mode, and ``FILE:LINE`` where it is set ("" for a default)."""

    mode: Mode
    source: str


@dataclass(frozen=True)
class Host:
    """One name of an entry.

    Args:
        key: in lower case, in ASCII. The labels ``{region}``, ``{account}`` and ``{vpce}`` stand
            for the function's region, its account and a VPC endpoint's id, ``{env:NAME}``,
            ``{bucket:NAME}`` and ``{label:NAME}`` for the value of a variable at start.
        wildcard: all names under it, and not itself.
        partition: where it applies.
        region: where in the partition, as ``fs_rule.region`` of policy.h; "" everywhere.
    """

    key: str
    wildcard: bool = False
    partition: aws.Partition = aws.Partition.ANY
    region: str = ""


@dataclass(frozen=True)
class Allow:
    """One allow entry, resolved.

    Args:
        family: the rule it belongs to.
        location: its position in the document.
        source: ``FILE:LINE``.
        text: the entry in one line.
        ports: ranges; none for every port.
        tls: as written.
        hosts: its names; several for AWS.
        network: the address range.
        pattern: the path pattern.
        expires: last day.
        is_aws: all of AWS, by suffix.
        services: the AWS services that it names.
        reason: why, in the author's words.
        inherited_from: the file that it is in, if the policy extends that file.
        only_for: the distributions that it is for, normalised; empty: all.
    """

    family: Family
    location: Location
    source: str
    text: str
    ports: destinations.Ports = ()
    tls: str | None = None
    hosts: tuple[Host, ...] = ()
    network: destinations.Network | None = None
    pattern: str | None = None
    expires: date | None = None
    is_aws: bool = False
    services: tuple[str, ...] = ()
    reason: str | None = None
    inherited_from: Document | None = None
    only_for: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The entry in one line, without its callers."""
        target = self.text.rpartition(", only_for: [")[0] if self.only_for else ""
        return target or self.text

    def home(self, policy: Policy) -> Document:
        """The file with the entry: that of `policy`, or one that it extends."""
        return self.inherited_from or policy.document


@dataclass(frozen=True)
class PolicyTest:
    """One act of the policy's ``tests:``.

    Args:
        location: its position in the document.
        source: ``FILE:LINE``.
        act: connect, look_up, open, exec, load or read_source.
        target: what it is done to, as written.
        expected: the verdict that it must meet.
        region: the AWS region of the imagined function.
        reason: why, in the author's words.
        inherited_from: the file it stands in, where that is one that the policy extends.
        environment: variables of the imagined function.
        caller: the calling distribution; "" if the test names none.
    """

    location: Location
    source: str
    act: str
    target: str
    expected: Mode
    region: str
    reason: str | None = None
    inherited_from: Document | None = None
    environment: tuple[tuple[str, str], ...] = ()
    caller: str = ""

    def home(self, policy: Policy) -> Document:
        """The file with the test: that of `policy`, or one that it extends."""
        return self.inherited_from or policy.document


@dataclass
class Policy:
    """A policy that can be compiled.

    Args:
        document: the file it came from.
        name: as events show it.
        modes: by family.
        allows: the entries in the file's order.
        loopback_listed: 127.0.0.1 and ::1 need an entry, as other addresses do.
        tmp_ephemeral: under ``read_write_tmp: block``, what an invocation made is allowed, and
            removed at its end.
        also_source: path patterns of files that are protected like the handler's source.
        quiet_readers: distributions whose reads of the source make no event.
        notes: findings of the loader; review adds more.
        tests: what the file says must be allowed, and what must not.
        extended: the files that it extends, from the beginning of the chain.
    """

    document: Document
    name: str
    modes: dict[Family, RuleMode]
    allows: list[Allow]
    allow_reconfigure: bool = False
    mode_overrides: tuple[str, ...] = ("alert", "off")
    events_format: str = "json"
    events_allowed_first: bool = False
    emf_namespace: str = ""
    kernel_file_size: bool = False
    loopback_listed: bool = False
    tmp_ephemeral: bool = False
    also_source: tuple[str, ...] = ()
    quiet_readers: tuple[str, ...] = ()
    notes: list[Finding] = field(default_factory=list)
    tests: list[PolicyTest] = field(default_factory=list)
    extended: list[Document] = field(default_factory=list)

    def documents(self) -> dict[str, Document]:
        """The policy's files, by the name with which a source begins."""
        return {document.base: document for document in (*self.extended, self.document)}
