"""``fshield check --function``: checks the metadata of a package's distributions, on which entries
with ``only_for`` rely.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fshield.bundle.contents import PackedFile
from fshield.errors import Finding, shown
from fshield.language.callers import ONLY_FOR_WORDS, plain
from fshield.language.policy import Policy

#: Lambda's runtime has them.
RUNTIME = frozenset({"boto3", "botocore"})


@dataclass
class Distributions:
    """The distributions of a package, collected file by file.

    Args:
        first: the METADATA by folder and normalised name.
        listed: `*.dist-info` folders that another distribution's RECORD lists, with that RECORD.
    """

    first: dict[tuple[PurePosixPath, str], PackedFile] = field(default_factory=dict)
    listed: dict[PurePosixPath, PackedFile] = field(default_factory=dict)

    def take(self, file: PackedFile) -> Iterator[Finding]:
        """Take a file. A second distribution of the same name in a folder is a finding: a package
        may contain it in order to pass for that distribution.
        """
        about = file.name.parent
        if about.suffix != ".dist-info":
            return
        if file.name.name == "RECORD":
            self._take_record(file)
        if file.name.name != "METADATA":
            return
        name = plain(about.stem.partition("-")[0])
        first = self.first.setdefault((about.parent, name), file)
        if first is not file:
            yield Finding(
                "note",
                file.place,
                1,
                1,
                f"a second distribution named {shown(name)}, beside"
                f" {shown(first.name.parent.name)}: entries with only_for may count for what either"
                " of them says",
                fix="find the package that brings it (RECORD lists its files), and leave it out",
            )

    def _take_record(self, file: PackedFile) -> None:
        about = file.name.parent
        text = file.read().decode("utf-8", "replace")
        for row in csv.reader(text.splitlines()):
            parts = [part for part in PurePosixPath(row[0] if row else "").parts if part != ".."]
            # A wheel's data: "../../REST", or "X.data/purelib/REST".
            if parts and parts[0].endswith(".data"):
                parts = parts[2:]
            if len(parts) > 1 and parts[0].endswith(".dist-info") and parts[0] != about.name:
                self.listed.setdefault(about.parent / parts[0], file)

    def brought(self) -> Iterator[Finding]:
        """Findings about metadata that another distribution contains. Genuine metadata is written
        by the installer.
        """
        for file in self.first.values():
            by = self.listed.get(file.name.parent)
            if by is not None:
                name = plain(file.name.parent.stem.partition("-")[0])
                yield Finding(
                    "note",
                    file.place,
                    1,
                    1,
                    f"{shown(by.name.parent.name)} brought this metadata: what it lists counts as"
                    f" {shown(name)} for entries with only_for",
                    fix="leave that package out, or install the real one beside it",
                )

    def missing(self, policy: Policy) -> Iterator[Finding]:
        """Findings about entries for distributions that the package lacks: any package with
        metadata of such a name would pass.
        """
        held = {name for _, name in self.first} | {*ONLY_FOR_WORDS, *RUNTIME}
        for entry in policy.allows:
            absent = [name for name in entry.only_for if name not in held]
            if absent:
                home = entry.home(policy)
                names = ", ".join(absent)
                yield home.finding(
                    "note",
                    home.find((*entry.location, "only_for")),
                    f"only_for names {names}, and this package has no metadata of that name: a"
                    " package that brings some would be let pass",
                    fix="take the name out, unless a layer has that distribution",
                )
