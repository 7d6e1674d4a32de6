"""An event about Node names package, version, file and line of its JavaScript caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import Guarded, rules, run_guarded

SOURCE = """
const fs = require('fs'), dns = require('dns'), { spawn, spawnSync } = require('child_process');
const quiet = (act) => { try { act(); } catch (error) { console.log(error.code); } };
exports.write = () => quiet(() => fs.writeFileSync('/tmp/function-shield-caller', 'x'));
exports.spawnSync = () => console.log((spawnSync('/usr/bin/uname').error || {}).code);
exports.spawn = () => spawn('/usr/bin/uname').on('error', (error) => console.log(error.code));
exports.resolve = () => dns.resolve4('evil.example', (error) => console.log(error.code));
exports.text = () => quiet(() =>
    new Function('fs', "fs.writeFileSync('/tmp/function-shield-caller', 'x')")(fs));
"""
BLOCKS = rules(outbound="block", tmp="block", process="block", handler="block")
MANIFEST = """{"dependencies": {"version": "9.9.9"}, "name": "other", "keywords": ["version"],
"version": "2.3.1", "config": {"version": "0"}}"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The main file of a package in a function's node_modules."""
    folder = tmp_path / "node_modules" / "@evil" / "package"
    (folder / "lib").mkdir(parents=True)
    (folder / "package.json").write_text(MANIFEST)
    (folder / "lib" / "main.js").write_text(SOURCE)
    return folder / "lib" / "main.js"


def run(
    node: Path, package: Path, code: str, *, file: str = "app.js", policy: Any = BLOCKS
) -> Guarded:
    app = package.parents[4] / file
    app.write_text(code)
    env = {"LAMBDA_TASK_ROOT": str(package.parents[4]), "_HANDLER": "app.handler"}
    return run_guarded([node, app], policy=policy, env=env)


@pytest.mark.parametrize("act", ["write", "spawnSync", "spawn", "resolve"])
def test_a_package(node: Path, package: Path, act: str) -> None:
    done = run(node, package, f"require({str(package)!r}).{act}();\n")
    line = 1 + next(
        number
        for number, text in enumerate(SOURCE.splitlines())
        if text.startswith(f"exports.{act} ")
    )
    (event,) = done.violations
    origin = event["origin"]
    assert (origin["distribution"], origin["version"]) == ("@evil/package", "2.3.1"), event
    assert (origin["file"], origin["line"]) == (str(package), line)
    assert event["message"].startswith("@evil/package tried to ")
    app = str(package.parents[4] / "app.js")
    assert any(entry.startswith(f"{app}:1 ") for entry in origin["stack"]), origin["stack"]


def test_a_module(node: Path, package: Path) -> None:
    """The name of an ES module is a URL."""
    (package.parents[4] / "with space").mkdir()
    code = "import fs from 'fs';\ntry { fs.mkdirSync('/tmp/function-shield-caller'); } catch {}\n"
    done = run(node, package, code, file="with space/made.mjs")
    (event,) = done.violations
    assert event["origin"]["file"] == str(package.parents[4] / "with space" / "made.mjs")
    assert (event["origin"]["distribution"], event["origin"]["line"]) == ("with space", 2)
    assert event["origin"]["version"] is None


def test_the_function(node: Path, package: Path) -> None:
    """The function's own code goes by the handler's module, as in Python."""
    code = "try { require('fs').mkdirSync('/tmp/function-shield-caller'); } catch {}\n"
    (event,) = run(node, package, code).violations
    assert (event["origin"]["distribution"], event["origin"]["line"]) == ("app", 1)


def test_code_from_a_string(node: Path, package: Path) -> None:
    """It belongs to the package that made it."""
    (event,) = run(node, package, f"require({str(package)!r}).text();\n").violations
    assert (event["origin"]["distribution"], event["origin"]["file"]) == (
        "@evil/package",
        "<string>",
    )


def test_a_dry_run_answers_as_bare(node: Path, package: Path) -> None:
    done = run(
        node,
        package,
        f"require({str(package)!r}).spawnSync();\n",
        policy=rules(outbound="alert", tmp="alert", process="alert", handler="alert"),
    )
    assert done.stdout == "undefined\n"
    (event,) = done.violations
    assert (event["mode"], event["origin"]["distribution"]) == ("alert", "@evil/package")
