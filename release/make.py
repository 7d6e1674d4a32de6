"""Makes a release: ``make release``. docs/releasing.md is the checklist around it.

Everything is built twice from the commit that is checked out, in two folders, and must be the same
bytes. With RELEASE_KEY, a private key for ssh-keygen, the list of sums is signed.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path

import bill
import commit as source
import notes
import provenance
import sdist

from fshield.errors import CouldNotRun
from fshield.release import signature, sums

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
#: Where it is built, and what differs there and must not matter.
PLACES: tuple[tuple[str, Mapping[str, str], int], ...] = (
    ("one", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, 0o022),
    (
        "another folder/with a longer name",
        {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
        0o077,
    ),
)

#: Content by file name.
Files = dict[str, bytes]


@dataclass(frozen=True)
class Release:
    """What is published.

    Args:
        version: from fshield/version.py.
        commit: it was made of.
        artifacts: zips, wheels and the source distribution.
    """

    version: str
    commit: source.Commit
    artifacts: Files

    def described(self) -> Files:
        """Everything but the list of sums: the artifacts, and what describes them."""
        made = dict(self.artifacts)
        versions = bill.locked(self.commit.files[LOCK][0].decode())
        said = BytesParser().parsebytes(metadata_of(made))
        needed = [each for each in said.get_all("Requires-Dist", []) if "extra ==" not in each]
        name = f"function-shield-{self.version}"
        digests = {each: sums.digest(content) for each, content in made.items()}
        about = (self.version, self.commit.number)
        made[f"{name}.cdx.json"] = bill.bill(*about, self.commit.time, digests, needed, versions)
        digests = {each: sums.digest(content) for each, content in made.items()}
        made[f"{name}.intoto.jsonl"] = provenance.statement(
            *about,
            digests,
            (LOCK, sums.digest(self.commit.files[LOCK][0])),
            {tool: versions[tool] for tool in bill.TOOLS},
        )
        changelog = self.commit.files["CHANGELOG.md"][0].decode()
        made["RELEASE-NOTES.md"] = notes.notes(changelog, self.version).encode()
        return made


def built(commit: source.Commit, folder: Path, environment: Mapping[str, str], mask: int) -> Files:
    """The artifacts, built in `folder` from nothing but the commit."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, (content, mode) in commit.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode & ~mask)
    for script in ("layer/build.py", "layer/wheel.py"):
        subprocess.run(
            [sys.executable, script],
            cwd=folder,
            env={**os.environ, **environment},
            umask=mask,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    found = sorted((folder / "dist").iterdir())
    made = {path.name: path.read_bytes() for path in found}
    version = next(name for name in made if name.endswith(".whl")).split("-")[1]
    name = f"fshield-{version}"
    made[f"{name}.tar.gz"] = sdist.sdist(name, commit.files, metadata_of(made), commit.time)
    return made


def metadata_of(files: Files) -> bytes:
    """METADATA of the wheels: it is the same in all."""
    wheel = next(name for name in files if name.endswith(".whl"))
    version = wheel.split("-")[1]
    with zipfile.ZipFile(io.BytesIO(files[wheel])) as opened:
        return opened.read(f"fshield-{version}.dist-info/METADATA")


def differing(one: Files, two: Files) -> list[str]:
    """Names of files that are not in both with the same bytes."""
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def made(commit: source.Commit, work: Path) -> Release:
    """Build in both places and compare. Raises SystemExit where they differ."""
    several = []
    for name, environment, mask in PLACES:
        print(f"building {commit.number[:12]} in {work / name}", flush=True)
        several.append(built(commit, work / name, environment, mask))
    different = differing(*several)
    if different:
        raise SystemExit(f"not the same bytes in two folders: {', '.join(different)}")
    version = next(name for name in several[0] if name.endswith(".tar.gz")).removesuffix(".tar.gz")
    return Release(version.removeprefix("fshield-"), commit, several[0])


def write(release: Release, folder: Path, key: Path | None) -> None:
    """Write everything to `folder`, the list of sums last, and sign that with `key`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = release.described()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = folder / sums.NAME
    listed.write_text(sums.text({name: sums.digest(files[name]) for name in files}))
    if key:
        signature.sign(listed, key)


def main() -> None:
    changed = source.changed(ROOT)
    if changed:
        raise SystemExit(f"not in the commit: {', '.join(changed[:5])}; commit or remove it first")
    release = made(source.head(ROOT), ROOT / "build" / "release")
    folder = ROOT / "dist" / "release"
    key = os.environ.get("RELEASE_KEY")
    try:
        write(release, folder, Path(key) if key else None)
    except CouldNotRun as error:
        raise SystemExit(f"{error.message}: {error.fix}") from error
    for path in sorted(folder.iterdir()):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} KB")
    print(f"{release.version} of {release.commit.number}: the same bytes in two folders")
    if not key:
        print("not signed: RELEASE_KEY names no key")


if __name__ == "__main__":
    main()
