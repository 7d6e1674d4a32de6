"""Every exported symbol of the C library is a door, harmless, or accepted with a reason, and the
machine code agrees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.census import census, libraries
from tests.census.disassembly import Library, read

HERE = Path(__file__).resolve().parent


def required() -> bool:
    """Whether the test fails if the other libraries are missing."""
    return "census" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")


@pytest.fixture(scope="module")
def table() -> census.Table:
    return census.read_table()


@pytest.mark.parametrize("name", list(libraries.sets()))
def test_the_table_knows_every_symbol(name: str, table: census.Table) -> None:
    unknown: list[str] = []
    wrong: list[str] = []
    for path in libraries.sets()[name]:
        found = census.judge(read(path), table)
        unknown += found.unknown
        wrong += found.wrong
    assert unknown == [], "not in tests/census/symbols.yaml: python tests/census/run.py --new"
    assert wrong == []


def test_the_other_libraries_are_here() -> None:
    missing = {"bookworm-amd64", "bullseye-amd64", "trixie-arm64"} - libraries.sets().keys()
    if missing and not required():
        pytest.skip(f"tests/census/fetch.sh has not been run: {', '.join(sorted(missing))}")
    assert not missing


def test_a_symbol_that_nobody_classed_is_found(table: census.Table) -> None:
    libc = read(libraries.sets()["this machine"][0])
    without = census.Table(
        table.doors,
        table.harmless - {"strlen"},
        table.accepted,
        table.data,
        table.stop,
        table.stop_callees,
    )
    assert census.judge(libc, without).unknown == ["strlen"]


def test_a_harmless_symbol_that_opens_is_found(table: census.Table) -> None:
    libc = read(libraries.sets()["this machine"][0])
    doors = table.doors - {"open", "connect", "execve"}
    harmless = table.harmless | {"open", "connect", "execve"}
    lying = census.Table(
        doors, harmless, table.accepted, table.data, table.stop, table.stop_callees
    )
    found = census.judge(libc, lying).wrong
    assert found == [
        "connect is called harmless, but reaches connect",
        "execve is called harmless, but reaches execve",
        "open is called harmless, but reaches openat",
    ]


def compiled(folder: Path, source: str) -> Library:
    """Compile this C text to a shared library."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("neither gcc nor clang is here")
    out = folder / "library.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-nostdlib", "-x", "c", "-", "-o", str(out)]
    subprocess.run(command, input=source, text=True, check=True)
    return read(out)


def test_calls_are_followed(tmp_path: Path, table: census.Table) -> None:
    library = compiled(
        tmp_path,
        """
        #if defined(__x86_64__)
        #define CALL(n) \\
            __asm__ volatile("mov %0, %%eax; syscall" : : "i"(n) : "rax", "rcx", "r11", "memory")
        enum { OPENAT = 257, GETPID = 39 };
        #else
        #define CALL(n) __asm__ volatile("mov x8, %0; svc #0" : : "i"(n) : "x8", "x0", "memory")
        enum { OPENAT = 56, GETPID = 172 };
        #endif
        __attribute__((noinline)) static void inner(void) { CALL(OPENAT); }
        __attribute__((noinline)) static void middle(int n)
        { if (n > 3) inner(); __asm__ volatile(""); }
        void direct(void) { CALL(OPENAT); }
        void deep(int n) { middle(n); middle(n + 1); }
        void (*taken(void))(void) { return inner; }
        void plain(void) { CALL(GETPID); }
        """,
    )
    found = census.reaches(library, table, ["direct", "deep", "taken", "plain"])
    openat = frozenset({"openat"})
    assert found == {"direct": openat, "deep": openat, "taken": openat, "plain": frozenset()}
