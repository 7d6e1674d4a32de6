"""Everything that README and its pages on commands name exists: commands, options, make targets,
variables, pages."""

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

from fshield.cli.app import app
from tests.support import LAUNCHER, ROOT, run_guarded

README = (ROOT / "README.md").read_text()
READ = "\n".join(
    [README, *((ROOT / "docs" / f"{page}.md").read_text() for page in ("commands", "attaching"))]
)
CODE = re.findall(r"^```[a-z]*\n(.*?)^```", READ, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```", "", READ, flags=re.MULTILINE | re.DOTALL)
SPANS = re.findall(r"`([^`\n]+)`", PROSE)
PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return {name: group.get_command(None, name) for name in group.list_commands(None)}


def options(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def lines_of_code(program: str) -> list[str]:
    """Every line of code and every code span that begins with this program, without its comment."""
    lines = [line.removeprefix("$ ") for block in CODE for line in block.splitlines()] + SPANS
    return [
        line.split("    #")[0].strip() for line in lines if re.match(rf"(\S*/)?{program}\s", line)
    ]


def listed(heading: str) -> dict[str, str]:
    """The items of the list below a heading: each item's first word, and its text."""
    section = PROSE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    items = re.findall(r"^- (.*(?:\n  .*)*)", section, re.MULTILINE)
    return {re.split(r"[\s`]", item.lstrip("`"))[0]: item for item in items}


def test_every_fshield_command_exists() -> None:
    lines = lines_of_code("fshield")
    assert len(lines) > 5
    for line in lines:
        name = line.split()[1]
        if name.startswith("--"):
            continue
        assert name in commands(), line
        own = re.split(r"\s--\s", line)[0]  # what follows -- belongs to another program
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", own):
            assert option in options(commands()[name]), line


def test_the_list_of_commands_has_all_of_them() -> None:
    items = listed("Commands")
    assert set(items) == set(commands())
    for name, item in items.items():
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", item):
            assert option in options(commands()[name]), item


def test_commands_that_answer_in_json() -> None:
    paragraphs = (" ".join(text.split()) for text in PROSE.split("\n\n"))
    sentence = next(text for text in paragraphs if text.endswith("answer in JSON with `--json`."))
    named = set(re.findall(r"`([a-z][a-z-]*)`", sentence))
    assert named == {name for name, command in commands().items() if "--json" in options(command)}


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = lines_of_code("make")
    assert lines
    for line in lines:
        words = [word for word in shlex.split(line, comments=True)[1:] if "=" not in word]
        assert set(words) <= targets, line


def test_the_variables_are_those_that_the_launcher_reads() -> None:
    names = list(listed("Variables"))
    assert names[0] == "AWS_LAMBDA_EXEC_WRAPPER", "Lambda's own, which names the launcher"
    source = "".join(path.read_text() for path in (ROOT / "wrapper").glob("*.c"))
    assert set(names[1:]) == set(re.findall(r'getenv\("(FUNCTION_SHIELD_[A-Z_]+)"\)', source))
    said_by_itself = subprocess.run(
        [LAUNCHER, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert set(names[1:]) == set(re.findall(r"FUNCTION_SHIELD_[A-Z_]+", said_by_itself))


def without_code(page: str) -> str:
    return re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", without_code(page))


def paths(page: str) -> list[str]:
    """Paths from the root, in code spans."""
    return re.findall(r"`((?:bench|fshield|layer|tests|wrapper)/[\w/.-]+)`", without_code(page))


def test_the_pages_have_links_and_paths() -> None:
    assert sum(len(links(page)) for page in PAGES) > 20
    assert any(paths(page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            slugs = {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
            }
            assert anchor in slugs, target


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_a_source_exists(page: str) -> None:
    """CLASS, NAME and the like stand for part of a path."""
    for span in paths(page):
        if not re.search(r"/[A-Z]+(/|$)", span):
            assert (ROOT / span).exists(), span


def test_the_example_of_a_door_is_one_that_there_is() -> None:
    page = (ROOT / "docs" / "adding-a-door.md").read_text()
    head, *rows = re.findall(r"^```\n(symbol .*?)^```", page, re.MULTILINE | re.DOTALL)[
        0
    ].splitlines()
    table = (ROOT / "layer" / "core" / "interpose" / "doors.table").read_text().splitlines()
    assert head.split(" | ")[0] == "symbol"
    assert rows and set(rows) <= set(table)
    code = re.findall(r"^```c\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
    sources = (path.read_text() for path in (ROOT / "layer" / "core").rglob("*.c"))
    assert any(code in source for source in sources)


def shown_events() -> list[dict[str, Any]]:
    """The violations that README and docs/events.md show in full."""
    pages = README + (ROOT / "docs" / "events.md").read_text("utf-8")
    blocks = re.findall(r"^```json\n(.*?)^```", pages, re.MULTILINE | re.DOTALL)
    whole = [
        block.replace("\n", "")
        for block in blocks
        if '"event":"violation"' in block and " … " not in block
    ]
    return [json.loads(block) for block in whole]


def test_the_events_that_are_shown_have_the_keys_of_one() -> None:
    """In the engine's order, and `origin` has its keys too."""
    done = run_guarded(
        [sys.executable, "-c", "open('/tmp/function-shield-readme', 'w')"], policy="default"
    )
    happened = done.violations[0]
    assert happened["policy"] == "read_write_tmp"
    shown = shown_events()
    assert len(shown) >= 5
    for event in shown:
        # No entry can allow what the guard refuses to protect itself.
        has_entry = event["policy"] != "guard_integrity"
        assert list(event) == [key for key in happened if key != "entry" or has_entry]
        assert list(event["origin"]) == list(happened["origin"])
        if event["policy"] == happened["policy"]:
            assert set(event["details"]) == set(happened["details"])


def test_the_readme_is_one_that_people_finish() -> None:
    lines = README.splitlines()
    assert len(lines) <= 200
    assert "make demo" in "\n".join(lines[:12])
    assert "make test" in "\n".join(lines[:12])
