"""The docs site: every page of docs/ can be reached, and what the recipes show is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fshield.engine.policy_tests import refuse_failures
from fshield.language.loader import load
from tests.support import ROOT

sys.path.insert(0, str(ROOT / "release"))

import docs_site

RECIPES = re.findall(
    r"^## (.+?)\n(?:(?!^## ).)*?^```yaml\n(.*?)^```",
    (ROOT / "docs" / "recipes.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize(("name", "text"), RECIPES, ids=[name for name, _ in RECIPES])
def test_a_recipe_passes_its_own_tests(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    policy = load(path)
    refuse_failures(policy)


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 7


def test_the_site_has_every_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    named = set(re.findall(r": (\S+\.md)$", text, re.MULTILINE))
    pages = {docs_site.RENAMED.get(path.name, path.name) for path in (ROOT / "docs").glob("*.md")}
    # Pages for people who change the core, linked from other pages.
    assert pages - named == {"adding-a-door.md", "connection-life.md"}
    assert named - pages == {"SECURITY.md", "CHANGELOG.md"}
    assert yaml.safe_load(text)["strict"] is True


def test_links_that_leave_the_site_become_words(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[a](events.md#reason) [b](../examples/ci) [c](../SECURITY.md) [d](start.md) [e](x.md)\n"
    monkeypatch.setattr(docs_site, "PROJECT_URL", "")
    assert docs_site.page(text, "docs") == (
        "[a](events.md#reason) b [c](SECURITY.md) [d](index.md) [e](x.md)\n"
    )
    monkeypatch.setattr(docs_site, "PROJECT_URL", "https://git.example.org/f")
    assert "[b](https://git.example.org/f/blob/main/examples/ci)" in docs_site.page(text, "docs")
    deeper = docs_site.page("[a](../events.md)", "docs/decisions")
    assert deeper == "[a](../events.md)"
    fenced = "```\n[b](../examples/ci)\n```\n"
    assert docs_site.page(fenced, "docs") == fenced


@pytest.mark.skipif(os.environ.get("RELEASE_CHECK") != "1", reason="fetches MkDocs: make site")
def test_it_is_built_strict() -> None:
    subprocess.run(["make", "site"], cwd=ROOT, check=True)
