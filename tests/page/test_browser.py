"""The report in a browser: what its script does, what axe-core finds, and what a reader sees
without scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fshield.evidence.touched import dependencies
from fshield.report.page import Report, page
from tests.page.browser import CHROMIUM, Browser, browser
from tests.page.logs import fleet, made, read
from tests.support import CACHE

REQUIRED = os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
AXE = CACHE / "page" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.skipif(
    not CHROMIUM and "chromium" not in REQUIRED, reason="there is no chromium here"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pages: of a fleet of fifty functions, and of none."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "fleet.html").write_text(made(fleet()))
    empty = read(fleet(0))
    (folder / "empty.html").write_text(
        page(Report(empty, dependencies(empty), notes=["no event of an act was read"]))
    )
    return folder


@pytest.fixture(scope="module")
def tab(folder: Path) -> Iterator[Browser]:
    """One tab for all tests of this file."""
    with browser(folder) as found:
        yield found


def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        if "page" in REQUIRED:
            pytest.fail("axe-core is not here: tests/page/fetch.sh has not been run")
        pytest.skip("axe-core is not here: run tests/page/fetch.sh")
    return AXE.read_text()


def violations(tab: Browser) -> dict[str, list[str]]:
    """What axe-core finds wrong in the current page, by rule."""
    tab.run(axe())
    found: dict[str, Any] = tab.run(
        "axe.run(document, {resultTypes: ['violations']}).then(r => Object.fromEntries("
        "[...r.violations, ...r.incomplete.filter(v => v.id !== 'color-contrast')]"
        ".map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])))"
    )
    return found


@pytest.mark.parametrize("name", ["fleet", "empty"])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_axe_finds_nothing(tab: Browser, folder: Path, name: str, width: int, dark: bool) -> None:
    tab.screen(width, dark=dark)
    tab.show(folder / f"{name}.html")
    tab.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert violations(tab) == {}
    # Nothing on the page is wider than the screen. Tables scroll by themselves.
    assert tab.run("document.documentElement.scrollWidth") <= width


def test_axe_finds_what_is_wrong(tab: Browser, folder: Path) -> None:
    content = (folder / "fleet.html").read_text()
    broken = (
        content.replace(' lang="en"', "")
        .replace("--soft:#55606e", "--soft:#aab0b8")
        .replace('scope="row" role="rowheader"', 'role="row"')
    )
    (folder / "broken.html").write_text(broken)
    tab.screen()
    tab.show(folder / "broken.html")
    assert {"html-has-lang", "aria-required-parent"} <= set(violations(tab))


def column(tab: Browser, at: int) -> list[str]:
    found: list[str] = tab.run(
        "[...document.querySelectorAll('section.filter')][0].querySelector('table')"
        f".tBodies[0].rows && [...document.querySelector('section.filter table').tBodies[0].rows]"
        f".filter(row => !row.hidden).map(row => row.cells[{at}].textContent)"
    )
    return found


def test_the_script_sorts_and_filters_under_the_page_s_policy(tab: Browser, folder: Path) -> None:
    tab.screen()
    tab.show(folder / "fleet.html")
    assert tab.refused == []
    before = column(tab, 0)
    tab.run("document.querySelector('section.filter th button').click()")
    assert column(tab, 0) == sorted(before) != before
    assert tab.run("document.querySelector('section.filter th').ariaSort") == "ascending"
    tab.run("document.querySelector('section.filter th button').click()")
    assert column(tab, 0) == sorted(before, reverse=True)
    # Numbers are sorted from the largest, and blocked acts come first.
    tab.run("document.querySelectorAll('section.filter th button')[1].click()")
    assert ["blocked" in each for each in column(tab, 1)] == [True] * 3 + [False] * 47
    tab.run(
        "{const field = document.querySelector('section.filter input'); field.value = 'Media';"
        "field.dispatchEvent(new Event('input'));}"
    )
    wanted = sorted(name for name in before if name.startswith("media"))
    assert sorted(column(tab, 0)) == wanted and len(wanted) == 10
    assert tab.run("document.querySelector('[role=status]').textContent") == "10 of 50"
    shown = tab.run(
        "[...document.querySelector('section.filter').querySelectorAll(':scope > details')]"
        ".filter(each => !each.hidden).length"
    )
    assert shown == 10


def test_another_script_does_not_run(tab: Browser, folder: Path) -> None:
    content = (folder / "fleet.html").read_text()
    (folder / "smuggled.html").write_text(
        content.replace("<main>", '<main><script>document.title = "owned"</script>')
    )
    tab.show(folder / "smuggled.html")
    assert tab.run("document.title") != "owned" and any("script" in each for each in tab.refused)


def test_the_keyboard_reaches_what_can_be_done(tab: Browser, folder: Path) -> None:
    tab.screen()
    tab.show(folder / "fleet.html")
    reached = []
    for _ in range(12):
        tab.press("Tab", 9)
        reached.append(
            tab.run(
                "(each => each.tagName + ' ' + (each.getAttribute('aria-label') ||"
                " each.textContent).slice(0, 40))(document.activeElement)"
            )
        )
    assert reached[0] == "A To the table"
    assert "DIV Drawing" in reached and "DIV Timeline" in reached
    assert "BUTTON dependency" in reached
    # A heading sorts its table by keyboard, too.
    tab.run("document.querySelector('section.filter th button').focus()")
    tab.press("Enter", 13, "\r")
    assert tab.run("document.querySelector('section.filter th').ariaSort") == "ascending"


def test_all_is_there_without_the_script(tab: Browser, folder: Path) -> None:
    tab.screen()
    tab.show(folder / "fleet.html")
    text = (
        "[...document.querySelectorAll('main td, main th, main summary')].map(e => e.textContent)"
    )
    with_script = tab.run(text)
    tab("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.show(folder / "fleet.html")
        without = tab.run(text)
        assert tab.run("document.querySelectorAll('button, input').length") == 0
    finally:
        tab("Emulation.setScriptExecutionDisabled", value=False)
    assert without == with_script and len(without) > 500


def test_print_shows_what_is_folded(tab: Browser, folder: Path) -> None:
    tab.show(folder / "fleet.html")
    closed = "document.querySelector('section.filter > details:not([open])')"
    shown = f"{closed}.querySelector('table').checkVisibility()"
    tab.screen()
    assert tab.run(shown) is False
    tab.screen(media="print")
    try:
        assert tab.run(shown) is True
        assert tab.run("getComputedStyle(document.querySelector('.tool')).display") == "none"
    finally:
        tab.screen()


def test_paper_has_tables_in_light_colours(tab: Browser, folder: Path) -> None:
    """Paper is as narrow as a small screen, and white, whatever the reader prefers."""
    tab.show(folder / "fleet.html")
    style = "getComputedStyle(document.querySelector('%s'))"
    display, colour = f"{style % 'tbody td'}.display", f"{style % 'body'}.color"
    badge = f"{style % '.badge'}.printColorAdjust"
    tab.screen(width=700, dark=True)
    dark = tab.run(colour)
    assert (tab.run(display), tab.run(badge)) == ("block", "economy")
    tab.screen(width=700)
    light = tab.run(colour)
    assert light != dark
    tab.screen(width=700, dark=True, media="print")
    try:
        assert (tab.run(display), tab.run(badge)) == ("table-cell", "exact")
        assert tab.run(colour) == light
        assert tab.run(f"{style % 'h2'}.breakAfter") == "avoid"
        # Chromium omits a button where a table's head is repeated on the next page.
        assert tab.run(f"{style % 'th button'}.display") == "contents"
    finally:
        tab.screen()
