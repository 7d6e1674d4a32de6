"""The engine's own ``decide``, loaded with ctypes: fshield has no second copy of the rules.

The library is ``layer/native/policy.c`` built for this machine by
``layer/native/zig.py decide``. The structures mirror ``policy.h``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from fshield import binary
from fshield.aws import Partition
from fshield.errors import CouldNotRun
from fshield.policy import Family, Mode

VARIABLE = "FSHIELD_DECIDE"
_REASONS = 14


class _Request(ctypes.Structure):
    _fields_ = (
        ("family", ctypes.c_uint),
        ("path", ctypes.c_char_p),
        ("names", ctypes.POINTER(ctypes.c_char_p)),
        ("name_count", ctypes.c_uint),
        ("ip", ctypes.c_uint8 * 16),
        ("ip_version", ctypes.c_uint8),
        ("partition", ctypes.c_uint8),
        ("port", ctypes.c_uint16),
    )


class _Verdict(ctypes.Structure):
    _fields_ = (
        ("mode", ctypes.c_uint8),
        ("policy_mode", ctypes.c_uint8),
        ("reason", ctypes.c_uint8),
        ("name", ctypes.c_uint8),
        ("floor", ctypes.c_bool),
        ("rule", ctypes.c_uint32),
        ("source", ctypes.c_char_p),
    )


@dataclass(frozen=True)
class Verdict:
    """What the engine says about one request.

    Args:
        mode: what it would do.
        policy_mode: what the policy says.
        reason: the engine's word for why.
        source: ``FILE:LINE`` of the allow entry that decided, or None.
        text: the entry that decided, in one line, or the one that fits but for its port.
        entry_source: ``FILE:LINE`` of that entry.
        mode_source: ``FILE:LINE`` of the rule's mode, or None where it took a default.
    """

    mode: Mode
    policy_mode: Mode
    reason: str
    source: str | None
    text: str | None
    entry_source: str | None
    mode_source: str | None


def candidates() -> list[Path]:
    """Where the library may lie, in the order of looking."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return [Path(chosen)]
    name = "libdecide.dylib" if sys.platform == "darwin" else "libdecide.so"
    package = Path(__file__).resolve().parent
    return [package / "_native" / name, package.parent / "build" / "native" / name]


@lru_cache(maxsize=8)
def _load(path: Path) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(path))
        library.fs_policy_check.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        library.fs_policy_check.restype = ctypes.c_char_p
        library.fs_policy_decide.argtypes = (ctypes.c_void_p, ctypes.POINTER(_Request))
        library.fs_policy_decide.restype = _Verdict
        library.fs_policy_string.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        library.fs_policy_string.restype = ctypes.c_char_p
        library.fs_policy_rule.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        library.fs_policy_rule.restype = ctypes.c_void_p
    except (OSError, AttributeError) as error:
        raise CouldNotRun(f"{path}: the engine's decide library does not load: {error}", _MEND) from error
    return library


_MEND = f"run ./build.sh, which builds it, or name the library in {VARIABLE}"


def library() -> ctypes.CDLL:
    """The library. Raises CouldNotRun, with the mend, where there is none."""
    for path in candidates():
        if path.is_file():
            return _load(path)
    looked = ", ".join(str(path) for path in candidates())
    raise CouldNotRun(f"the engine's decide library is not here (looked for {looked})", _MEND)


def read_compiled(path: Path) -> bytes:
    """The bytes of a compiled policy, no more than an engine maps and one. Raises CouldNotRun."""
    try:
        with path.open("rb") as stream:
            return stream.read(binary.MAX_SIZE + 1)
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", "name a policy that can be read") from error


class Compiled:
    """A compiled policy, as the engine sees it.

    Raises:
        CouldNotRun: there is no library.
        ValueError: the engine would refuse these bytes; the message is its own words.
    """

    def __init__(self, content: bytes) -> None:
        self._library = library()
        # Words, so that the buffer is aligned as a mapped file is.
        self._memory = (ctypes.c_uint64 * (len(content) // 8 + 1))()
        ctypes.memmove(self._memory, content, len(content))
        problem = self._library.fs_policy_check(self._memory, len(content))
        if problem is not None:
            raise ValueError(problem.decode())
        header = binary.HEADER.unpack_from(content)
        self._sources = header[15:23]
        self.name = self._string(header[6])
        self.modes = {family: Mode(header[7 + family]) for family in Family}

    def _string(self, offset: int) -> str:
        found: bytes = self._library.fs_policy_string(self._memory, offset)
        return found.decode("utf-8", "replace")

    def mode_source(self, family: Family) -> str | None:
        """``FILE:LINE`` of a rule's mode, or None where the policy left it out."""
        return self._string(self._sources[family]) or None

    def decide(
        self,
        family: Family,
        *,
        path: str | None = None,
        names: tuple[str, ...] = (),
        ip: IPv4Address | IPv6Address | None = None,
        port: int = 0,
        partition: Partition = Partition.AWS,
    ) -> Verdict:
        """Ask the engine.

        Args:
            family: the rule to ask.
            path: resolved and absolute, for the rules about files, programs and libraries.
            names: what the address was looked up by; with no `ip`, the one name that is looked up.
            ip: the address that is dialled.
            port: 0 in a look-up whose port is not known.
            partition: the AWS partition of the function.
        """
        encoded = [name.encode("utf-8", "surrogateescape") for name in names]
        request = _Request(family=family, name_count=len(encoded), partition=partition, port=port)
        request.names = (ctypes.c_char_p * max(1, len(encoded)))(*encoded)
        if path is not None:
            request.path = os.fsencode(path)
        if ip is not None:
            request.ip_version = ip.version
            ctypes.memmove(request.ip, ip.packed, len(ip.packed))
        found: _Verdict = self._library.fs_policy_decide(self._memory, ctypes.byref(request))
        text = entry_source = None
        if found.rule != binary.NO_RULE:
            rule = self._library.fs_policy_rule(self._memory, found.rule)
            if rule:
                source_offset, text_offset = (ctypes.c_uint32 * 2).from_address(rule)
                text, entry_source = self._string(text_offset), self._string(source_offset)
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
        )
