"""The engine's own ``decide``, loaded with ctypes: fshield has no second copy of the rules.

The library is ``layer/core/policy/policy.c`` built for this machine by
``layer/zig.py decide``. The structures mirror ``policy.h``.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from fshield.engine import binary
from fshield.errors import CouldNotRun, shown
from fshield.language.aws import partition_of_region
from fshield.language.policy import Family, Host, Mode

VARIABLE = "FSHIELD_DECIDE"
_REASONS = 15


class _Request(ctypes.Structure):
    _fields_ = (
        ("family", ctypes.c_uint),
        ("path", ctypes.c_char_p),
        ("names", ctypes.POINTER(ctypes.c_char_p)),
        ("name_count", ctypes.c_uint),
        ("ip", ctypes.c_uint8 * 16),
        ("ip_version", ctypes.c_uint8),
        ("port", ctypes.c_uint16),
        ("facts", ctypes.c_void_p),
        ("made", ctypes.c_bool),
        ("look_up", ctypes.c_bool),
        ("callers", ctypes.c_void_p),
        ("caller", ctypes.c_void_p),
    )


class _Callers(ctypes.Structure):
    _fields_ = (
        ("names", ctypes.POINTER(ctypes.c_char_p)),
        ("count", ctypes.c_uint),
        # The metadata of distributions is in the function's folder, which fshield does not have.
        ("requires", ctypes.c_void_p),
    )


class _Verdict(ctypes.Structure):
    _fields_ = (
        ("mode", ctypes.c_uint8),
        ("policy_mode", ctypes.c_uint8),
        ("reason", ctypes.c_uint8),
        ("name", ctypes.c_uint8),
        ("floor", ctypes.c_bool),
        ("first_bytes", ctypes.c_uint8),
        ("only_for", ctypes.c_bool),
        ("rule", ctypes.c_uint32),
        ("source", ctypes.c_char_p),
        ("outsider", ctypes.c_char_p),
        ("callers", ctypes.c_uint64),
    )


class _Expansion(ctypes.Structure):
    _fields_ = (
        ("policy", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
        ("slot_count", ctypes.c_uint32),
        ("text", ctypes.c_void_p),
        ("unfit", ctypes.c_uint32),
        ("left_out", ctypes.c_void_p),
    )


class _Facts(ctypes.Structure):
    _fields_ = (
        ("region", ctypes.c_char_p),
        ("account", ctypes.c_char_p),
        ("partition", ctypes.c_uint8),
        ("expansion_count", ctypes.c_uint8),
        ("expansions", ctypes.POINTER(_Expansion)),
        # In the function, the environment lists its VPC endpoints. Here, accept any label.
        ("endpoints", ctypes.c_char_p),
    )


_VARIABLE_VALUE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)


@dataclass(frozen=True)
class Facts:
    """What the guard in a function's process knows about the function from the start.

    Args:
        region: ``AWS_REGION``; it determines the partition as well.
        account: ``AWS_ACCOUNT_ID``, "" if it is not set.
        variables: (name, value) of the environment variables that the policy's names contain.
    """

    region: str = "us-east-1"
    account: str = ""
    variables: tuple[tuple[str, str], ...] = ()


def facts_of(region: str, environment: Sequence[str]) -> Facts:
    """The facts of a function in `region` whose configuration has these variables (``NAME=VALUE``).

    Raises:
        CouldNotRun: one of them is not a variable.
    """
    variables = {"AWS_REGION": region}
    for text in environment:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CouldNotRun(
                f"{shown(text)} is not a variable", "NAME=VALUE, as in --env BUCKET_NAME=my-bucket"
            )
        variables[name] = value
    return Facts(
        variables["AWS_REGION"], variables.get("AWS_ACCOUNT_ID", ""), tuple(variables.items())
    )


@dataclass(frozen=True)
class Rule:
    """The conditions of a compiled allow entry.

    Args:
        ports: ranges; none for every port.
        tls: required, starttls, none, or None if the entry says nothing.
        only_for: the distributions that it is for; empty: all.
    """

    ports: tuple[tuple[int, int], ...]
    tls: str | None
    only_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the engine says about one request.

    Args:
        mode: what it would do.
        policy_mode: what the policy says.
        reason: the engine's word for why.
        source: ``FILE:LINE`` of the allow entry that decided, or None.
        text: the entry that decided, in one line; if only the port did not match, that entry.
        entry_source: ``FILE:LINE`` of that entry.
        mode_source: ``FILE:LINE`` of the rule's mode, or None if the mode is a default.
        entry: the conditions of that entry.
    """

    mode: Mode
    policy_mode: Mode
    reason: str
    source: str | None
    text: str | None
    entry_source: str | None
    mode_source: str | None
    entry: Rule | None = None


def candidates() -> list[Path]:
    """The places to search for the library, in order."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return [Path(chosen)]
    name = "libdecide.dylib" if sys.platform == "darwin" else "libdecide.so"
    package = Path(__file__).resolve().parents[1]
    return [package / "_native" / name, package.parent / "build" / "native" / name]


@lru_cache(maxsize=8)
def _load(path: Path) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(path))
        library.fs_policy_check.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        library.fs_policy_check.restype = ctypes.c_char_p
        library.fs_policy_decide.argtypes = (ctypes.c_void_p, ctypes.POINTER(_Request))
        library.fs_policy_decide.restype = _Verdict
        library.fs_policy_lists.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_char_p)
        library.fs_policy_lists.restype = ctypes.c_bool
        library.fs_policy_string.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        library.fs_policy_string.restype = ctypes.c_char_p
        library.fs_policy_rule.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        library.fs_policy_rule.restype = ctypes.c_void_p
        library.fs_expansion_size.argtypes = (ctypes.c_void_p,)
        library.fs_expansion_size.restype = ctypes.c_size_t
        library.fs_expand.argtypes = (
            ctypes.c_void_p,
            _VARIABLE_VALUE,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.POINTER(_Expansion),
        )
        library.fs_expand.restype = ctypes.c_bool
        library.fs_variable_fits.argtypes = (ctypes.c_uint, ctypes.c_char_p)
        library.fs_variable_fits.restype = ctypes.c_bool
        library.fs_region_of.argtypes = library.fs_account_of.argtypes = (ctypes.c_char_p,)
        library.fs_region_of.restype = library.fs_account_of.restype = ctypes.c_char_p
    except (OSError, AttributeError) as error:
        raise CouldNotRun(
            f"{path}: the engine's decide library does not load: {error}", _FIX
        ) from error
    return library


_FIX = f"run ./build.sh, which builds it, or name the library in {VARIABLE}"


def library() -> ctypes.CDLL:
    """The library. Raises CouldNotRun, with the fix, if there is none."""
    for path in candidates():
        if path.is_file():
            return _load(path)
    looked = ", ".join(str(path) for path in candidates())
    raise CouldNotRun(f"the engine's decide library is not here (looked for {looked})", _FIX)


def read_compiled(path: Path) -> bytes:
    """The bytes of a compiled policy, at most one more than an engine maps. Raises CouldNotRun."""
    try:
        with path.open("rb") as stream:
            return stream.read(binary.MAX_SIZE + 1)
    except OSError as error:
        raise CouldNotRun(
            f"{path}: {error.strerror}", "name a policy file that exists and can be read"
        ) from error


_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^}]+))?\}")


EXAMPLE = Facts("eu-west-1", "123456789012")


def example(host: Host) -> tuple[str, Facts]:
    """An example of a name that `host` matches, and the facts under which it matches."""
    facts = replace(
        EXAMPLE,
        variables=tuple((name, "example") for _, name in _PLACEHOLDER.findall(host.key) if name),
    )
    return f"{'x.' if host.wildcard else ''}{spelt(host.key, facts)}", facts


def spelt(key: str, facts: Facts) -> str:
    """The host name that `key` becomes in a function with these facts."""
    known = {
        "region": facts.region,
        "account": facts.account,
        "vpce": "vpce-0123456789abcdef0-example",
    }
    values = dict(facts.variables)
    return _PLACEHOLDER.sub(lambda found: values[found[2]] if found[2] else known[found[1]], key)


class _Known:
    """``struct fs_facts``, with the memory that it points to."""

    def __init__(
        self, library: ctypes.CDLL, policy: ctypes.Array[ctypes.c_uint64], facts: Facts
    ) -> None:
        self._values = {
            name.encode(): ctypes.create_string_buffer(value.encode())
            for name, value in facts.variables
        }
        self._region = facts.region.encode()
        self._account = facts.account.encode()
        self.facts = _Facts(
            region=library.fs_region_of(self._region),
            account=library.fs_account_of(self._account),
            partition=partition_of_region(facts.region),
        )
        size = library.fs_expansion_size(policy)
        if size == 0:
            return
        self._memory = (ctypes.c_uint64 * (size // 8 + 1))()
        self._expansion = _Expansion()
        value = _VARIABLE_VALUE(lambda _, name: self._address(name))
        if library.fs_expand(policy, value, None, self._memory, ctypes.byref(self._expansion)):
            self.facts.expansion_count = 1
            self.facts.expansions = ctypes.pointer(self._expansion)

    def _address(self, name: bytes) -> int | None:
        return ctypes.addressof(self._values[name]) if name in self._values else None


def _day(number: int) -> date | None:
    """The day of a number such as 20261117, as the header stores it."""
    try:
        return (
            datetime.strptime(str(number), "%Y%m%d").replace(tzinfo=timezone.utc).date()
            if number
            else None
        )
    except ValueError:
        return None


class Compiled:
    """A compiled policy, as the engine sees it.

    Raises:
        CouldNotRun: there is no library.
        ValueError: the engine would refuse these bytes; the message is its own words.
    """

    def __init__(self, content: bytes) -> None:
        self._library = library()
        # An array of words, so that the buffer is aligned like a mapped file.
        self._memory = (ctypes.c_uint64 * (len(content) // 8 + 1))()
        ctypes.memmove(self._memory, content, len(content))
        problem = self._library.fs_policy_check(self._memory, len(content))
        if problem is not None:
            raise ValueError(problem.decode())
        header = binary.HEADER.unpack_from(content)
        self._sources = header[15:23]
        self.name = self._string(header[6])
        self.modes = {family: Mode(header[7 + family]) for family in Family}
        self.tmp_ephemeral = bool(header[5] & binary.FLAG_TMP_EPHEMERAL)
        self.endpoints = _day(header[25])
        self.content = content
        self._sections = dict(enumerate(zip(header[30::2], header[31::2], strict=True)))
        self._sections[binary.SECTION_VARIABLES] = header[26], header[27]
        self._sections[binary.SECTION_TEMPLATES] = header[28], header[29]
        self._known: dict[Facts, _Known] = {}
        # header[24]: the features; rule[5], rule[8]: the partition and region that the rule is for.
        rules = self._items(binary.SECTION_RULES, binary.RULE)
        self._depends_on_facts = bool(header[24]) or any(rule[5] or rule[8] for rule in rules)

    def _string(self, offset: int) -> str:
        found: bytes = self._library.fs_policy_string(self._memory, offset)
        return found.decode("utf-8", "replace")

    def _items(self, kind: int, layout: struct.Struct) -> list[tuple[int, ...]]:
        offset, count = self._sections[kind]
        return list(layout.iter_unpack(self.content[offset : offset + count * layout.size]))

    def _rule(self, index: int) -> Rule:
        offset, _ = self._sections[binary.SECTION_RULES]
        packed = binary.RULE.unpack_from(self.content, offset + index * binary.RULE.size)
        tls = {number: name for name, number in binary.TLS.items()}.get(packed[6])
        ports = self._items(binary.SECTION_PORTS, binary.PORT_RANGE)[
            packed[2] : packed[2] + packed[3]
        ]
        only_for = self._string(int.from_bytes(packed[7], "little")).split()
        return Rule(tuple((low, high) for low, high in ports), tls, tuple(only_for))

    def names(self) -> list[tuple[str, bool, str]]:
        """For each name that entries allow: its key, whether it is a wildcard, and the entry's
        ``FILE:LINE``.
        """
        slots = [
            slot[1:] for slot in self._items(binary.SECTION_HOSTS, binary.HOST_SLOT) if slot[1]
        ]
        slots += self._items(binary.SECTION_TEMPLATES, binary.TEMPLATE)
        rules = self._items(binary.SECTION_RULES, binary.RULE)
        return [
            (self._string(key), bool(wildcard), self._string(rules[rule][0]))
            for key, rule, wildcard in slots
        ]

    def variables(self) -> list[tuple[str, int]]:
        """The environment variables that names contain, with their kinds."""
        return [
            (self._string(name), kind)
            for name, kind in self._items(binary.SECTION_VARIABLES, binary.VARIABLE)
        ]

    def fits(self, kind: int, value: str) -> bool:
        """Whether the engine accepts `value` for a variable of this kind."""
        fits: bool = self._library.fs_variable_fits(kind, value.encode())
        return fits

    def mode_word(self, family: Family) -> str:
        """A rule's mode, as the policy file spells it."""
        mode = self.modes[family]
        ephemeral = family is Family.TMP and self.tmp_ephemeral and mode is Mode.BLOCK
        return "ephemeral" if ephemeral else mode.name.lower()

    def mode_source(self, family: Family) -> str | None:
        """``FILE:LINE`` of a rule's mode, or None if the policy leaves it out."""
        return self._string(self._sources[family]) or None

    def is_quiet(self, distribution: str) -> bool:
        """Whether reads of the handler's source by `distribution` make no event."""
        found: bool = self._library.fs_policy_lists(
            self._memory, binary.LIST_QUIET, distribution.encode("utf-8", "surrogateescape")
        )
        return found

    def _facts(self, facts: Facts) -> _Known:
        """`facts` as the engine's struct, with the variables in the policy's names filled in."""
        if facts not in self._known:
            self._known[facts] = _Known(self._library, self._memory, facts)
        return self._known[facts]

    def decide(
        self,
        family: Family,
        *,
        path: str | None = None,
        names: tuple[str, ...] = (),
        ip: IPv4Address | IPv6Address | None = None,
        port: int = 0,
        facts: Facts = Facts(),
        caller: str = "",
        look_up: bool = False,
    ) -> Verdict:
        """Ask the engine.

        Args:
            family: the rule to ask.
            path: resolved and absolute, for the rules about files, programs and libraries.
            names: the names whose lookup returned the address; without `ip`, the one name that is
                looked up.
            ip: the address that is dialled.
            port: 0 for a lookup without a known port.
            facts: about the function.
            caller: the calling distribution, which entries with ``only_for`` are compared with.
            look_up: only look a name up.
        """
        encoded = [name.encode("utf-8", "surrogateescape") for name in names]
        request = _Request(family=family, name_count=len(encoded), port=port, look_up=look_up)
        if caller:
            asking = (ctypes.c_char_p * 1)(caller.encode())
            callers = _Callers(names=asking, count=1)
            request.callers = ctypes.addressof(callers)
        if self._depends_on_facts:
            request.facts = ctypes.addressof(self._facts(facts).facts)
        request.names = (ctypes.c_char_p * max(1, len(encoded)))(*encoded)
        if path is not None:
            request.path = os.fsencode(path)
        if ip is not None:
            request.ip_version = ip.version
            ctypes.memmove(request.ip, ip.packed, len(ip.packed))
        found: _Verdict = self._library.fs_policy_decide(self._memory, ctypes.byref(request))
        text = entry_source = entry = None
        if found.rule != binary.NO_RULE:
            rule = self._library.fs_policy_rule(self._memory, found.rule)
            if rule:
                source_offset, text_offset = (ctypes.c_uint32 * 2).from_address(rule)
                text, entry_source = self._string(text_offset), self._string(source_offset)
                entry = self._rule(found.rule)
        reasons = (ctypes.c_char_p * _REASONS).in_dll(self._library, "fs_reason_names")
        reason = reasons[found.reason]
        return Verdict(
            mode=Mode(found.mode),
            policy_mode=Mode(found.policy_mode),
            reason=reason.decode() if reason else "unknown",
            source=found.source.decode("utf-8", "replace") if found.source else None,
            text=text,
            entry_source=entry_source,
            mode_source=self.mode_source(family),
            entry=entry,
        )
