"""The files of a function's package: a folder, or a zip for Lambda."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fshield.errors import CouldNotRun

# Lambda's limit for a package, unpacked, is 250 MB; images may be larger.
LARGEST_FILE = 1 << 30


@dataclass(frozen=True)
class PackedFile:
    """One file of a package.

    Attributes:
        name: its path within the package, with ``/``.
        place: its path for messages: ``FOLDER/NAME`` or ``FILE.zip:NAME``.
        executable: it may be executed.
    """

    name: PurePosixPath
    place: str
    executable: bool
    source: Path
    member: str | None = None

    def head(self, size: int = 20) -> bytes:
        """The first ``size`` bytes, fewer if the file is shorter."""
        if self.member is None:
            with self.source.open("rb") as stream:
                return stream.read(size)
        with zipfile.ZipFile(self.source) as archive, archive.open(self.member) as packed:
            return packed.read(size)

    def read(self) -> bytes:
        """The whole file. Raises CouldNotRun if it is larger than a package may be."""
        if self.member is None:
            if self.source.stat().st_size > LARGEST_FILE:
                raise CouldNotRun(f"{self.place}: larger than 1 GiB")
            return self.source.read_bytes()
        with zipfile.ZipFile(self.source) as archive:
            if archive.getinfo(self.member).file_size > LARGEST_FILE:
                raise CouldNotRun(f"{self.place}: larger than 1 GiB")
            return archive.read(self.member)


def files(package: Path) -> Iterator[PackedFile]:
    """Every regular file of ``package``, by name. Raises CouldNotRun if it cannot be read."""
    if package.is_dir():
        yield from _in_folder(package)
        return
    try:
        with zipfile.ZipFile(package) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
    except (OSError, zipfile.BadZipFile) as error:
        raise CouldNotRun(f"{package}: {error}", "name a function's folder or its zip") from error
    for member in members:
        if member.is_dir():
            continue
        name = PurePosixPath(member.filename)
        executable = bool(member.external_attr >> 16 & 0o111)
        yield PackedFile(name, f"{package}:{name}", executable, package, member.filename)


def _in_folder(package: Path) -> Iterator[PackedFile]:
    for path in sorted(package.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = PurePosixPath(path.relative_to(package).as_posix())
        yield PackedFile(name, str(path), bool(path.stat().st_mode & 0o111), path)
