"""The compiled format matches policy.h, and any damage is detected."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fshield.engine import binary
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.language.aws import Partition
from fshield.language.loader import load
from fshield.language.policy import Family, Mode
from tests.fshield.conftest import BUILDER

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = compile_policy(load(ROOT / "policies" / "default.yaml"))


def test_layout_is_that_of_the_header(tmp_path: Path) -> None:
    sizes = {
        "fs_policy": binary.HEADER,
        "fs_rule": binary.RULE,
        "fs_port_range": binary.PORT_RANGE,
        "fs_host_slot": binary.HOST_SLOT,
        "fs_cidr_slot": binary.CIDR_SLOT,
        "fs_length": binary.LENGTH,
        "fs_path": binary.PATH,
        "fs_variable": binary.VARIABLE,
        "fs_template": binary.TEMPLATE,
    }
    facts = [f"sizeof(struct {name}) == {layout.size}" for name, layout in sizes.items()]
    facts += [f"offsetof(struct fs_policy, checksum) == {binary.CHECKSUM_OFFSET}"]
    facts += [f"FS_POLICY_MAJOR == {binary.MAJOR}", f"FS_POLICY_MINOR == {binary.MINOR}"]
    facts += [f"FS_POLICY_MAX_SIZE == {binary.MAX_SIZE}", f"FS_SECTIONS == {binary.SECTIONS}"]
    facts += [f"FS_{mode.name} == {mode.value}" for mode in Mode]
    facts += [f"FS_{family.name} == {family.value}" for family in Family]
    facts += [
        f"FS_{name} == {getattr(binary, name)}"
        for name in dir(binary)
        if name.startswith(("FLAG", "SECTION_", "FEATURE_", "VARIABLE", "TEMPLATES_"))
        and isinstance(getattr(binary, name), int)
    ]
    facts += [f"FS_GATE == {binary.GATE}"]
    facts += [f"FS_{partition.name} == {partition.value}" for partition in Partition if partition]
    facts += [f"sizeof(struct fs_request) == {ctypes.sizeof(native._Request)}"]
    facts += [f"sizeof(struct fs_facts) == {ctypes.sizeof(native._Facts)}"]
    facts += [f"sizeof(struct fs_expansion) == {ctypes.sizeof(native._Expansion)}"]
    facts += [
        f"sizeof(struct fs_verdict) == {ctypes.sizeof(native._Verdict)}",
        f"FS_REASONS == {native._REASONS}",
    ]
    source = tmp_path / "layout.c"
    source.write_text(
        '#include "policy/expansion.h"\n#include "policy/policy.h"\n'
        + "".join(f'_Static_assert({fact}, "{fact}");\n' for fact in facts)
    )
    compiler = [
        BUILDER,
        "-m",
        "ziglang",
        "cc",
        "-std=gnu11",
        "-c",
        "-o",
        str(tmp_path / "layout.o"),
    ]
    subprocess.run([*compiler, "-I", str(ROOT / "layer/core"), str(source)], check=True)


def test_hashes_are_the_engines() -> None:
    library = native.library()
    library.fs_hash.restype = ctypes.c_uint32
    library.fs_checksum.restype = ctypes.c_uint64
    for key in (b"", b"a", b"api.stripe.com", bytes(range(256))):
        assert library.fs_hash(key, ctypes.c_size_t(len(key))) == binary.fnv1a(key)
    assert library.fs_checksum(DEFAULT, ctypes.c_size_t(len(DEFAULT))) == binary.checksum(DEFAULT)


@settings(deadline=None)
@given(st.integers(0, len(DEFAULT) * 8 - 1))
def test_any_flipped_bit_is_seen(bit: int) -> None:
    damaged = bytearray(DEFAULT)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match=r"it|its|a "):
        native.Compiled(bytes(damaged))


def test_every_flipped_bit_of_the_header_is_seen() -> None:
    for bit in range(binary.HEADER.size * 8):
        damaged = bytearray(DEFAULT)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"it|its|a "):
            native.Compiled(bytes(damaged))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 167, 168, len(DEFAULT) - 8, len(DEFAULT) - 1])
def test_truncation_is_seen(size: int) -> None:
    with pytest.raises(ValueError, match="truncated"):
        native.Compiled(DEFAULT[:size])


def test_more_than_there_should_be_is_seen() -> None:
    with pytest.raises(ValueError, match="longer"):
        native.Compiled(DEFAULT + bytes(8))


def test_a_missing_library_says_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(native.VARIABLE, str(tmp_path / "none.so"))
    with pytest.raises(CouldNotRun) as caught:
        native.library()
    assert "build.sh" in (caught.value.fix or "")
    (tmp_path / "none.so").write_bytes(b"no library")
    with pytest.raises(CouldNotRun, match="does not load"):
        native.library()
