"""``--help`` fits a terminal, and describes an option that several commands take in the same
words."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import defaultdict
from typing import Any

import pytest
import typer

from fshield.cli.app import app
from fshield.cli.commands import COMMANDS, GROUPS
from tests import forked
from tests.support import ROOT

#: Options that mean the same everywhere, and then the exceptions, where the help must say more.
SAID_ONCE = {
    "--json",
    "--profile",
    "--endpoint-url",
    "--own",
    "--layer",
    "--tag",
    "--concurrency",
    "--timeout",
}
SAYS_MORE = {("--json", "tail.py"), ("--layer", "verify.py"), ("--timeout", "local.py")}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(command: str) -> None:
    """In a separate process, because click takes the width from the terminal."""
    words = [*filter(None, [command]), "--help"]
    done = forked.fshield(*words, env={**os.environ, "COLUMNS": "80", "TERM": "dumb"}, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert f"fshield {command}".strip() in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_shared_options_are_said_once() -> None:
    places = defaultdict(list)
    for file in sorted((ROOT / "fshield").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in (
                "typer.Option",
                "typer.Argument",
            ):
                continue
            text = next((word.value for word in node.keywords if word.arg == "help"), None)
            if isinstance(text, ast.Name):
                continue  # a shared constant for options of different types
            help_ = ast.unparse(text) if text else ""
            flags = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            name = str(flags[0]) if flags else "an argument"
            if flags and name in SAID_ONCE and (name, file.name) not in SAYS_MORE:
                places[name].append(f"{file.name}:{node.lineno}")
            else:
                places[f"{name}: {help_}"].append(f"{file.name}:{node.lineno}")
    assert {name for name in places if name.startswith("--")} >= SAID_ONCE
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_command_is_one_unbroken_line() -> None:
    """In a table of 80 columns: no line is cut or wrapped, and every group has one."""
    width = max(map(len, COMMANDS))
    for command in COMMANDS.values():
        assert 2 + width + 2 + len(command.help) <= 80, command.name
    assert {command.group for command in COMMANDS.values()} == set(GROUPS)


def test_help_imports_none_of_the_commands() -> None:
    """--help costs what typer costs: no boto3, no pydantic, no structlog."""
    code = (
        "import sys; from fshield.cli.app import main; sys.argv = ['fshield', '--help']\ntry:"
        " main()\nexcept SystemExit: pass\nprint(sorted({name.split('.')[0] for name in"
        " sys.modules} & set(sys.argv[2:])), file=sys.stderr)"
    )
    code = code.replace(
        "sys.argv[2:]", "['boto3', 'botocore', 'pydantic', 'structlog', 'yaml', 'docker']"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr == "[]\n"


def test_a_short_form_means_the_same_option_in_every_command() -> None:
    group: Any = typer.main.get_command(app)
    long_of: dict[str, set[str]] = defaultdict(set)
    for name in COMMANDS:
        for parameter in group.get_command(None, name).params:
            for short in (
                flag
                for flag in parameter.opts
                if not flag.startswith("--") and flag.startswith("-")
            ):
                long_of[short] |= {flag for flag in parameter.opts if flag.startswith("--")} or {
                    short
                }
    assert {short: names for short, names in long_of.items() if len(names) > 1} == {}


RUNS_A_COMMAND = """
import gc, os, sys
before = dict(os.environ)
from fshield.cli import app, policies

def check():
    print(before == dict(os.environ), gc.isenabled())

policies.check = check
for words in (["check"], ["--version"]):
    sys.argv = ["fshield", *words]
    try:
        app.main()
    except SystemExit:
        print(before == dict(os.environ), gc.isenabled())
"""


def test_a_command_runs_with_the_environment_and_the_collector_as_they_were() -> None:
    """What a command starts, such as a function, gets the user's own environment."""
    done = subprocess.run(
        [sys.executable, "-c", RUNS_A_COMMAND], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("fshield ")]
    assert lines == ["True True"] * 3
