"""docs/runtimes.md matches the last run of every runtime in the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from fshield.runtimes import Runtime, runtimes
from tests.runtimes.table import PAGE, README, RULES, cells_of, once, summary, with_summary
from tests.runtimes.tried import others, start_of, version_of
from tests.support import interpreters, nodes

LINES = cells_of(PAGE.read_text())


def test_the_page_has_every_runtime_that_can_be_guarded() -> None:
    shown = {row.identifier for row in runtimes().values() if row.wrapper and row.tried}
    assert shown <= LINES.keys()
    for name, cells in LINES.items():
        row = runtimes()[name]
        assert cells[1:3] == [row.system, row.client], name
        assert ("not tried" in cells) == (row.tried is None), name
        assert "**no**" not in cells, name


def test_the_readme_says_what_the_page_says() -> None:
    readme, page = README.read_text(), PAGE.read_text()
    assert with_summary(readme, page) == readme
    worse = page.replace("| yes | yes | yes | 4/4 |", "| yes | **no** | yes | 3/4 |", 1)
    assert with_summary(readme, worse) != readme
    assert "| library |" in summary(worse).splitlines()[2]


@pytest.mark.parametrize("path", [*interpreters(), *nodes()], ids=lambda path: str(path)[-40:])
def test_it_starts_here(path: Path) -> None:
    """Under ``strict``, with the client that the table names: one answer, and four acts refused."""
    (row,) = (row for row in runtimes().values() if row.tried == version_of(path))
    starts(row, path)


@pytest.mark.parametrize("name", others())
def test_the_other_runtimes_start_here(name: str) -> None:
    starts(next(row for row in runtimes().values() if row.tried == name), others()[name])


def starts(row: Runtime, path: Path) -> None:
    start = start_of(row, path)
    if row.language == "Node.js" and not Path(start.words[1]).exists():
        pytest.skip("run tests/runtimes/fetch.sh")
    done = once(start, "strict")
    assert [body[:4] for body in done.bodies] == [["EACCES"] * 4], done.output
    assert {event["policy"] for event in done.violations} == set(RULES)
