"""Decides whether other entries allow everything that one entry allows: hosts, address ranges,
ports and path patterns. The answer is exact. If the search is given up, the answer is no, so that
the change counts as wider.
"""

from __future__ import annotations

import ipaddress
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

from fshield.language.destinations import Network, Ports
from fshield.language.policy import Allow, Host

#: The search for a path gives up after this many states. Real patterns need some hundreds.
MAX_STATES = 50_000
_EVERY: Ports = ((1, 65535),)
_STRICT = {"required": 2, "starttls": 1, "none": 0}
# A pattern's parts: a byte, one of a name, some of a name, anything.
_Part = int | str
_Positions = frozenset[int]


# ---- destinations ----


def uncovered_ports(entry: Allow, others: Iterable[Allow], host: Host | None) -> Ports:
    """The ports on which `entry` allows something that none of `others` allows.

    Args:
        entry: an outbound entry.
        others: outbound entries.
        host: one of the entry's names; None for an address range.
    """
    candidates = [other for other in others if _reaches(other, entry, host)]
    left: list[tuple[int, int]] = []
    for low, high, strict in _pieces(entry):
        for first, last in _elementary(low, high, candidates):
            fitting = [other for other in candidates if _open(other, first, last, strict)]
            if host is not None or entry.network is None:
                covered = bool(fitting)
            else:
                covered = _in_union(
                    entry.network, [other.network for other in fitting if other.network]
                )
            if not covered:
                left.append((first, last))
    return joined(left)


def _reaches(other: Allow, entry: Allow, host: Host | None) -> bool:
    if host is None:
        return other.network is not None
    return any(covers_host(theirs, host) for theirs in other.hosts)


def covers_host(wide: Host, narrow: Host) -> bool:
    """Whether `wide` matches every name that `narrow` matches."""
    if wide.partition not in (type(wide.partition)(0), narrow.partition) or wide.region not in (
        "",
        narrow.region,
    ):
        return False
    if wide.wildcard:
        return narrow.key.endswith("." + wide.key) or (narrow.wildcard and narrow.key == wide.key)
    return wide.key == narrow.key and not narrow.wildcard


def _pieces(entry: Allow) -> Iterator[tuple[int, int, int]]:
    """The entry's port ranges, each with its strictness about TLS. The default is strict on 443
    only. Connections that an address range allows are not inspected, so they are never strict.
    """
    for low, high in entry.ports or _EVERY:
        if entry.network is not None or entry.tls is not None:
            yield low, high, 0 if entry.network is not None else _STRICT[entry.tls or "none"]
            continue
        for first, last in (
            (low, min(high, 442)),
            (max(low, 443), min(high, 443)),
            (max(low, 444), high),
        ):
            if first <= last:
                yield first, last, _STRICT["required"] if first == 443 else 0


def _open(other: Allow, first: int, last: int, strict: int) -> bool:
    return any(
        low <= first and last <= high and theirs <= strict for low, high, theirs in _pieces(other)
    )


def _elementary(low: int, high: int, others: list[Allow]) -> Iterator[tuple[int, int]]:
    """The port range, cut wherever a range of `others` begins or ends."""
    cuts = {low, high + 1}
    for other in others:
        for first, last, _ in _pieces(other):
            cuts |= {cut for cut in (first, last + 1) if low < cut <= high}
    ordered = sorted(cuts)
    yield from ((first, after - 1) for first, after in pairwise(ordered))


def _in_union(network: Network, others: list[Network]) -> bool:
    if isinstance(network, ipaddress.IPv4Network):
        fours = [other for other in others if isinstance(other, ipaddress.IPv4Network)]
        return any(network.subnet_of(wide) for wide in ipaddress.collapse_addresses(fours))
    sixes = [other for other in others if isinstance(other, ipaddress.IPv6Network)]
    return any(network.subnet_of(wide) for wide in ipaddress.collapse_addresses(sixes))


def joined(ranges: Iterable[tuple[int, int]]) -> Ports:
    """`ranges`, sorted, with adjacent ones merged."""
    whole: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if whole and low <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(high, whole[-1][1]))
        else:
            whole.append((low, high))
    return tuple(whole)


# ---- path patterns ----


def path_outside(pattern: str, others: Iterable[str]) -> str | None:
    """Find a resolved path that `pattern` matches and none of `others` does. None if there is none.

    Patterns are the engine's (``fitting_glob`` of fitting.c): by bytes, `?` and `*` within a name,
    `**` over all, ``DIR/**`` the folder itself as well. If the search is given up, the answer is
    the pattern itself.
    """
    wide = [parts for other in others for parts in _spellings(other)]
    for parts in _spellings(pattern):
        found = _search(parts, wide)
        if found is not None:
            return found.decode("utf-8", "replace") if found else pattern
    return None


def _spellings(pattern: str) -> list[list[_Part]]:
    folder = pattern.removesuffix("/**")
    return [_parse(text) for text in (pattern, folder if folder != pattern else "") if text]


def _parse(pattern: str) -> list[_Part]:
    parts: list[_Part] = []
    for piece in re.findall(r"\*\*+|\*|\?|[^*?]+", pattern):
        if piece in ("*", "?"):
            parts.append(piece)
        elif piece[0] == "*":
            parts.append("**")
        else:
            parts += piece.encode("utf-8", "surrogateescape")
    return parts


def _search(narrow: list[_Part], wide: list[list[_Part]]) -> bytes | None:
    """The shortest path that `narrow` matches and `wide` does not. b"" if the search was given up,
    None if there is no such path.
    """
    named = {part for parts in (narrow, *wide) for part in parts if isinstance(part, int)} | {
        ord("/")
    }
    other = next(
        (byte for byte in b"abcdefghijklmnopqrstuvwxyz0123456789" if byte not in named), None
    )
    alphabet = sorted(named | ({other} if other is not None else set()))
    start = (_closed(narrow, {0}), tuple(_closed(parts, {0}) for parts in wide), 0)
    queue: deque[tuple[tuple[_Positions, tuple[_Positions, ...], int], bytes]] = deque(
        [(start, b"")]
    )
    known = {start}
    while queue:
        (mine, theirs, last), path = queue.popleft()
        is_path = path and (last != ord("/") or len(path) == 1)
        covered = any(len(parts) in at for parts, at in zip(wide, theirs, strict=True))
        if is_path and len(narrow) in mine and not covered:
            return path
        for byte in alphabet:
            if byte == ord("/") == last:
                continue
            step = _step(narrow, mine, byte)
            if not step:
                continue
            state = (
                step,
                tuple(_step(parts, at, byte) for parts, at in zip(wide, theirs, strict=True)),
                byte,
            )
            key = (state[0], state[1], ord("/") if byte == ord("/") else 0)
            if key in known:
                continue
            if len(known) >= MAX_STATES:
                return b""
            known.add(key)
            queue.append((state, path + bytes([byte])))
    return None


def _closed(parts: list[_Part], positions: set[int]) -> _Positions:
    found = set(positions)
    for position in positions:
        at = position
        while at < len(parts) and parts[at] in ("*", "**"):
            at += 1
            found.add(at)
    return frozenset(found)


def _step(parts: list[_Part], positions: _Positions, byte: int) -> _Positions:
    after = set()
    for at in positions:
        part = parts[at] if at < len(parts) else None
        if part == byte or (part == "?" and byte != ord("/")):
            after.add(at + 1)
        elif part == "**" or (part == "*" and byte != ord("/")):
            after.add(at)
    return _closed(parts, after)
