"""Checks the core's DNS parser against dnspython.

A question that leaves contains exactly what was judged. For each address that the core learns,
dnspython reads the same name and address in the answer.
"""

from __future__ import annotations

import ctypes
import itertools
import socket

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.core import NAME_ROOM, core, judged

NAMES = st.sampled_from(
    [
        "allowed.example",
        "ALLOWED.example",
        "a.allowed.example",
        "evil.example",
        "x" * 63 + ".example",
        "a\\.b.example",
        "a\\000b.example",
        "a_b.example",
        ".",
        "example",
        ".".join(["abcdefghijklmno"] * 15),
    ]
)
TYPES = st.sampled_from(
    ["A", "AAAA", "A", "AAAA", "TXT", "ANY", "NULL", "AXFR", "HTTPS", "CNAME", "SRV"]
)


def text_of(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def question(data: bytes) -> tuple[bytes, str, int] | None:
    """The packet that leaves, and the name and type that were judged."""
    name, kind = ctypes.create_string_buffer(NAME_ROOM), ctypes.c_uint16()
    out = ctypes.create_string_buffer(len(data) + 1)
    size = core().oracle_question(data, ctypes.c_size_t(len(data)), name, ctypes.byref(kind), out)
    return (out.raw[:size], name.value.decode(), kind.value) if size else None


def answer(data: bytes) -> tuple[str, set[str]] | None:
    """The name, and the addresses that the core learns for it."""
    name = ctypes.create_string_buffer(NAME_ROOM)
    room = ctypes.create_string_buffer(17 * 64)
    count = core().oracle_answer(data, ctypes.c_size_t(len(data)), name, room)
    if count < 0:
        return None
    found = set()
    for at in range(0, 17 * count, 17):
        four = room.raw[at] == 4
        found.add(
            socket.inet_ntop(
                socket.AF_INET if four else socket.AF_INET6,
                room.raw[at + 1 : at + (5 if four else 17)],
            )
        )
    return name.value.decode(), found


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """The packet with a few bytes replaced, inserted or removed, mostly in the header."""
    out = bytearray(data)
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 4]))):
        at = draw(st.integers(0, min(len(out), draw(st.sampled_from([12, 40, 4096])))))
        size = draw(st.sampled_from([1, 1, 1, 0, 2]))
        out[at : at + size] = draw(
            st.sampled_from(
                [b"\0", b"\1", b"\xc0\x0c", b"\xc0", b"\x80", b"\xff", b"", b"\5", b"\x3f"]
            )
        )
    return bytes(out)


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    query = dns.message.make_query(
        draw(NAMES), draw(TYPES), draw(st.sampled_from(["IN", "IN", "IN", "CH"]))
    )
    query.flags = draw(st.sampled_from([0x100, 0x100, 0x120, 0x110, 0, 0x8100, 0x900, 0x1100]))
    if draw(st.booleans()):
        kind = dns.edns.OptionType(draw(st.sampled_from([10, 10, 3, 8, 12])))
        options: list[dns.edns.Option] = [
            dns.edns.GenericOption(kind, draw(st.binary(max_size=44)))
        ]
        query.use_edns(
            0, draw(st.sampled_from([0, 0x8000, 1])), options=draw(st.sampled_from([[], options]))
        )
    if draw(st.sampled_from([False] * 6 + [True])):
        query.question.append(
            dns.rrset.RRset(dns.name.from_text("evil.example"), dns.rdataclass.IN, dns.rdatatype.A)
        )
    if draw(st.sampled_from([False] * 6 + [True])):
        query.additional.append(dns.rrset.from_text("evil.example.", 1, "IN", "TXT", "data"))
    return draw(changed(query.to_wire())) + draw(st.sampled_from([b""] * 8 + [b"\0", b"data"]))


@given(queries())
@judged
def test_a_question_says_what_was_judged(data: bytes) -> None:
    found = question(data)
    if found is None:
        return
    wire, name, kind = found
    message = dns.message.from_wire(wire, ignore_trailing=False)
    assert [(text_of(asked.name), asked.rdtype, asked.rdclass) for asked in message.question] == [
        (name, kind, 1)
    ], data
    assert (
        not message.answer
        and not message.authority
        and not message.additional
        and not message.options
    ), data
    assert message.opcode() == 0 and not message.flags & (
        dns.flags.QR | dns.flags.AA | dns.flags.TC | dns.flags.RA
    ), data
    # The packet contains only the name and the bits above: dnspython's packet is as long.
    assert len(message.to_wire()) == len(wire), data


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A CNAME chain with addresses at its end, and unrelated records, in any order."""
    chain = draw(st.lists(NAMES, min_size=1, max_size=4))
    query = dns.message.make_query(chain[0], draw(st.sampled_from(["A", "A", "AAAA"])))
    response = dns.message.make_response(query)
    records = [
        dns.rrset.from_text(f"{alias.rstrip('.')}.", 60, "IN", "CNAME", f"{target.rstrip('.')}.")
        for alias, target in itertools.pairwise(chain)
    ]
    for owner in (chain[-1], draw(NAMES)):
        address = draw(
            st.sampled_from([("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("A", "192.0.2.9")])
        )
        kind = draw(st.sampled_from(["IN"] * 8 + ["CH"]))
        if kind == "IN":
            records.append(dns.rrset.from_text(f"{owner.rstrip('.')}.", 60, kind, *address))
        else:
            records.append(dns.rrset.from_text(f"{owner.rstrip('.')}.", 60, kind, "TXT", "x"))
    for record in draw(st.permutations(records)):
        draw(
            st.sampled_from(
                [response.answer, response.answer, response.answer, response.additional]
            )
        ).append(record)
    response.flags = draw(st.sampled_from([0x8180] * 8 + [0x8182, 0x8380, 0x0180, 0x9180]))
    return draw(changed(response.to_wire()))


def read_by_dnspython(data: bytes) -> tuple[str, set[str]] | None:
    """The addresses of the question's name, of either family, anywhere in its chain."""
    try:
        message = dns.message.from_wire(data, ignore_trailing=True, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):
        return None
    if len(message.question) != 1:
        return None
    asked = message.question[0].name
    chain, found = [asked], set()
    for name in chain:
        for rrset in message.answer:
            if rrset.name != name or rrset.rdclass != dns.rdataclass.IN:
                continue
            if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
                found |= {record.address for record in rrset}
            if rrset.rdtype == dns.rdatatype.CNAME:
                chain += [record.target for record in rrset if record.target not in chain]
    return text_of(asked), found


@given(answers())
@judged
def test_what_is_learnt_is_what_others_read(data: bytes) -> None:
    learnt, others = answer(data), read_by_dnspython(data)
    if learnt is None or others is None:
        return
    name, addresses = learnt
    assert name == others[0], data
    assert addresses <= others[1], (
        f"{addresses - others[1]} is learnt for {name}, but other parsers find no such answer:"
        f" {data!r}"
    )


def test_plain_ones_are_read_alike() -> None:
    """Plain messages are accepted, so the properties above are not vacuous."""
    query = dns.message.make_query("Allowed.example", "A")
    found = question(query.to_wire())
    assert found is not None and found[1:] == ("allowed.example", 1)
    response = dns.message.make_response(query)
    response.answer.append(
        dns.rrset.from_text("allowed.example.", 60, "IN", "CNAME", "other.example.")
    )
    response.answer.append(
        dns.rrset.from_text("other.example.", 60, "IN", "A", "192.0.2.1", "192.0.2.2")
    )
    wire = response.to_wire()
    assert (
        answer(wire) == read_by_dnspython(wire) == ("allowed.example", {"192.0.2.1", "192.0.2.2"})
    )
