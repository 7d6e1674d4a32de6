"""The style check finds the wrong wordings in prose, and ignores everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prose.check import ROOT, pending, problems


def found(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.write_text(text)
    return [problem.partition(": ")[2] for problem in problems(path)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "The file descriptor is closed.\n"),
        ("a.md", "Another thread reads it by its number.\n"),
        ("a.md", "It is written for whoever asks.\n"),
        ("a.py", '"""Closes the descriptor."""\n'),
        ("a.py", "x = 1  # a second number for the socket\n"),
        ("a.c", "/* What somebody\n * else opened. */\nint x;\n"),
        ("a.h", "int x; // mends it\n"),
        ("a.md", "x" * 101 + "\n"),
        ("a.md", "It is very unique, ATM machine included.\n"),
    ],
)
def test_it_finds(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "A system call by number goes through the door.\n"),
        ("a.md", "```\nfile descriptor\n```\n\nUse `descriptor`.\n"),
        ("a.py", 'descriptor = "descriptor"\n'),
        ("a.c", 'int descriptor; const char *x = "/* descriptor */";\n'),
        ("a.md", "The fd is closed, and the caller gets EBADF.\n"),
    ],
)
def test_it_leaves_alone(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == []


@pytest.mark.parametrize("name", sorted(pending()))
def test_the_list_of_pending_files_only_shrinks(name: str) -> None:
    assert (ROOT / name).exists(), "it does not exist: remove it from pending.txt"
    assert list(problems(ROOT / name)), "it has no problems: remove it from pending.txt"
