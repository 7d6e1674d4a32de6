"""Compiles a policy to the bytes that the engine maps. The same policy always gives the same
bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fshield.engine import binary
from fshield.errors import CouldNotRun
from fshield.language import endpoints
from fshield.language.patterns import FORK
from fshield.language.policy import Allow, Family, Host, Policy

_SECTION_KINDS = 10
_PLACEHOLDERS = {
    "{region}": binary.FEATURE_REGION,
    "{account}": binary.FEATURE_ACCOUNT,
    "{vpce}": binary.FEATURE_VPC_ENDPOINT,
}
_VARIABLE = re.compile(r"\{(env|bucket|label):([^}]+)\}")
_VARIABLE_KINDS = {
    "env": binary.VARIABLE_HOST,
    "bucket": binary.VARIABLE_BUCKET,
    "label": binary.VARIABLE_LABEL,
}


@dataclass
class _Strings:
    content: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    known: dict[str, int] = field(default_factory=lambda: {"": 0})

    def offset(self, text: str) -> int:
        """The offset of `text` in the section; adds it on first use."""
        if text not in self.known:
            self.known[text] = len(self.content)
            # The text may be a file name that is not UTF-8. It only names a rule's source, so do
            # not fail.
            self.content += text.encode("utf-8", "replace") + b"\0"
        return self.known[text]


@dataclass
class _Tables:
    """The sections while they grow."""

    strings: _Strings = field(default_factory=_Strings)
    rules: list[bytes] = field(default_factory=list)
    ports: list[tuple[int, int]] = field(default_factory=list)
    hosts: list[tuple[str, bool, int]] = field(default_factory=list)
    templates: list[bytes] = field(default_factory=list)
    variables: dict[tuple[str, int], None] = field(default_factory=dict)
    features: int = 0
    cidrs: list[tuple[int, int, bytes, int]] = field(default_factory=list)
    paths: list[bytes] = field(default_factory=list)
    port_lists: dict[tuple[tuple[int, int], ...], int] = field(default_factory=dict)

    def add(self, entry: Allow) -> None:
        """Add one entry: a rule for each partition that it covers, and a slot for each of its
        objects.
        """
        if entry.pattern is not None:
            rule = self.rule(entry)
            if (entry.family, entry.pattern) == (Family.PROCESS, FORK):
                self.features |= binary.FEATURE_FORK
            self.paths.append(
                binary.PATH.pack(self.strings.offset(entry.pattern), rule, entry.family)
            )
        elif entry.network is not None:
            rule = self.rule(entry)
            address = entry.network.network_address.packed.ljust(16, b"\0")
            self.cidrs.append((entry.network.version, entry.network.prefixlen, address, rule))
        else:
            rules: dict[tuple[int, str], int] = {}
            for host in entry.hosts:
                where = (host.partition, host.region)
                if where not in rules:
                    rules[where] = self.rule(entry, *where)
                self.host(host, rules[where])

    def listed(self, pattern: str, kind: int) -> None:
        """Add a pattern that is not an allow entry."""
        self.paths.append(binary.PATH.pack(self.strings.offset(pattern), binary.NO_RULE, kind))

    def host(self, host: Host, rule: int) -> None:
        """Add one host name of a rule: to the table, or, if it contains variables, to the
        templates.
        """
        if host.region:
            self.features |= binary.FEATURE_CONDITIONS
        for placeholder, feature in _PLACEHOLDERS.items():
            if placeholder in host.key:
                self.features |= feature
        variables = _VARIABLE.findall(host.key)
        if not variables:
            self.hosts.append((host.key, host.wildcard, rule))
            return
        self.features |= binary.FEATURE_VARIABLES
        for kind, name in variables:
            self.variables[name, _VARIABLE_KINDS[kind]] = None
        self.templates.append(
            binary.TEMPLATE.pack(self.strings.offset(host.key), rule, host.wildcard)
        )

    def rule(self, entry: Allow, partition: int = 0, region: str = "") -> int:
        """Append the rule of `entry` and return its index."""
        first = 0
        only_for = self.strings.offset(" ".join(entry.only_for))
        if only_for:
            self.features |= binary.FEATURE_ONLY_FOR
        if entry.ports:
            if entry.ports not in self.port_lists:
                self.port_lists[entry.ports] = len(self.ports)
                self.ports += entry.ports
            first = self.port_lists[entry.ports]
        self.rules.append(
            binary.RULE.pack(
                self.strings.offset(entry.source),
                self.strings.offset(entry.text),
                first,
                len(entry.ports),
                entry.family,
                partition,
                binary.TLS[entry.tls],
                only_for.to_bytes(3, "little"),
                self.strings.offset(region),
            )
        )
        return len(self.rules) - 1

    def host_slots(self) -> list[bytes]:
        """The host table: open addressing, at most half full."""
        slots = _empty_table(len(self.hosts), binary.HOST_SLOT.size)
        for key, wildcard, rule in self.hosts:
            value = binary.fnv1a(key.encode("ascii"))
            _place(
                slots, value, binary.HOST_SLOT.pack(value, self.strings.offset(key), rule, wildcard)
            )
        return slots

    def cidr_slots(self) -> list[bytes]:
        """The table of address ranges, likewise."""
        slots = _empty_table(len(self.cidrs), binary.CIDR_SLOT.size)
        for version, length, address, rule in self.cidrs:
            value = binary.fnv1a(bytes((version, length)) + address)
            _place(slots, value, binary.CIDR_SLOT.pack(value, rule, 1, version, length, address, 0))
        return slots

    def lengths(self) -> list[bytes]:
        """The prefix lengths in use, longest first, because the narrowest range decides."""
        found = {(version, length) for version, length, _, _ in self.cidrs}
        return [
            binary.LENGTH.pack(version, length)
            for version, length in sorted(found, key=lambda v: (-v[1], v[0]))
        ]


def _empty_table(entries: int, slot: int) -> list[bytes]:
    if not entries:
        return []
    size = 2
    while size < 2 * entries:
        size *= 2
    return [bytes(slot)] * size


def _place(slots: list[bytes], value: int, slot: bytes) -> None:
    at = value & (len(slots) - 1)
    while any(slots[at]):
        at = (at + 1) & (len(slots) - 1)
    slots[at] = slot


def compile_policy(policy: Policy) -> bytes:
    """The compiled form of `policy`.

    Raises:
        CouldNotRun: it is larger than an engine maps.
    """
    tables = _Tables()
    for entry in policy.allows:
        tables.add(entry)
    for pattern in policy.also_source:
        tables.listed(pattern, binary.LIST_CODE if pattern.endswith("*") else binary.LIST_FILES)
    for reader in policy.quiet_readers:
        tables.listed(reader, binary.LIST_QUIET)
    modes = [int(policy.modes[family].mode) for family in policy.modes]
    sources = [tables.strings.offset(policy.modes[family].source) for family in policy.modes]
    name = tables.strings.offset(policy.name)
    namespace = tables.strings.offset(policy.emf_namespace)
    contents = {
        binary.SECTION_RULES: tables.rules,
        binary.SECTION_PORTS: [binary.PORT_RANGE.pack(*ports) for ports in tables.ports],
        binary.SECTION_HOSTS: tables.host_slots(),
        binary.SECTION_CIDRS: tables.cidr_slots(),
        binary.SECTION_LENGTHS: tables.lengths(),
        binary.SECTION_PATHS: tables.paths,
        binary.SECTION_VARIABLES: [
            binary.VARIABLE.pack(tables.strings.offset(variable), kind)
            for variable, kind in tables.variables
        ],
        binary.SECTION_TEMPLATES: tables.templates,
    }
    if len(tables.variables) > binary.VARIABLES_MAX or len(tables.templates) > binary.TEMPLATES_MAX:
        raise CouldNotRun(
            f"the policy has {len(tables.variables)} variables that stand in"
            f" {len(tables.templates)} names",
            f"at most {binary.VARIABLES_MAX} variables in {binary.TEMPLATES_MAX} names",
        )
    flags = _flags(policy)
    gated = bool(tables.features or flags & binary.NARROWING_FLAGS)
    modes += [0, binary.GATE if gated else 0]
    has_services = any(entry.services for entry in policy.allows)
    sections = [0] * (2 * _SECTION_KINDS)
    body = bytearray()
    for kind, entries in contents.items():
        if entries:
            sections[2 * kind : 2 * kind + 2] = binary.HEADER.size + len(body), len(entries)
            body += _padded(b"".join(entries))
    strings = bytes(tables.strings.content)
    strings_at = 2 * binary.SECTION_STRINGS
    sections[strings_at : strings_at + 2] = binary.HEADER.size + len(body), len(strings)
    body += _padded(strings)

    def with_checksum(value: int) -> bytes:
        return binary.HEADER.pack(
            binary.MAGIC,
            binary.MAJOR,
            binary.MINOR if gated else 0,
            binary.HEADER.size + len(body),
            value,
            flags,
            name,
            *modes,
            *sources,
            0,
            0,
            namespace,
            tables.features,
            int(endpoints.DATA_DAY.strftime("%Y%m%d")) if has_services else 0,
            *sections[2 * binary.SECTIONS :],
            *sections[: 2 * binary.SECTIONS],
        ) + bytes(body)

    compiled = with_checksum(binary.checksum(with_checksum(0)))
    if len(compiled) > binary.MAX_SIZE:
        raise CouldNotRun("the compiled policy is larger than an engine maps", "fewer rules")
    return compiled


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 8)


def _flags(policy: Policy) -> int:
    flags = {
        binary.FLAG_ALLOW_RECONFIGURE: policy.allow_reconfigure,
        binary.FLAG_MODE_ALERT: "alert" in policy.mode_overrides,
        binary.FLAG_MODE_OFF: "off" in policy.mode_overrides,
        binary.FLAG_EVENTS_ALLOWED_FIRST: policy.events_allowed_first,
        binary.FLAG_EVENTS_OCSF: policy.events_format == "ocsf",
        binary.FLAG_KERNEL_FILE_SIZE: policy.kernel_file_size,
        binary.FLAG_LOOPBACK_LISTED: policy.loopback_listed,
        binary.FLAG_TMP_EPHEMERAL: policy.tmp_ephemeral,
        binary.FLAG_HANDLER_ALSO: bool(policy.also_source),
    }
    return sum(flag for flag, on in flags.items() if on)
