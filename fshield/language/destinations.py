"""Normalises hosts, address ranges and ports of policies for the compiled form."""

from __future__ import annotations

import ipaddress
import re
from encodings import idna

from fshield.errors import shown
from fshield.language import variables
from fshield.language.wrong import wrong

MAX_HOST = 253
MAX_LABEL = 63
DEFAULT_PORTS = ((443, 443),)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ports = tuple[tuple[int, int], ...]

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\Z")
# inet_aton and its kin read these as addresses; in the URL standard a last label of digits makes an
# address.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]{1,5})\s*-\s*([0-9]{1,5})\Z")
# IDNA 2003, which Python has, and IDNA 2008 disagree on these:
# https://www.unicode.org/reports/tr46/#Deviations
_DEVIATIONS = "ßς\u200c\u200d"
_HOST_FORM = (
    "a host name (api.stripe.com), or one with `*.` before it for all names under it"
    ' ("*.example.org")'
)


def host_key(text: str) -> tuple[str, bool]:
    """The key of a host entry and whether it is a wildcard.

    Args:
        text: a host name, or ``*.`` and one. Letters of any script, any case, a trailing dot.

    Returns:
        the name in lower case, in ASCII (``xn--…``), without ``*.`` and without a trailing dot;
        ``{env:NAME}`` for each variable.

    Raises:
        PydanticCustomError: it is not a host name.
    """
    name = text.strip()
    if not name:
        raise wrong("the host is empty", _HOST_FORM)
    if name != text:
        raise wrong(f"the host {shown(text)} has spaces around it", _HOST_FORM, f"host: {name}")
    name, from_variables = variables.taken_out(name)
    _refuse_urls(name)
    _refuse_addresses(name)
    wildcard = name.startswith("*.")
    bare = name[2:] if wildcard else name
    if bare in ("*", "") or name == "*":
        raise wrong(
            f"the host {shown(text)} would be every host",
            _HOST_FORM,
            "to watch without blocking, write `mode: alert`; for any address, `cidr: 0.0.0.0/0`",
        )
    if "*" in bare:
        raise wrong(
            f"the host {shown(text)} has a `*` where it means nothing",
            "`*.` at the very beginning only",
            f'host: "*.{bare.rpartition("*")[2].lstrip(".-") or "example.org"}"',
        )
    key = ".".join(_ascii_label(label, text) for label in bare.removesuffix(".").split("."))
    if len(key) - len(variables.STAND_IN) * len(from_variables) > MAX_HOST:
        raise wrong(
            f"the host is {len(key)} bytes long", f"a host name of at most {MAX_HOST} bytes"
        )
    _refuse_addresses(key)
    return variables.put_back(key, from_variables, "env"), wildcard


def _refuse_urls(name: str) -> None:
    scheme = _SCHEME.match(name)
    rest = name[scheme.end() :] if scheme else name
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if scheme or name.startswith("//"):
        what = "a scheme" if scheme else "a `//`"
        raise wrong(
            f"the host {shown(name)} has {what} in it",
            _HOST_FORM,
            f"host: {host.split(':')[0] or 'example.org'}",
        )
    if re.search(r"[/?#]", name):
        raise wrong(
            f"the host {shown(name)} has a path in it; a rule can tell hosts apart, not paths",
            _HOST_FORM,
            f"host: {host.split(':')[0]}",
        )
    if "@" in name:
        raise wrong(f"the host {shown(name)} has a user in it", _HOST_FORM, f"host: {host}")
    with_port = re.match(r"([^:]+):([0-9]*)\Z", name)
    if with_port:
        raise wrong(
            f"the host {shown(name)} has a port in it",
            _HOST_FORM,
            f"host: {with_port[1]} and, in the same entry, ports: [{with_port[2] or 443}]",
        )


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """`text` as an address, or None."""
    # Most texts are names, and the address parser is slow to refuse one. So test the characters
    # first.
    if ":" not in text and not text[-1:].isdigit():
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _refuse_addresses(name: str) -> None:
    address = address_of(name.strip("[]").partition("%")[0])
    if address is None and not _NUMERIC.match(name.removesuffix(".").rpartition(".")[2]):
        return
    raise wrong(
        f"{shown(name)} is an address, not a name",
        _HOST_FORM,
        f"cidr: {address or 'the address in its usual spelling'}",
    )


def _ascii_label(label: str, whole: str) -> str:
    if not label:
        raise wrong(f"the host {shown(whole)} has an empty part between its dots", _HOST_FORM)
    if not label.isascii():
        if any(c in _DEVIATIONS for c in label.lower()):
            raise wrong(
                f"the part {shown(label)} of the host is read in two ways by different software",
                "the `xn--` form of the name",
            )
        try:
            label = idna.ToASCII(label).decode("ascii")
        except UnicodeError as error:
            if "too long" in str(error):
                raise wrong(
                    f"a part of the host is longer than {MAX_LABEL} bytes", _HOST_FORM
                ) from None
            raise wrong(
                f"the part {shown(label)} of the host is not an internationalised name", _HOST_FORM
            ) from None
    label = label.lower()
    if len(label) > MAX_LABEL:
        raise wrong(
            f"the part {shown(label, 20)} of the host is {len(label)} bytes long",
            f"at most {MAX_LABEL} bytes between two dots",
        )
    if not _LABEL.match(label):
        raise wrong(
            f"the part {shown(label)} of the host {shown(whole)} is not a part of a host name",
            "letters, digits, `-` (inside) and `_`",
        )
    return label


def network(text: str) -> Network:
    """The address range `text`: ``10.0.0.0/16``, or one address. Raises PydanticCustomError."""
    form = "an address range (10.0.0.0/16, fd00::/8) or one address (192.0.2.7)"
    if "%" in text:
        raise wrong(
            f"{shown(text)} has a zone in it; the rule holds on every interface",
            form,
            f"cidr: {text.partition('%')[0]}",
        )
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = ""
        if re.search("[g-z]", text, re.IGNORECASE):
            hint = f"a name goes into an entry of its own: host: {text}"
        elif re.match(r"[0-9./]+:[0-9]+\Z", text):
            address, _, port = text.partition(":")
            hint = f"cidr: {address} and, in the same entry, ports: [{port}]"
        raise wrong(f"{shown(text)} is not an address range", form, hint) from None
    if "/" in text and not text.rpartition("/")[2].isdigit():
        raise wrong(
            f"{shown(text)} has a mask where a prefix length belongs", form, f"cidr: {found}"
        )
    first = ipaddress.ip_address(text.partition("/")[0])
    if first != found.network_address:
        raise wrong(
            f"{shown(text)} has bits set that the prefix length cuts off",
            form,
            f"cidr: {found} for the whole range, or cidr: {first} for the one address",
        )
    if (
        isinstance(found, ipaddress.IPv6Network)
        and found.prefixlen >= 96
        and found.network_address.ipv4_mapped is not None
    ):
        four = ipaddress.ip_network((int(found.network_address) & 0xFFFFFFFF, found.prefixlen - 96))
        raise wrong(
            f"{shown(text)} never matches: such addresses are judged as IPv4", form, f"cidr: {four}"
        )
    return found


def ports(value: object) -> Ports:
    """The ranges of a ``ports:`` list, sorted and joined.

    Args:
        value: a list of numbers and ``LOW-HIGH`` ranges, each from 1 to 65535.

    Raises:
        PydanticCustomError: it is not such a list, or it is empty, so that the entry would never
            match.
    """
    form = "a list of ports from 1 to 65535, or ranges of them: [443, 8000-8099]"
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        raise wrong("ports is a list", form, f"ports: [{value}]")
    if not isinstance(value, list):
        raise wrong(f"{shown(value)} is not a list of ports", form, "ports: [443]")
    if not value:
        raise wrong(
            "the list of ports is empty, so the entry would never match",
            form,
            "leave `ports` out for 443",
        )
    ranges: list[tuple[int, int]] = []
    for item in value:
        if isinstance(item, int) and not isinstance(item, bool):
            low = high = item
        else:
            matched = _RANGE.match(item) if isinstance(item, str) else None
            if not matched:
                raise wrong(
                    f"{shown(item)} is not a port",
                    form,
                    f"without quotes: {item}" if str(item).isdigit() else "",
                )
            low, high = int(matched[1]), int(matched[2])
        if not (1 <= low <= 65535 and 1 <= high <= 65535):
            raise wrong(f"port {shown(item)} does not exist", form)
        if low > high:
            raise wrong(f"the range {shown(item)} ends before it begins", form, f"{high}-{low}")
        ranges.append((low, high))
    return join_ranges(ranges)


def join_ranges(ranges: list[tuple[int, int]]) -> Ports:
    """`ranges`, sorted, with adjacent ones merged."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def write_ports(ranges: Ports) -> str:
    """The list in the policy's syntax."""
    return (
        "[" + ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges) + "]"
    )
