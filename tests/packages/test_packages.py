"""The rows of packages.yaml and docs/packages.md agree, and the check finds a run that differs from
its row. `make packages` runs the packages themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests import support
from tests.packages.page import PAGE, document, versions
from tests.packages.rows import Done, Expected, Row, problems, rows

ROW = Row("tool", "", "", (Expected("read_write_tmp", "/tmp/a.*", "use", "reported", "why"),))


def event(path: str, mode: str = "alert", request: str | None = "1") -> support.Event:
    return {
        "policy": "read_write_tmp",
        "mode": mode,
        "requestId": request,
        "details": {"path": path},
        "message": f"tool tried to open {path}",
    }


def done(*events: support.Event, answers: Any = (4, 4), left: tuple[str, ...] = ()) -> Done:
    return Done(list(answers), list(events), "", list(left))


def runs(**other: Done) -> dict[str, Done]:
    usual = {"bare": done(), "monitor": done(event("/tmp/a")), "default": done(event("/tmp/a"))}
    return usual | other


def test_the_page_is_what_the_rows_say() -> None:
    assert PAGE.read_text() == document(rows())


def test_every_package_of_a_row_is_locked() -> None:
    locked = versions()
    assert len(locked) > 100
    wanted = (support.ROOT / "tests" / "packages" / "packages.in").read_text().split()
    named = {name.lower() for row in rows() for name in row.package.split(", ")}
    for requirement in wanted:
        name = requirement.partition("[")[0].lower()
        assert name.replace("_", "-") in locked
        # Dependencies of another package have no rows of their own.
        assert name in named or name == "python-multipart", name


def test_default_names_what_the_rows_say_that_it_allows() -> None:
    document = yaml.safe_load((support.ROOT / "policies" / "default.yaml").read_text())
    named = document["policy"]["native_code"]["allow"]
    reasons = [
        one.why
        for row in rows()
        for one in row.events
        if (one.rule, one.default) == ("native_code", "allowed")
    ]
    # Rows need botocore, which requires dateutil 2. tests/others/test_dateutil.py tests dateutil 4.
    for name in set(named) - {"dateutil"}:
        assert any(name in why.lower() for why in reasons), (
            f"no row shows that {name} belongs there"
        )


def test_a_run_as_the_row_says_is_right() -> None:
    assert problems(ROW, runs()) == []


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"default": done(event("/tmp/a"), answers=(5, 4))}, "default: [5, 4]"),
        ({"monitor": done(event("/tmp/a"), answers=(5, 4))}, "monitor: [5, 4]"),
        ({"default": done()}, "default: did not happen"),
        ({"default": done(event("/tmp/a", "block"))}, "default: block, not alert"),
        ({"monitor": done(event("/tmp/a"), event("/tmp/b"))}, "monitor: not said"),
        ({"monitor": done(event("/tmp/a"), event("/tmp/a", request=None))}, "monitor: not said"),
        ({"bare": done(answers=({"errorType": "KeyError"}, 4))}, "without the guard"),
    ],
)
def test_a_run_that_differs_is_found(other: dict[str, Done], found: str) -> None:
    assert any(text.startswith(found) for text in problems(ROW, runs(**other)))


def test_what_is_blocked_needs_an_entry_that_cures_it() -> None:
    row = replace(ROW, events=(replace(ROW.events[0], default="blocked"),))
    blocked = runs(default=done(event("/tmp/a", "block")))
    assert problems(row, blocked) == ["default blocks it, and nothing is said that it needs"]
    cured = blocked | {"needs": done(event("/tmp/a", "block"))}
    assert [text[:5] for text in problems(row, cured)] == ["needs"]
    assert problems(row, blocked | {"needs": done()}) == []
