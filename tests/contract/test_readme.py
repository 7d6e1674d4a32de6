"""What the README names exists: commands with their options, make targets, variables, pages."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import Any

import click
import pytest
import typer

from fshield.cli import app
from tests.support import LAUNCHER, ROOT, run_guarded

README = (ROOT / "README.md").read_text()
CODE = re.findall(r"^```[a-z]*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
SPANS = re.findall(r"`([^`\n]+)`", PROSE)
PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    assert hasattr(group, "commands")
    found: dict[str, click.Command] = group.commands
    return found


def options(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def said(program: str) -> list[str]:
    """Every line of code and every span of code that begins with this program, without the comment behind it."""
    lines = [line.removeprefix("$ ") for block in CODE for line in block.splitlines()] + SPANS
    return [line.split("    #")[0].strip() for line in lines if re.match(rf"(\S*/)?{program}\s", line)]


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    section = PROSE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def test_every_fshield_command_exists() -> None:
    lines = said("fshield")
    assert len(lines) > 5
    for line in lines:
        name = line.split()[1]
        if name.startswith("--"):
            continue
        assert name in commands(), line
        own = re.split(r"\s--\s", line)[0]  # what stands behind -- belongs to another program
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", own):
            assert option in options(commands()[name]), line


def test_the_table_of_commands_has_all_of_them() -> None:
    rows = {row[0].strip("`").split()[0]: row for row in table("fshield")}
    assert set(rows) == set(commands())
    for name, row in rows.items():
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(row)):
            assert option in options(commands()[name]), row


def test_commands_that_answer_in_json() -> None:
    sentence = next(line for line in PROSE.splitlines() if line.endswith("answer in JSON with `--json`."))
    named = set(re.findall(r"`([a-z][a-z-]*)`", sentence))
    assert named == {name for name, command in commands().items() if "--json" in options(command)}


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = said("make")
    assert lines
    for line in lines:
        words = [word for word in shlex.split(line, comments=True)[1:] if "=" not in word]
        assert set(words) <= targets, line


def test_the_variables_are_those_that_the_launcher_reads() -> None:
    rows = [row[0].strip("`") for row in table("Variables")]
    assert rows[0] == "AWS_LAMBDA_EXEC_WRAPPER", "Lambda's own, which names the launcher"
    source = (ROOT / "wrapper" / "launcher.c").read_text()
    assert set(rows[1:]) == set(re.findall(r'getenv\("(FUNCTION_SHIELD_[A-Z_]+)"\)', source))
    said_by_itself = subprocess.run([LAUNCHER, "--help"], capture_output=True, text=True, check=True).stdout
    assert set(rows[1:]) == set(re.findall(r"FUNCTION_SHIELD_[A-Z_]+", said_by_itself))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


def shown_events() -> list[dict[str, Any]]:
    """The violations that README and docs/events.md show whole."""
    pages = README + (ROOT / "docs" / "events.md").read_text("utf-8")
    blocks = re.findall(r"^```json\n(.*?)^```", pages, re.MULTILINE | re.DOTALL)
    whole = [block.replace("\n", "") for block in blocks if '"event":"violation"' in block and " … " not in block]
    return [json.loads(block) for block in whole]


def test_the_events_that_are_shown_have_the_keys_of_one() -> None:
    """In their order, and so has `origin`."""
    done = run_guarded([sys.executable, "-c", "open('/tmp/function-shield-readme', 'w')"], policy="default")
    happened = done.violations[0]
    assert happened["policy"] == "read_write_tmp"
    shown = shown_events()
    assert len(shown) >= 5
    for event in shown:
        assert list(event) == list(happened)
        assert list(event["origin"]) == list(happened["origin"])
        if event["policy"] == happened["policy"]:
            assert set(event["details"]) == set(happened["details"])
