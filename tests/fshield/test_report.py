"""The report: what each dependency touched, on one page that no name in a log can turn against its
reader."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence import touched
from fshield.evidence.stream import EventReader
from fshield.evidence.touched import Touched, dependencies
from fshield.report.html import tag
from fshield.report.page import Report, page
from fshield.report.script import SCRIPT
from tests.fshield.recorded import Log, stack

CHROMIUM = shutil.which("chromium")
REQUIRED = "chromium" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
PAGES = re.compile(r"https://(pypi\.org/project|www\.npmjs\.com/package|osv\.dev/list\?q=)")
HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror=alert(1)>"\'&\u202eexe.\x1b[31m'
)
POLICY = """version: 1
policy:
  outbound_connectivity:
    allow:
      - host: feed.weather.example
      - {host: old.partner.example, reason: the old partner, expires: 2026-01-31}
      - host: api.rates.example
  read_write_tmp: {mode: block, allow: ["/tmp/cache/**"]}
events: {allowed: first}
"""


def busy() -> Log:
    log = Log().host("api.rates.example", *stack("requests"), count=40)
    log.host("collector.evil.example", *stack("tintkit"), mode="block", count=12)
    log.add(
        "read_write_tmp", *stack("tintkit"), path="/tmp/.stash", operation="create", mode="block"
    )
    log.add("create_child_process", *stack("tintkit"), path="/usr/bin/curl", operation="execute")
    log.host(
        "feed.weather.example",
        event="allowed",
        mode="allow",
        rule="p.yaml:5",
        policy_name="p",
        reason="rule",
    )
    return log


def read(log: Log) -> Touched:
    reader = EventReader()
    evidence = Touched()
    evidence.read(record for line in log.lines for record in reader.line(line))
    return evidence


def report(tmp_path: Path, log: Log, *arguments: str | Path) -> dict[str, Any]:
    events = log.write(tmp_path / "events.log")
    done = CliRunner().invoke(app, ["report", str(events), "--json", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_functions_region_and_variables(tmp_path: Path) -> None:
    """As `replay` has them: options, and the region that events name."""
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy: {outbound_connectivity: {mode: block, allow: [{host: '${env:API}'},"
        " {aws: [sqs]}]}}\n"
    )
    log = Log().host("api.rates.example").host("sqs.eu-central-1.amazonaws.com")

    def blocked(log: Log, *options: str) -> list[str]:
        found = report(tmp_path, log, "--against", policy, *options)
        return sorted(outcome["target"].partition(".")[0] for outcome in found["against"])

    variable = ("--env", "API=api.rates.example")
    assert blocked(log) == ["api", "sqs"]
    assert blocked(log, *variable) == ["sqs"]
    assert blocked(log, "--region", "eu-central-1") == ["api"]
    assert blocked(log, *variable, "--region", "eu-central-1") == []
    done = CliRunner().invoke(
        app, ["report", "--json", "--region", "eu-centrl-1", str(tmp_path / "events.log")]
    )
    assert done.exit_code == 2 and "did you mean eu-central-1" in done.output
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    log = Log().host("sqs.eu-central-1.amazonaws.com", function_arn=arn)
    assert blocked(log) == []


class Page(HTMLParser):
    """Tags with their attributes, the text outside of scripts, and the scripts."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts.append(data)
        else:
            self.text += data


def made(log: Log) -> str:
    evidence = read(log)
    return page(Report(evidence, dependencies(evidence)))


# ---- who touched what ----


def test_a_request_belongs_to_the_dependency_that_the_function_called(tmp_path: Path) -> None:
    found = {each["name"]: each for each in report(tmp_path, busy())["dependencies"]}
    assert list(found) == ["tintkit", "requests", "app"]  # what was blocked comes first
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


# ---- policies ----


def test_what_the_policy_allows_and_nobody_used(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    found = report(tmp_path, busy(), "--policy", policy)
    assert [(use["rule"], use["count"] > 0) for use in found["entries"]] == [
        ("p.yaml:5", True),
        ("p.yaml:6", False),
        ("p.yaml:7", True),
        ("p.yaml:8", False),
    ]
    out = tmp_path / "r.html"
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "-o", str(out), "--policy", str(policy)]
    )
    assert done.exit_code == 0, done.output
    text = Page(out.read_text()).text
    assert (
        "2 of 4 allow entries" in text
        and "old.partner.example" in text
        and "expired 2026-01-31 the old partner" in text
    )


def test_of_entries_on_one_line_each_is_counted_for_itself(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  read_write_tmp: {mode: block, allow: [/tmp/a.db, /tmp/b.db]}\n"
    )
    log = Log().add(
        "read_write_tmp",
        path="/tmp/a.db",
        event="allowed",
        mode="allow",
        rule="p.yaml:3",
        policy_name="p",
    )
    found = report(tmp_path, log, "--policy", policy)
    assert [(use["entry"], use["count"]) for use in found["entries"]] == [
        ("/tmp/a.db", 1),
        ("/tmp/b.db", 0),
    ]


def test_without_events_of_what_was_allowed_the_page_says_so(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    events = Log().host("elsewhere.example", mode="block").write(tmp_path / "events.log")
    done = CliRunner().invoke(app, ["report", str(events), "--policy", str(policy)])
    assert "run with events: {allowed: first} in the policy before you take one out" in done.stdout


def test_without_events_of_what_was_allowed_no_entry_counts_as_unused(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    log = Log().host("elsewhere.example", mode="block")
    assert report(tmp_path, log, "--policy", policy)["uses_known"] is False
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "--policy", str(policy)]
    )
    text = Page(done.stdout).text
    assert "whether it is used is not known" in text
    assert "used by nobody" not in text
    # What a policy of another name allowed says nothing of this one.
    log.host("feed.weather.example", event="allowed", mode="allow", rule="q.yaml:5")
    assert report(tmp_path, log, "--policy", policy)["uses_known"] is False


def test_an_entry_that_expired_and_is_in_use_is_named(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    log = busy().host(
        "old.partner.example", event="allowed", mode="allow", rule="p.yaml:6", policy_name="p"
    )
    done = CliRunner().invoke(
        app,
        ["report", str(log.write(tmp_path / "events.log")), "--policy", str(policy)],
    )
    assert "1 that expired, and are in use" in Page(done.stdout).text


FOR_SOME = """version: 1
policy:
  outbound_connectivity:
    allow:
      - {host: api.stripe.com, only_for: [stripe]}
      - {host: cache.example, ports: [6379], only_for: [redis, unknown]}
"""


def for_some() -> Log:
    log = Log().host("api.stripe.com", "/var/task/stripe/api.py:3 charge", *stack(""), count=5)
    for _ in range(2):
        log.host(
            "api.stripe.com",
            *stack("tintkit"),
            mode="block",
            reason="only_for",
            asker="tintkit",
            entry_source="p.yaml:5",
            only_for="stripe",
            policy_name="p",
        )
    # asyncio looks names up in threads: the stack of the connection says who asked.
    return log.host("api.stripe.com", origin=None, ring="interpreter")


def test_entries_for_some_packages_say_which_and_who_else_asked(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(FOR_SOME)
    found = report(tmp_path, for_some(), "--policy", policy, "--against", policy)
    assert [(use["only_for"], use["count"], use["others"]) for use in found["entries"]] == [
        (["stripe"], 5, {"tintkit": 2}),
        (["redis", "unknown"], 0, {}),
    ]
    said = "allowed for stripe; asked by tintkit"
    by = {
        touch["by"]: touch["for_others"]
        for dependency in found["dependencies"]
        for touch in dependency["touched"]
    }
    assert by["tintkit"] == said and set(by.values()) == {said, None}
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "--policy", str(policy)]
    )
    text = Page(done.stdout).text
    assert "Entries for some packages" in text and "2 entries with only_for" in text
    assert f"{said} (×2)" in text and text.count(said) == 2
    assert "only_for: [stripe]" not in text.partition("The policy: p.yaml")[0]


def test_without_entries_for_some_packages_the_page_has_no_table_of_them(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    events = busy().write(tmp_path / "events.log")
    done = CliRunner().invoke(app, ["report", str(events), "--policy", str(policy)])
    assert "Entries for some packages" not in Page(done.stdout).text


def test_what_another_policy_blocks_for_one_caller_is_said_with_the_caller(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(FOR_SOME)
    log = Log().host("api.stripe.com", *stack("requests"))
    (found,) = report(tmp_path, log, "--against", policy)["against"]
    assert (found["allowed_for"], found["asker"]) == (["stripe"], "requests")
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "--against", str(policy)]
    )
    assert "p.yaml:5: allowed for stripe; asked by requests" in Page(done.stdout).text


# ---- the first screen ----


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


def test_what_another_policy_would_block(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    found = report(tmp_path, busy(), "--against", policy)
    # What was blocked already is not a news; what the policy allows is none either.
    assert [each["what"] for each in found["against"]] == ["start /usr/bin/curl"]


# ---- the page ----


def test_nothing_of_the_page_leaves_it_or_runs() -> None:
    content = made(busy())
    parsed = Page(content)
    assert parsed.scripts == [SCRIPT] and [tag for tag, _ in parsed.tags].count("script") == 1
    assert not {tag for tag, _ in parsed.tags} & {
        "img",
        "link",
        "iframe",
        "object",
        "form",
        "image",
        "use",
        "foreignObject",
        "animate",
        "set",
        "base",
    }
    for _, attributes in parsed.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style")
        ]
        href = attributes.get("href") or "#"
        assert href.startswith("#") or PAGES.match(href), href
    (policy,) = [
        each["content"]
        for _, each in parsed.tags
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    style = re.search(r"<style>(.*)</style>", content, re.DOTALL)
    assert style and policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ") and f"style-src 'sha256-{digest}'" in policy
    digest = base64.b64encode(hashlib.sha256(parsed.scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy and "unsafe" not in policy
    assert "url(" not in content and "@import" not in content


def test_tables_have_captions_heads_and_scopes() -> None:
    parsed = Page(made(busy()))
    names = [tag for tag, _ in parsed.tags]
    assert names.count("table") == names.count("caption") == 4
    assert all(
        attributes.get("scope") in ("row", "col") for tag, attributes in parsed.tags if tag == "th"
    )
    assert names.count("h1") == 1 and dict(parsed.tags)["html"]["lang"] == "en"
    # A table that scrolls is reached by the keyboard, and has a name.
    wide = [attributes for _, attributes in parsed.tags if attributes.get("class") == "wide"]
    assert wide and all(each["tabindex"] == "0" and each["aria-label"] for each in wide)
    ids = {attributes["id"] for _, attributes in parsed.tags if "id" in attributes}
    assert {(each["href"] or "")[1:] for tag, each in parsed.tags if tag == "a"} <= ids


@pytest.mark.parametrize(
    "rule", ["outbound_connectivity", "read_write_tmp", "create_child_process", "native_code"]
)
def test_hostile_names_are_text(rule: str) -> None:
    details = (
        {"host": HOSTILE, "port": 443}
        if rule == "outbound_connectivity"
        else {"path": f"/tmp/{HOSTILE}"}
    )
    log = Log().add(
        rule, f"/var/task/{HOSTILE}/x.py:1 f", policy_name=HOSTILE, function=HOSTILE, **details
    )
    parsed = Page(made(log))
    assert "img" not in {tag for tag, _ in parsed.tags} and parsed.scripts == [SCRIPT]
    assert "\u202e" not in parsed.text and "\x1b" not in parsed.text
    # Shapes of paths fold what looks made up; what is left is text all the same.
    assert "<script>" in parsed.text and "\\u202e" in parsed.text


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_stays_one_text(text: str) -> None:
    parsed = Page(tag("td", text, aria_label=text))
    assert [name for name, _ in parsed.tags] == ["td"]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("script", {}),
        ("p", {"onclick": "x"}),
        ("a", {"href": "javascript:x"}),
        ("a", {"href": "//x"}),
        ("p", {"style": "x"}),
    ],
)
def test_what_could_run_or_fetch_is_not_made(name: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not made here"):
        tag(name, "x", **attributes)


def test_a_log_without_events_makes_a_page_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("START\nEND\n")
    done = CliRunner().invoke(app, ["report", str(tmp_path / "empty.log")])
    assert done.exit_code == 0 and "no event of an act was read" in done.stdout


def test_what_cannot_be_read_ends_with_2_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    done = CliRunner().invoke(app, ["report", str(tmp_path / "none.log"), "-o", str(out)])
    assert done.exit_code == 2 and not out.exists()


# ---- in a browser ----


def chromium(content: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM
    (folder / "report.html").write_text(content)
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--proxy-server=127.0.0.1:9",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            *options,
            (folder / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.mark.skipif(not CHROMIUM and not REQUIRED, reason="there is no chromium here")
def test_the_browser_obeys_the_page_s_policy_and_applies_its_style(tmp_path: Path) -> None:
    log = busy().host(HOSTILE, *stack("tintkit"))
    done = chromium(made(log), tmp_path, "--dump-dom")
    assert "Refused to" not in done.stderr and "Content Security Policy" not in done.stderr
    assert "<title>What each dependency touched</title>" in done.stdout
    assert Page(done.stdout).scripts == [SCRIPT]
    # What got in all the same would not run: the policy holds for markup that was smuggled in.
    smuggled = made(log).replace(
        "<main>", '<main><script>document.title="owned"</script><p style="color:red">'
    )
    done = chromium(smuggled, tmp_path, "--dump-dom")
    assert "<title>owned</title>" not in done.stdout
    assert "Content Security Policy" in done.stderr


@pytest.mark.skipif(not CHROMIUM and not REQUIRED, reason="there is no chromium here")
@pytest.mark.parametrize("width", [1280, 390])
def test_light_and_dark_are_drawn(tmp_path: Path, width: int) -> None:
    drawn = {}
    for scheme in ("light", "dark"):
        image = tmp_path / f"{scheme}.png"
        chromium(
            made(busy()),
            tmp_path,
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}",
            f"--window-size={width},1400",
            f"--screenshot={image}",
        )
        drawn[scheme] = image.read_bytes()
    assert drawn["light"] != drawn["dark"] and min(map(len, drawn.values())) > 20_000


# ---- bad input ----

EVENT = json.loads(busy().lines[1])


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.dictionaries(
                st.sampled_from([*EVENT, "function_shield"]),
                st.one_of(
                    st.none(),
                    st.booleans(),
                    st.integers(),
                    st.text(max_size=20),
                    st.lists(st.text(max_size=9)),
                ),
                max_size=6,
            ).map(
                lambda changed: json.dumps({**EVENT, **changed, "function_shield": True}).encode()
            ),
            st.integers(0, 400).map(lambda cut: busy().lines[1].encode()[:cut]),
        ),
        max_size=12,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_log_ends_in_a_traceback(lines: list[bytes]) -> None:
    reader = EventReader()
    evidence = Touched()
    evidence.read(record for line in lines for record in reader.line(line))
    content = page(Report(evidence, dependencies(evidence), notes=reader.counts.sentences()))
    content.encode()
    parsed = Page(content)
    assert "img" not in {tag for tag, _ in parsed.tags} and parsed.scripts == [SCRIPT]


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
