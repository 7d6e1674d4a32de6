"""What ``--help`` shows: it fits a terminal, and an option that several commands take is said once."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import defaultdict

import pytest
import typer

from fshield.cli import app
from tests.support import ROOT

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
#: Options that mean the same wherever they stand; and where one says more, because it does.
SAID_ONCE = {"--json", "--profile", "--endpoint-url", "--own", "--layer", "--tag", "--concurrency", "--timeout"}
SAYS_MORE = {("--json", "commands_tail.py"), ("--timeout", "commands_local.py")}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(command: str) -> None:
    """In a process of its own: click takes the width from the terminal."""
    words = [sys.executable, "-m", "fshield", *filter(None, [command]), "--help"]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert f"fshield {command}".strip() in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_shared_options_are_said_once() -> None:
    places = defaultdict(list)
    for file in sorted((ROOT / "fshield").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("typer.Option", "typer.Argument"):
                continue
            said = next((word.value for word in node.keywords if word.arg == "help"), None)
            if isinstance(said, ast.Name):
                continue  # said once already, where the types differ
            help_ = ast.unparse(said) if said else ""
            flags = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            name = str(flags[0]) if flags else "an argument"
            if flags and name in SAID_ONCE and (name, file.name) not in SAYS_MORE:
                places[name].append(f"{file.name}:{node.lineno}")
            else:
                places[f"{name}: {help_}"].append(f"{file.name}:{node.lineno}")
    assert {name for name in places if name.startswith("--")} >= SAID_ONCE
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
