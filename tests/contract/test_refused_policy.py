"""Never unguarded: an unreadable policy or floor stops the command."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fshield.engine import binary
from tests.contract.helpers import (
    PYTHON,
    SAY,
    copy_layer,
    launch,
    policy_of,
    refusal,
)
from tests.support import policy_file, rules

BLOCK = rules("block", "block", "block", "block")
HEADER = 168


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """The launcher of a layer that a test may damage."""
    return copy_layer(tmp_path / "layer")


def good() -> bytes:
    return Path(
        policy_file(
            {
                **BLOCK,
                "policy": {
                    **BLOCK["policy"],
                    "outbound_connectivity": {
                        "mode": "block",
                        "allow": [
                            {"host": "a.example"},
                            {"cidr": "10.0.0.0/8"},
                            {"host": "*.b.example"},
                        ],
                    },
                },
            }
        )
    ).read_bytes()


def refuse_policy(content: bytes, folder: Path) -> str:
    path = folder / "damaged.policy"
    path.write_bytes(content)
    sentence = refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": str(path)}))
    assert str(path) in sentence, "names the file"
    return sentence


def with_checksum(content: bytearray) -> bytes:
    content[16:24] = bytes(8)
    content[16:24] = binary.checksum(bytes(content)).to_bytes(8, "little")
    return bytes(content)


def test_the_policy_used_here_is_good(tmp_path: Path) -> None:
    path = tmp_path / "good.policy"
    path.write_bytes(with_checksum(bytearray(good())))
    assert launch(SAY, env={"FUNCTION_SHIELD_POLICY": str(path)}).stdout == "ran\n"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 16, 100, HEADER - 1, HEADER, HEADER + 8, -1, -8, -16])
def test_truncated_policy(size: int, tmp_path: Path) -> None:
    assert "fshield compile" in refuse_policy(good()[:size], tmp_path)


def test_policy_with_something_after_it(tmp_path: Path) -> None:
    for more in (b"\0", b"\n", bytes(8), good()):
        refuse_policy(good() + more, tmp_path)


def test_flipped_bits(tmp_path: Path) -> None:
    """Every byte of the header, and a sample of the rest."""
    content = good()
    for index in [*range(HEADER), *range(HEADER, len(content), 23)]:
        damaged = bytearray(content)
        damaged[index] ^= 1 << index % 8
        refuse_policy(bytes(damaged), tmp_path)


def test_other_files(tmp_path: Path) -> None:
    for content in (
        b"version: 1\npolicy:\n  read_write_tmp: block\n",
        os.urandom(5000),
        bytes(5000),
        b"FSPOLICY",
    ):
        refuse_policy(content, tmp_path)


@pytest.mark.parametrize("major", [0, 2, 255, 65535])
def test_unknown_version(major: int, tmp_path: Path) -> None:
    content = bytearray(good())
    content[8:10] = major.to_bytes(2, "little")
    assert "version" in refuse_policy(with_checksum(content), tmp_path)


def test_a_newer_minor_version_runs(tmp_path: Path) -> None:
    content = bytearray(good())
    content[10:12] = (9).to_bytes(2, "little")
    path = tmp_path / "newer.policy"
    path.write_bytes(with_checksum(content))
    code = (
        "try: open('/tmp/function-shield-nonexistent')\nexcept OSError as error: print(error.errno)"
    )
    assert launch([PYTHON, "-c", code], env={"FUNCTION_SHIELD_POLICY": str(path)}).stdout == "13\n"


def test_a_right_checksum_over_nonsense_is_no_crash(tmp_path: Path) -> None:
    """Offsets and counts that point outside the file are refused, or never followed."""
    for index in range(24, len(good()), 4):
        content = bytearray(good())
        content[index : index + 4] = b"\xff\xff\xff\x7f"
        path = tmp_path / "nonsense.policy"
        path.write_bytes(with_checksum(content))
        code = (
            "import socket\ntry: socket.getaddrinfo('a.example', 443)\nexcept OSError:"
            " pass\nprint('ran')"
        )
        result = launch([PYTHON, "-S", "-c", code], env={"FUNCTION_SHIELD_POLICY": str(path)})
        assert result.returncode in (0, 1, 78), (index, result)


def test_missing_unreadable_and_odd_policies(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.policy").mkdir()
    (tmp_path / "loop.policy").symlink_to("loop.policy")
    for path in (
        "missing",
        "pipe",
        "folder.policy",
        "loop.policy",
        "missing/deeper",
        "x" * 300,
        "y/" * 3000,
    ):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": f"{tmp_path}/{path}"}))
    for path in ("/dev/null", "/dev/zero", "/proc/self/mem", "/proc/1"):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": path}))
    for name in ("no-such-policy", ".", "..", "default.policy", "x" * 5000, "%s%n", "a\nb"):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": name}))


@pytest.mark.parametrize(
    "how", ["dangling", "loop", "folder", "empty", "policies dangling", "policies loop", "pipe"]
)
def test_a_floor_that_cannot_be_read(layer: Path, how: str) -> None:
    """Only a missing file means that there is no floor. No other error drops the floor silently."""
    floor = policy_of(layer, "floor")
    folder = floor.parent
    if how.startswith("policies"):
        folder.rename(folder.with_name("elsewhere"))
        folder.symlink_to("nowhere" if how.endswith("dangling") else folder.name)
    elif how in ("dangling", "loop"):
        floor.symlink_to("nowhere" if how == "dangling" else floor.name)
    elif how == "folder":
        floor.mkdir()
    elif how == "pipe":
        os.mkfifo(floor)
    else:
        floor.touch()
    sentence = refusal(
        launch(SAY, launcher=layer, env={"FUNCTION_SHIELD_POLICY": policy_file(BLOCK)})
    )
    assert "floor.policy" in sentence


@pytest.mark.parametrize("target", ["nowhere", "thumbnailer.policy"])
def test_the_functions_policy_that_cannot_be_read(layer: Path, target: str) -> None:
    policy_of(layer, "thumbnailer").symlink_to(target)
    assert "thumbnailer.policy" in refusal(
        launch(SAY, launcher=layer, env={"AWS_LAMBDA_FUNCTION_NAME": "thumbnailer"})
    )


def test_no_floor_and_no_policies(layer: Path) -> None:
    """Without the folder, a layer has no floor. It runs with a policy that is named by its path."""
    shutil.rmtree(policy_of(layer, "floor").parent)
    assert (
        launch(SAY, launcher=layer, env={"FUNCTION_SHIELD_POLICY": policy_file(BLOCK)}).stdout
        == "ran\n"
    )
