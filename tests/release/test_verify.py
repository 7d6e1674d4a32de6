"""What ``fshield verify`` and ``attach`` accept: the bytes of a release, and no others."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.release import signature, sums
from tests.fleet.command import fshield
from tests.fleet.functions import Fleet
from tests.fleet.stand_in import StandIn, running
from tests.support import ROOT

LAYERS = tuple(f"function-shield-layer-{name}.zip" for name in ("x86_64", "arm64"))


def key(folder: Path, name: str) -> Path:
    """A new key, and a file of allowed signers with only this key."""
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True)
    public = path.with_suffix(".pub").read_text().split()[:2]
    path.with_suffix(".signers").write_text(f"{name}@example.org {' '.join(public)}\n")
    return path


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder like a release's: the layers of this tree, the list of hashes, and its signature."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in LAYERS:
        shutil.copyfile(ROOT / "dist" / name, folder / name)
    listed = {name: sums.digest((folder / name).read_bytes()) for name in LAYERS}
    (folder / sums.NAME).write_text(sums.text(listed))
    signature.sign(folder / sums.NAME, key(tmp_path, "maintainer"))
    return folder


def verify(release: Path, *options: str, signers: str = "maintainer") -> tuple[int, str]:
    files = [str(release / name) for name in LAYERS]
    named = ["--signers", str(release.parent / f"{signers}.signers")] if signers else []
    result = CliRunner().invoke(app, ["verify", *files, *named, *options])
    return result.exit_code, result.output


def flip(path: Path) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_release_is_verified(release: Path) -> None:
    code, printed = verify(release)
    assert code == 0, printed
    assert "signed by maintainer@example.org" in printed
    code, printed = verify(release, "--json")
    answer = json.loads(printed)
    assert answer["ok"] and answer["signed_by"] == "maintainer@example.org"
    assert [each["known_as"] for each in answer["checked"]] == list(LAYERS)


def test_a_flipped_bit_is_found(release: Path) -> None:
    flip(release / LAYERS[1])
    code, printed = verify(release)
    assert code == 1
    assert printed.count("its bytes are not those of the release") == 1


def test_a_changed_list_is_not_believed(release: Path) -> None:
    flip(release / LAYERS[0])
    listed = {name: sums.digest((release / name).read_bytes()) for name in LAYERS}
    (release / sums.NAME).write_text(sums.text(listed))
    code, printed = verify(release)
    assert code == 2 and "is not the signature of a signer" in printed
    assert verify(release, "--unsigned")[0] == 0


def test_another_key_is_not_believed(release: Path) -> None:
    key(release.parent, "stranger")
    code, printed = verify(release, signers="stranger")
    assert code == 2 and "is not the signature of a signer" in printed


def test_a_signature_for_something_else_is_not_believed(release: Path) -> None:
    """The same key also signs mail and commits, but in other namespaces."""
    path = release / sums.NAME
    signed = path.with_name(f"{sums.NAME}.sig")
    signed.unlink()
    private = str(release.parent / "maintainer")
    command = ["ssh-keygen", "-Y", "sign", "-f", private, "-n", "git", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    code, printed = verify(release)
    assert code == 2 and "is not the signature of a signer" in printed


def test_nobody_signs_yet(release: Path) -> None:
    code, printed = verify(release, signers="")
    assert code == 2 and "lists no signer" in printed


def test_without_a_signature(release: Path) -> None:
    (release / f"{sums.NAME}.sig").unlink()
    code, printed = verify(release)
    assert code == 2 and "no such file" in printed and "--unsigned" in printed


@pytest.mark.parametrize(
    "text", ["", "nonsense\n", f"{'0' * 64}  a/b\n", f"{'0' * 64}  a\n{'1' * 64}  a\n"]
)
def test_what_is_no_list_is_refused(release: Path, text: str) -> None:
    (release / sums.NAME).write_text(text)
    assert verify(release, "--unsigned")[0] == 2


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running() as started:
        yield started


def test_layers_by_their_bytes_and_what_attach_takes(stand_in: StandIn, release: Path) -> None:
    fleet = Fleet(stand_in)
    fleet.engines()
    altered = bytearray((release / LAYERS[0]).read_bytes())
    altered[len(altered) // 2] ^= 1
    name = "function-shield-x86_64"
    text = "FunctionShield, open 0.1.0 (x86_64); policies: monitor"
    good = "arn:aws:lambda:eu-central-1:123456789012:layer:function-shield-{arch}:1"
    bad = fleet.layer(name, text, ("x86_64",), bytes(altered))
    listed = ("--sums", str(release / sums.NAME))
    signers = ("--signers", str(release.parent / "maintainer.signers"))

    ran = fshield(stand_in, "verify", "--layer", good, *listed, *signers)
    assert ran.code == 0, ran.out + ran.err
    assert all(each in ran.out for each in LAYERS)
    ran = fshield(stand_in, "verify", "--layer", bad, *listed, *signers)
    assert ran.code == 1 and "its bytes are not on the list" in ran.out

    fleet.function("f")
    attach = ("attach", "f", "--policy", "monitor", "--layer-arn")
    ran = fshield(stand_in, *attach, bad)
    assert ran.code == 2 and "is on no list of engines" in ran.err
    assert fleet.layers("f") == []
    # The release's list is signed, but this file is not in it.
    ran = fshield(stand_in, *attach, bad, *listed, *signers)
    assert ran.code == 2 and "is on no list of engines" in ran.err
    # A list that has the file is trusted by its signature, or by the user's option.
    own = release.parent / "own"
    own.write_text(sums.text({"mine.zip": sums.digest(bytes(altered))}))
    ran = fshield(stand_in, *attach, bad, "--sums", str(own), *signers, "--dry-run")
    assert ran.code == 2 and "own.sig: no such file" in ran.err
    assert fshield(stand_in, *attach, bad, "--sums", str(own), "--unsigned", "--dry-run").code == 0
    signature.sign(own, release.parent / "maintainer")
    assert fshield(stand_in, *attach, bad, "--sums", str(own), *signers, "--dry-run").code == 0
    own.write_text(own.read_text() + sums.text({"more.zip": sums.digest(b"more")}))
    ran = fshield(stand_in, *attach, bad, "--sums", str(own), *signers, "--dry-run")
    assert ran.code == 2 and "is not the signature of a signer" in ran.err
    assert fshield(stand_in, *attach, bad, "--unlisted", "--dry-run").code == 0
    assert fshield(stand_in, *attach, good).code == 0
    assert fleet.layers("f") == [name]
