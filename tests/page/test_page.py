"""The report's fleet, timeline, news, links and files, read from the page's tree."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence import touched
from fshield.evidence.tables import engine, rows
from fshield.evidence.touched import Place, dependencies
from fshield.report.html import tag
from fshield.report.links import is_link, query, releases
from fshield.report.news import news
from fshield.report.summary import edges
from tests.evidence import insights
from tests.fshield.recorded import Log, stack
from tests.page.logs import Fleet, arn, at, fleet, installed, made, read
from tests.page.parsed import Element, parsed

POLICY = """version: 1
policy:
  outbound_connectivity:
    mode: alert
    allow:
      - {host: old.partner.example, reason: the old partner, expires: 2026-01-31}
      - host: never.asked.example
events: {allowed: first}
"""


def section(page: Element, head: str) -> Element:
    """The section below a heading."""
    (found,) = [each for each in page.all("section") if each.all("h2") and head == heads(each)]
    return found


def heads(element: Element) -> str:
    return element.all("h2")[0].text


def two() -> Log:
    log = Fleet()
    log.host("a.example", *stack("requests"), function="one", count=3)
    log.host("b.example", *stack("tintkit"), function="two", mode="block", count=2)
    log.add("create_child_process", path="/bin/date", operation="execute", function="two")
    return log


# ---- the fleet ----


def test_functions_by_rows_and_rules_by_columns() -> None:
    found = section(parsed(made(two())), "The fleet").all("table")[0].rows()
    assert found == [
        {
            "function": "two",
            "connections": "connections: 2 blocked",
            "programs": "programs: 1 reported",
        },
        {"function": "one", "connections": "connections: 3 reported", "programs": "none"},
    ]


def test_a_function_s_row_leads_to_what_it_did_and_to_nothing_else() -> None:
    page = parsed(made(two()))
    links = {each.text: each.attributes["href"] for each in page.all("a")}
    inside = {name: page.one("details", id=links[name][1:]) for name in ("one", "two")}
    did = {
        name: [row["to what"] for row in each.one("table").rows()] for name, each in inside.items()
    }
    assert did == {"one": ["a.example:443"], "two": ["b.example:443", "/bin/date"]}


def test_of_one_function_there_is_no_fleet() -> None:
    page = parsed(made(Log().host("a.example", function="one").host("b.example", function="one")))
    assert "The fleet" not in [each.text for each in page.all("h2")]


def test_a_name_in_two_regions_is_two_functions() -> None:
    log = Fleet()
    for region in ("eu-west-1", "us-east-1"):
        log.host(f"{region}.example", function="one", function_arn=arn("one", region))
    page = parsed(made(log.host("a.example", function="one")))
    # The third event names no region, so it may belong to either.
    assert {row["function"] for row in section(page, "The fleet").all("table")[0].rows()} == {
        "one",
        "one (123456789012 eu-west-1)",
        "one (123456789012 us-east-1)",
    }


def test_what_names_no_region_counts_for_the_one_function_of_that_name() -> None:
    log = Fleet().host("a.example", function="one", function_arn=arn("one"))
    log.host("b.example", function="one").host("c.example", function="two")
    places = read(log).places()
    assert set(places) == {Place("one", "123456789012", "eu-west-1"), Place("two")}
    done = places[Place("one", "123456789012", "eu-west-1")].rules["outbound_connectivity"]
    assert done == {"alert": 2}


def test_an_arn_of_another_function_places_nothing() -> None:
    evidence = read(Log().host("a.example", function="one", function_arn=arn("two")))
    assert list(evidence.places()) == [Place("one")]


def test_all_of_fifty_functions_are_counted() -> None:
    page = parsed(made(fleet()))
    table = section(page, "The fleet").all("table")[0]
    assert table.one("caption").text.startswith("50 functions")
    found = table.rows()
    assert len(found) == 50
    assert ["blocked" in row["connections"] for row in found] == [True] * 3 + [False] * 47
    header = page.one("header").text
    assert "and 46 more" in header and "functions 50" in header
    # The act was blocked in three of them.
    assert "In billing-20, media-37, orders-03, of 50 functions; 2026-11-04" in header


def test_what_there_is_no_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touched, "MAX_FUNCTIONS", 2)
    monkeypatch.setattr(touched, "MAX_ACTS", 3)
    log = Fleet()
    for function in ("a", "b", "c"):
        for host in ("x.example", f"{function}.example"):
            log.host(host, function=function, count=5)
    evidence = read(log)
    assert [each.rules["outbound_connectivity"]["alert"] for each in evidence.fleet.values()] == [
        10,
        10,
    ]
    assert sum(each.left_out for each in evidence.fleet.values()) == 5
    assert evidence.elsewhere == 10
    shown = section(parsed(made(log)), "The fleet").text
    assert "10 acts were in functions beyond these" in shown
    assert "and 5 acts of kinds beyond what is kept" in shown


def test_the_table_of_evidence_gives_the_same_fleet() -> None:
    log = fleet(12)
    with engine.Table() as table:
        from fshield.evidence.stream import EventReader  # noqa: PLC0415

        reader = EventReader()
        found = (record for line in log.lines for record in reader.line(line))
        table.add(rows.folded(found)).finish()
        evidence = touched.Touched()
        evidence.read(rows.records(table))
    assert evidence.places() == read(log).places()


def test_the_drawing_joins_no_function_with_another_s_dependency() -> None:
    log = Fleet()
    log.host("shared.example", *stack("requests"), function="one")
    log.host("shared.example", *stack("tintkit"), function="two", mode="block")
    evidence = read(log)
    assert {edge[:3] for edge in edges(evidence, dependencies(evidence))} == {
        ("two", "tintkit", "shared.example:443"),
        ("one", "requests", "shared.example:443"),
    }


# ---- time ----


def test_what_is_new_since_last_week() -> None:
    log = Log()
    log.host("old.example", timestamp=at(20))
    log.add("read_write_tmp", path="/tmp/part-ax.png", operation="create", timestamp=at(19))
    log.add("read_write_tmp", path="/tmp/part-bx.png", operation="create", timestamp=at(18))
    log.host("old.example", timestamp=at(1))
    # A name that matches an earlier pattern is not new.
    log.add("read_write_tmp", path="/tmp/part-cx.png", operation="create", timestamp=at(2))
    log.host("new.example", timestamp=at(3))
    log.host("bad.example", *stack("tintkit"), mode="block", timestamp=at(0))
    found = section(parsed(made(log)), "New since last week").one("table").rows()
    assert [(row["dependency"], row["to what"], row["became"]) for row in found] == [
        ("tintkit", "bad.example:443", "1 blocked"),
        ("app", "new.example:443", "1 reported"),
    ]


def test_of_less_than_a_week_nothing_is_said_to_be_new() -> None:
    log = Log().host("a.example", timestamp=at(6)).host("b.example", timestamp=at(0))
    found = section(parsed(made(log)), "New since last week")
    assert found.text.endswith("merge tables with fshield evidence.") and not found.all("table")
    evidence = read(log)
    assert news(dependencies(evidence), evidence.first, evidence.last).since == 0


def test_where_nothing_is_new_the_page_says_so() -> None:
    log = Log().host("a.example", timestamp=at(20)).host("a.example", timestamp=at(0))
    assert "Nothing was done first after" in section(parsed(made(log)), "New since last week").text


def test_the_time_line() -> None:
    log = Log()
    log.host("a.example", *stack("requests"), timestamp=at(20))
    log.host("a.example", *stack("requests"), timestamp=at(0))
    log.host("b.example", *stack("tintkit"), mode="block", timestamp=at(5))
    picture = section(parsed(made(log)), "Timeline").one("svg")
    lives = [
        (int(each.attributes["x"]), int(each.attributes["width"]))
        for each in picture.all("rect", class_="life")
    ]
    (bad, short), (good, long) = lives  # blocked acts come first
    assert long == 730 and good == 270 and short == 2
    assert bad == round(270 + 730 * 15 / 20)
    (mark,) = picture.all("rect", class_="first block")
    assert mark.one("title").text == "2026-11-19 12:00: reach b.example:443"
    (week,) = picture.all("rect", class_="week")
    assert int(week.attributes["x"]) == round(270 + 730 * 13 / 20)
    ticks = [each.text for each in picture.all("text", class_="head")]
    assert (ticks[0], ticks[-1], len(ticks)) == ("2026-11-04", "2026-11-24", 5)


@pytest.mark.parametrize(("days", "shaded"), [(20, True), (2, False)])
def test_what_is_said_to_be_shaded_is(days: float, shaded: bool) -> None:
    log = Log().host("a.example", timestamp=at(days)).host("a.example", timestamp=at(0))
    found = section(parsed(made(log)), "Timeline")
    assert bool(found.all("rect", class_="week")) is shaded
    assert ("seven days are shaded" in found.text) is shaded


def test_of_one_moment_there_is_no_time_line() -> None:
    page = parsed(made(Log().host("a.example", timestamp=at(0))))
    assert "Timeline" not in [each.text for each in page.all("h2")]


# ---- links ----


def test_a_release_is_linked_with_its_index_and_its_advisories() -> None:
    page = parsed(made(fleet()))
    assert [each.attributes["href"] for each in page.all("a", rel="noreferrer")] == [
        "https://pypi.org/project/inkstamp/2.3.1/",
        "https://osv.dev/list?q=inkstamp&ecosystem=PyPI",
    ]


def test_a_release_of_node_is_linked_with_npm() -> None:
    origin = {
        "distribution": "@ink/stamp",
        "version": "2.3.1",
        "file": "/var/task/node_modules/@ink/stamp/index.js",
        "line": 8,
        "function": "f",
        "stack": ["/var/task/node_modules/@ink/stamp/index.js:8 f", "/var/task/app.js:2 handler"],
    }
    page = parsed(made(Log().host("a.example", origin=origin)))
    assert [each.attributes["href"] for each in page.all("a", rel="noreferrer")] == [
        "https://www.npmjs.com/package/@ink/stamp/v/2.3.1",
        "https://osv.dev/list?q=@ink/stamp&ecosystem=npm",
    ]


@pytest.mark.parametrize(
    "label",
    [
        "inkstamp",  # a name without a version may be a module's, and of another distribution
        "../evil 1.0",
        "a/b 1.0",
        "a?b 1.0",
        "a#b 1.0",
        "a b 1.0",
        'a"b 1.0',
        "a\n 1.0",
        "inkstamp 1.0/../../x",
        "inkstamp 1.0?x",
        "inkstamp 1.0\n",
        "inkstamp %2e",
        "@x/y 1.0",
    ],
)
def test_what_is_no_release_is_not_linked(label: str) -> None:
    assert releases(label) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://pypi.org/project/x/1.0/../../..",
        "https://pypi.org/",
        "https://pypi.org.evil.example/project/x/",
        "https://evil.example/https://pypi.org/project/x/",
        "http://pypi.org/project/x/",
        "https://osv.dev/list?q=x&ecosystem=PyPI&y=1",
        "https://pypi.org/project/x/\n",
        "javascript:alert(1)",
    ],
)
def test_the_page_links_nowhere_else(address: str) -> None:
    assert not is_link(address)
    with pytest.raises(ValueError, match="not made here"):
        tag("a", "x", href=address)


def test_a_query_finds_the_act_s_lines_and_no_others() -> None:
    log = fleet(12)
    lines = [insights.Line("orders", number, text) for number, text in enumerate(log.lines)]
    found = insights.answer(query("outbound_connectivity", "collector.evil.example"), lines)
    wanted = [line for line in log.lines if "collector.evil.example" in line]
    assert sorted(row["@message"] for row in found) == sorted(wanted) and wanted


@pytest.mark.parametrize("target", ['a" or 1=1 | x "', "a\\", "/tmp/a'b/long-enough-*.png", ""])
def test_a_query_says_what_it_was_given_and_nothing_else(target: str) -> None:
    found = query("read_write_tmp", target)
    terms = re.findall(r'@message like "([^"]*)"', found)
    plain = re.sub(r'@message like "[A-Za-z0-9._:/@+-]*"', "T", found)
    assert plain in (
        "fields @timestamp, @logStream, @message | filter T and T | sort @timestamp asc",
        "fields @timestamp, @logStream, @message | filter T and T and T | sort @timestamp asc",
    )
    assert all(term in ("function_shield", "read_write_tmp") or term in target for term in terms)


def test_the_page_has_the_query_of_what_was_blocked() -> None:
    page = parsed(made(fleet()))
    queries = [each.one("code").text for each in page.all("details", class_="lines")]
    assert query("outbound_connectivity", "collector.evil.example") in queries


def test_an_entry_leads_to_its_line_of_the_policy(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    log = two().host(
        "old.partner.example", event="allowed", mode="allow", rule="p.yaml:6", policy_name="p"
    )
    done = CliRunner().invoke(
        app, ["report", str(log.write(tmp_path / "events.log")), "--policy", str(policy)]
    )
    page = parsed(done.stdout)
    links = {each.text: each.attributes["href"] for each in page.all("a", href="") if each}
    lines = {name: page.one("div", id=links[name][1:]).text for name in ("p.yaml:6", "p.yaml:7")}
    assert lines["p.yaml:6"].startswith("6 - {host: old.partner.example")
    assert lines["p.yaml:7"] == "7 - host: never.asked.example"
    # An expired entry that is in use is marked as such.
    (row,) = [
        row
        for table in page.all("table")
        if "that expired, and are in use" in table.one("caption").text
        for row in table.rows()
    ]
    assert row["line"] == "p.yaml:6" and row["times"].startswith("1 ")
    assert "expired 2026-01-31" in row["why it is there"]
    assert [each.text for each in page.all("span", class_="badge gone")] == ["expired 2026-01-31"]


# ---- other files ----


def test_csv_and_json_beside_the_page(tmp_path: Path) -> None:
    log = two().host("=cmd()|'x'!A0", "/var/task/=x.py:1 f", function="@one")
    out = tmp_path / "r.html"
    words = ["report", str(log.write(tmp_path / "events.log")), "-o", str(out)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert not (tmp_path / "r.csv").exists()
    done = CliRunner().invoke(app, [*words, "--data", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "r.json").read_text()) == json.loads(done.stdout)
    with (tmp_path / "r.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert {(row["function"], row["what"], row["blocked"], row["reported"]) for row in found} == {
        ("'@one", "'=cmd()|'x'!A0:443", "0", "1"),
        ("one", "a.example:443", "0", "3"),
        ("two", "b.example:443", "2", "0"),
        ("two", "/bin/date", "0", "1"),
    }
    assert not [
        value for row in found for value in row.values() if value.startswith(("=", "+", "-", "@"))
    ]


@pytest.mark.parametrize("out", [[], ["-o", "x.csv"], ["-o", "x.json"]])
def test_data_needs_a_page_to_be_beside(out: list[str], tmp_path: Path) -> None:
    os.chdir(tmp_path)
    log = two().write(tmp_path / "events.log")
    done = CliRunner().invoke(app, ["report", str(log), "--data", *out])
    assert done.exit_code == 2 and "--data writes beside the page" in done.output
    assert [each.name for each in tmp_path.iterdir()] == ["events.log"]


def test_rows_without_a_function_are_in_the_csv(tmp_path: Path) -> None:
    log = Log().host("a.example").host("b.example", *stack("tintkit"), origin=None)
    out = tmp_path / "r.html"
    words = ["report", str(log.write(tmp_path / "events.log")), "-o", str(out), "--data"]
    assert CliRunner().invoke(app, words).exit_code == 0
    with (tmp_path / "r.csv").open(newline="") as stream:
        assert [row["what"] for row in csv.DictReader(stream)] == ["a.example:443", "b.example:443"]


def test_installed_releases_are_what_the_log_says() -> None:
    """The tests above rely on these releases."""
    evidence = read(Log().host("a.example", origin=installed("inkstamp", "2.3.1")))
    assert [each.label for each in dependencies(evidence)] == ["inkstamp 2.3.1"]
