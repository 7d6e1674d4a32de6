"""The commit that is released: its files, its version, its time."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Commit:
    """One commit.

    Args:
        number: its full hash.
        time: seconds since 1970, of the committer.
        files: what `git archive` gives, by path, each with its mode.
    """

    number: str
    time: int
    files: dict[str, tuple[bytes, int]]


def git(root: Path, *arguments: str) -> bytes:
    """What git answers in `root`."""
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, check=True
    ).stdout


def head(root: Path) -> Commit:
    """The commit that is checked out in `root`."""
    number, time = git(root, "log", "-1", "--format=%H %ct").decode().split()
    files = {}
    with tarfile.open(fileobj=io.BytesIO(git(root, "archive", "--format=tar", number))) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                mode = 0o755 if member.mode & 0o100 else 0o644
                files[member.name] = (content.read(), mode)
    return Commit(number, int(time), files)


def changed(root: Path) -> list[str]:
    """Files that differ from the commit, or that git does not know."""
    said = git(root, "status", "--porcelain").decode()
    return [line[3:] for line in said.splitlines()]
