"""A policy is compiled to the oldest format that can express it, and an engine refuses formats that
it does not know."""

from __future__ import annotations

import pytest

from fshield.engine import binary
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from tests.fshield.serving import OUT, allowed, load_text

CHILD = """version: 1
policy:
  create_child_process:
    mode: block
    allow:
      - /usr/bin/uname
"""


def test_no_more_variables_than_an_engine_reads() -> None:
    lines = "".join(f'      - host: "${{env:V{i}}}.example.org"\n' for i in range(33))
    with pytest.raises(CouldNotRun, match="33 variables"):
        compile_policy(load_text(OUT + lines))


def _header(text: str) -> tuple[int, ...]:
    return binary.HEADER.unpack_from(compile_policy(load_text(text)))


def test_only_what_needs_it_is_of_format_1_1() -> None:
    for plain in ("version: 1\n", OUT + "      - host: x.org\n", OUT + "      - aws: true\n"):
        header = _header(plain)
        assert (header[2], header[14], header[24]) == (0, 0, 0)
    for text, feature in (
        (OUT + "      - aws: [sqs]\n", binary.FEATURE_REGION | binary.FEATURE_VPC_ENDPOINT),
        (OUT + '      - host: "${env:A}"\n', binary.FEATURE_VARIABLES),
        (CHILD + "      - fork\n", binary.FEATURE_FORK),
    ):
        header = _header(text)
        # An engine of version 1.0 finds an unknown mode at this place, and refuses the file.
        assert (header[2], header[14], header[24]) == (1, binary.GATE, feature)


# Offsets in struct fs_policy.
MINOR, FLAGS, RESERVED, FEATURES = 10, 24, 76, 80


def _changed(changes: dict[int, int]) -> bytes:
    """A policy of format 1.1 with these bytes changed and a matching checksum."""
    content = bytearray(compile_policy(load_text(OUT + "      - aws: [sqs]\n")))
    for at, bits in changes.items():
        content[at] = bits if at == MINOR else content[at] | bits
    content[binary.CHECKSUM_OFFSET : binary.CHECKSUM_OFFSET + 8] = binary.checksum(
        bytes(content)
    ).to_bytes(8, "little")
    return bytes(content)


NEEDED = [(FEATURES + bit // 8, 1 << bit % 8) for bit in range(7, 32)]
NEEDED += [(FLAGS + bit // 8, 1 << bit % 8) for bit in range(9, 16)]
NEEDED += [(RESERVED, 1), (RESERVED + 3, 0x80)]


@pytest.mark.parametrize("minor", [1, 2, 255])
@pytest.mark.parametrize(("at", "value"), NEEDED)
def test_what_a_later_format_needs_is_refused(at: int, value: int, minor: int) -> None:
    """An unknown feature, an unknown flag that narrows, or an unknown field: the file means more
    than this engine would enforce."""
    with pytest.raises(ValueError, match="newer than this engine"):
        native.Compiled(_changed({MINOR: minor, at: value}))


@pytest.mark.parametrize("bit", [None, *range(16, 32)])
def test_a_later_format_that_needs_no_more_runs(bit: int | None) -> None:
    """A larger minor version alone, or with flags that an engine may ignore, decides as before."""
    ignorable = {} if bit is None else {FLAGS + bit // 8: 1 << bit % 8}
    later, now = native.Compiled(_changed({MINOR: 2, **ignorable})), native.Compiled(_changed({}))
    for name, expected in (("sqs.eu-central-1.amazonaws.com", True), ("evil.example", False)):
        assert allowed(later, name) is allowed(now, name) is expected


@pytest.mark.parametrize("mode", [3, 4, 0x7F, 0xFE])
@pytest.mark.parametrize("minor", [0, 1, 2, 255])
def test_an_unknown_mode_is_refused_whatever_the_minor_version(mode: int, minor: int) -> None:
    content = bytearray(compile_policy(load_text("version: 1\npolicy: {}\n")))
    content[MINOR], content[32] = minor, mode
    content[binary.CHECKSUM_OFFSET : binary.CHECKSUM_OFFSET + 8] = binary.checksum(
        bytes(content)
    ).to_bytes(8, "little")
    with pytest.raises(ValueError, match="a mode is unknown"):
        native.Compiled(bytes(content))
