"""The output of ``make release``: the same bytes each time, with descriptions in standard
formats."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from fshield.release import sums
from tests.support import ROOT

sys.path.insert(0, str(ROOT / "layer"))
sys.path.insert(0, str(ROOT / "release"))

import bill
import commit as source
import make
import notes
import provenance
import sdist
import zig

LOCK = (ROOT / "requirements.lock").read_text()
ARTIFACTS = {
    "function-shield-layer-arm64.zip": sums.digest(b"one"),
    "fshield-0.1.0-py3-none-manylinux_2_17_x86_64.whl": sums.digest(b"two"),
}
NUMBER = "0" * 39 + "1"


def made_bill() -> bytes:
    versions = bill.locked(LOCK)
    return bill.bill("0.1.0", NUMBER, 1_790_000_000, ARTIFACTS, ["PyYAML>=6.0.1"], versions)


def test_the_bill_is_valid_and_whole() -> None:
    text = made_bill().decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    hashes = {
        each["name"]: each["hashes"][0]["content"]
        for each in document["components"]
        if each["type"] == "file"
    }
    assert hashes == ARTIFACTS
    assert {"pkg:pypi/ziglang@0.16.0", "pkg:pypi/pyyaml@6.0.3"} <= {
        each.get("purl") for each in document["components"]
    }
    assert made_bill().decode() == text


def test_a_bill_that_is_not_valid_is_seen() -> None:
    broken = made_bill().replace(b'"SHA-256"', b'"SHA-255"', 1)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken.decode()) is not None


def test_the_statement_names_every_artifact() -> None:
    lock = ("requirements.lock", sums.digest(LOCK.encode()))
    made = provenance.statement("0.1.0", NUMBER, ARTIFACTS, lock, {"ziglang": "0.16.0"})
    assert made.count(b"\n") == 1
    document = json.loads(made)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    named = {each["name"]: each["digest"]["sha256"] for each in document["subject"]}
    assert named == ARTIFACTS
    definition = document["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": NUMBER}
    assert definition["buildType"] and document["predicate"]["runDetails"]["builder"]["id"]


def test_the_sources_are_the_commits() -> None:
    files = {"a.py": (b"print(1)\n", 0o644), "build.sh": (b"#!/bin/sh\n", 0o755)}
    one = sdist.sdist("fshield-0.1.0", files, b"Metadata-Version: 2.4\n", 1_790_000_000)
    assert one == sdist.sdist("fshield-0.1.0", files, b"Metadata-Version: 2.4\n", 1_790_000_000)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(one))) as opened:
        names = opened.getnames()
        assert names == ["fshield-0.1.0/PKG-INFO", "fshield-0.1.0/a.py", "fshield-0.1.0/build.sh"]
        assert {member.mtime for member in opened} == {1_790_000_000}
        assert {member.uid for member in opened} == {0}


def test_notes_are_the_changelogs() -> None:
    text = (
        "# Changelog\n\n## [Unreleased]\n\n- next\n\n## [0.1.0] - 2026-12-01\n\n- first\n\n## x\n"
    )
    made = notes.notes(text, "0.1.0")
    assert "- first" in made and "- next" not in made
    assert "- next" in notes.notes(text, "0.2.0")
    assert notes.notes((ROOT / "CHANGELOG.md").read_text(), "0.1.0").startswith("# FunctionShield")


def test_a_difference_stops_the_release() -> None:
    assert make.differing({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"2"}) == []
    assert make.differing({"a": b"1", "b": b"2", "d": b""}, {"a": b"0", "c": b"2", "d": b""}) == [
        "a",
        "b",
        "c",
    ]


def test_a_library_for_macos_does_not_name_its_folder(tmp_path: Path) -> None:
    """Its install name must not be the path that it was built at."""
    built = []
    for name in ("one", "another folder"):
        out = tmp_path / name / "libdecide.dylib"
        out.parent.mkdir()
        zig.decide(out, "aarch64-macos.11.0")
        built.append(out.read_bytes())
    assert built[0] == built[1]
    assert str(tmp_path).encode() not in built[0]


def test_links_are_made_of_one_variable(tmp_path: Path) -> None:
    """In setup.py: no link while the variable is empty, and all of them after a maintainer has set
    it."""
    (tmp_path / "fshield").mkdir()
    text = (ROOT / "fshield" / "version.py").read_text()
    (tmp_path / "setup.py").write_text((ROOT / "setup.py").read_text())
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'x'\ndynamic = ['urls', 'version']\n"
    )
    seen = {}
    for url in ("", "https://git.example.org/function-shield"):
        changed = re.sub(r'^PROJECT_URL = ".*"$', f'PROJECT_URL = "{url}"', text, flags=re.M)
        (tmp_path / "fshield" / "version.py").write_text(changed)
        (tmp_path / "fshield" / "__init__.py").write_text("")
        command = [sys.executable, "setup.py", "--quiet", "egg_info"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        metadata = (tmp_path / "x.egg-info" / "PKG-INFO").read_text()
        seen[url] = re.findall(r"^Project-URL: \w+, (\S+)$", metadata, re.M)
    assert seen.pop("") == []
    (links,) = seen.values()
    assert len(links) == 4
    assert all(link.startswith("https://git.example.org/function-shield") for link in links)


@pytest.mark.skipif(
    os.environ.get("RELEASE_CHECK") != "1", reason="takes minutes: make release-check"
)
def test_the_whole_release(tmp_path: Path) -> None:
    """Built from the commit that is checked out. Uncommitted files have no effect."""
    release = make.made(source.head(ROOT), tmp_path)
    make.write(release, tmp_path / "out", None)
    listed = sums.parse((tmp_path / "out" / sums.NAME).read_bytes(), "list")
    assert len([name for name in listed if name.endswith(".whl")]) == 4
    assert set(listed) | {sums.NAME} == {path.name for path in (tmp_path / "out").iterdir()}
    text = next((tmp_path / "out").glob("*.cdx.json")).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
