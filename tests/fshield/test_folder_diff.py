"""``fshield diff`` of two folders: policies of the same name, new and removed ones, the floor, and
what many inherit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app

BLOCK = "version: 1\npolicy: {create_child_process: block}\n"
WIDER = "version: 1\npolicy: {create_child_process: {mode: block, allow: [/usr/bin/uname]}}\n"


def diff(
    folder: Path, old: dict[str, str], new: dict[str, str]
) -> tuple[int, list[tuple[str, str, list[str]]]]:
    for side, files in (("old", old), ("new", new)):
        (folder / side).mkdir()
        for name, text in files.items():
            (folder / side / f"{name}.yaml").write_text(text)
    result = CliRunner().invoke(app, ["diff", str(folder / "old"), str(folder / "new"), "--json"])
    found = json.loads(result.output)
    return result.exit_code, [
        (one["kind"], one["rule"], one["policies"]) for one in found.get("changes", [])
    ]


NEW = "version: 1\npolicy: {native_code: block, runtime_api: block, create_child_process: alert}\n"
SWITCHES = ("allow_mode_override", "allow_reconfigure")
CASES = {
    "nothing changed": ({"a": BLOCK}, {"a": BLOCK}, 0, []),
    "one widens": (
        {"a": BLOCK, "b": BLOCK},
        {"a": BLOCK, "b": WIDER},
        1,
        [("widens", "create_child_process", ["b"])],
    ),
    "one narrows": ({"a": WIDER}, {"a": BLOCK}, 0, [("narrows", "create_child_process", ["a"])]),
    "a new one that allows more than default": (
        {"default": BLOCK},
        {"default": BLOCK, "a": WIDER},
        1,
        [("widens", "create_child_process", ["a"])],
    ),
    "a new one that allows no more than default": (
        {"default": WIDER},
        {"default": WIDER, "a": WIDER},
        0,
        [],
    ),
    "a new one without a default": (
        {"b": BLOCK},
        {
            "b": BLOCK,
            "a": (
                "version: 1\npolicy: {native_code: block, runtime_api: block, create_child_process:"
                " alert}\n"
            ),
        },
        1,
        [("widens", "create_child_process", ["a"])],
    ),
    "one that is gone, with a wider default": (
        {"default": WIDER, "a": BLOCK},
        {"default": WIDER},
        1,
        [("widens", "create_child_process", ["a"])],
    ),
    "one that is gone, and nobody knows what follows": (
        {"b": BLOCK, "a": BLOCK},
        {"b": BLOCK},
        1,
        [("widens", "policy", ["a"])],
    ),
    "the floor narrows": (
        {"floor": "version: 1\ndefault: allow\npolicy: {native_code: allow, runtime_api: allow}\n"},
        {"floor": "version: 1\ndefault: allow\npolicy: {native_code: allow, runtime_api: block}\n"},
        0,
        [("narrows", "runtime_api", ["floor"])],
    ),
    "the floor is gone": (
        {
            "a": BLOCK,
            "floor": (
                "version: 1\ndefault: allow\npolicy: {native_code: allow, runtime_api: block}\n"
            ),
        },
        {"a": BLOCK},
        1,
        [("widens", "runtime_api", ["floor"])],
    ),
    "a floor is new": (
        {"a": BLOCK},
        {
            "a": BLOCK,
            "floor": (
                "version: 1\ndefault: allow\npolicy: {native_code: allow, runtime_api: block}\n"
            ),
        },
        0,
        [("narrows", "runtime_api", ["floor"])],
    ),
    "what many inherit is said once": (
        {
            "base": BLOCK,
            "a": "version: 1\nextends: base.yaml\n",
            "b": "version: 1\nextends: base.yaml\n",
        },
        {
            "base": WIDER,
            "a": "version: 1\nextends: base.yaml\n",
            "b": "version: 1\nextends: base.yaml\n",
        },
        1,
        [("widens", "create_child_process", ["a", "b", "base"])],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_folders(tmp_path: Path, name: str) -> None:
    old, new, code, expected = CASES[name]
    found_code, found = diff(tmp_path, old, new)
    assert [change for change in found if change[1] not in SWITCHES] == expected
    assert found_code == code


def test_a_folder_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BLOCK)
    file = tmp_path / "a.yaml"
    for sides, words in (
        ((tmp_path, file), "a folder and a file"),
        ((file, tmp_path), "a file and a folder"),
    ):
        result = CliRunner().invoke(app, ["diff", *map(str, sides)])
        assert (
            result.exit_code == 2
            and f"{sides[0]} and {sides[1]} are {words}" in result.output.replace("\n", " ")
        )
