"""The report: what each dependency touched, and the contents of its first screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fshield.evidence import touched
from tests.fshield.recorded import Log, stack
from tests.fshield.reports import Page, busy, made, report


def test_a_request_belongs_to_the_dependency_that_the_function_called(tmp_path: Path) -> None:
    found = {each["name"]: each for each in report(tmp_path, busy())["dependencies"]}
    assert list(found) == ["tintkit", "requests", "app"]  # blocked acts come first
    assert found["requests"]["done"] == {"alert": 40}
    (touch,) = found["requests"]["touched"]
    assert (
        touch["what"] == "reach api.rates.example:443"
        and touch["by"] == "app through requests, urllib3"
    )
    assert found["app"]["own"] and found["app"]["done"] == {"allow": 1}


def test_what_was_blocked_is_told_from_what_was_reported(tmp_path: Path) -> None:
    (tintkit,) = [
        each for each in report(tmp_path, busy())["dependencies"] if each["name"] == "tintkit"
    ]
    assert tintkit["done"] == {"block": 13, "alert": 1}
    done = {touch["what"]: touch["done"] for touch in tintkit["touched"]}
    assert done["reach collector.evil.example:443"] == {"block": 12}
    assert done["start /usr/bin/curl"] == {"alert": 1}


def test_an_act_of_two_dependencies_is_counted_for_each(tmp_path: Path) -> None:
    log = (
        Log()
        .host("x.example", *stack("tintkit"), mode="block")
        .host("x.example", *stack("requests"), count=3)
    )
    done = {each["name"]: each["done"] for each in report(tmp_path, log)["dependencies"]}
    assert done == {"tintkit": {"block": 1}, "requests": {"alert": 3}}


def test_more_kinds_of_acts_than_are_kept_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "MAX_ACTS", 2)
    log = Log()
    for number in range(5):
        log.host(f"h{number}.example", count=10)
    found = report(tmp_path, log)
    assert sum(len(each["touched"]) for each in found["dependencies"]) == 2
    assert "30 acts were of kinds beyond what is kept" in found["notes"]


def test_the_page_begins_with_what_was_blocked_and_by_whom(tmp_path: Path) -> None:
    log = Log().host("api.example", *stack("requests"))
    evil = stack("tintkit")
    log.host("collector.evil.example", *evil, mode="block", count=2, function="orders")
    log.add("create_child_process", *evil, path="/bin/sh", operation="execute", mode="block")
    log.add("read_handler", *evil, path="/var/task/app.py", operation="open", mode="block")
    found = report(tmp_path, log)["summary"]
    assert found["happened"] == (
        "4 attempts blocked, all by tintkit, which is not your code: it tried to reach"
        " collector.evil.example:443, start a shell and read the handler's source."
    )
    assert found["where"].startswith("In orders; 2026-11-24")
    assert found["advice"][0].startswith("Find out whether tintkit is meant to do this.")


@pytest.mark.parametrize(
    ("log", "begins"),
    [
        (Log(), "No act was recorded. That is not the same as none"),
        (Log().host("a.example"), "Nothing was blocked. 1 act reported, by app, the function's"),
        (
            Log()
            .host("a.example", mode="block")
            .host("b.example", *stack("tintkit"), mode="block"),
            "2 attempts blocked, 1 of them by",
        ),
        (
            Log().host("a.example", event="allowed", mode="allow"),
            "Nothing was blocked or reported",
        ),
    ],
    ids=["nothing", "reported", "two", "allowed"],
)
def test_the_first_sentence(log: Log, begins: str, tmp_path: Path) -> None:
    assert report(tmp_path, log)["summary"]["happened"].startswith(begins)


def test_siblings_under_tmp_are_one_row(tmp_path: Path) -> None:
    log = Log()
    for name in ("a", "b", "c"):
        log.add("read_write_tmp", path=f"/tmp/thumb-{name}x.png", operation="create")
    text = Page(made(log)).text
    assert "/tmp/thumb-*.png" in text and "thumb-ax" not in text


def test_the_drawing_shows_the_connections(tmp_path: Path) -> None:
    content = made(busy())
    parsed = Page(content)
    kinds = [dict(each).get("class") for tag, each in parsed.tags if tag == "path"]
    assert "edge block" in kinds
    assert all("collector.evil.example:443" in text for text in (content, parsed.text))
    many = Log()
    for number in range(40):
        many.host(f"h{number}.a{number}.example")
    assert "more, in the tables" in Page(made(many)).text


def test_who_is_not_known_stands_last_and_the_page_says_why(tmp_path: Path) -> None:
    log = Log().host("x.example", *stack("tintkit"))
    log.lines.append(
        json.dumps(
            {
                **json.loads(log.lines[0]),
                "event": "allowed",
                "mode": "allow",
                "ring": "libc",
                "seq": 1,
                "count": 9,
                "origin": {
                    "distribution": None,
                    "file": "/lib/libc.so.6",
                    "line": None,
                    "function": None,
                    "stack": [],
                },
            }
        )
    )
    found = report(tmp_path, log)
    assert [each["name"] for each in found["dependencies"]] == ["tintkit", None]
    assert any("the libc ring saw what was allowed" in note for note in found["notes"])
