"""The report's page: no name in a log can attack its reader."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence.stream import EventReader
from fshield.evidence.touched import Touched, dependencies
from fshield.report.html import tag
from fshield.report.page import Report, page
from fshield.report.script import SCRIPT
from tests.fshield.recorded import Log, stack
from tests.fshield.reports import Page, busy, made

CHROMIUM = shutil.which("chromium")
REQUIRED = "chromium" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
PAGES = re.compile(r"https://(pypi\.org/project|www\.npmjs\.com/package|osv\.dev/list\?q=)")
HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror=alert(1)>"\'&\u202eexe.\x1b[31m'
)


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
    # A table that scrolls can be reached by keyboard, and has a name.
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
    # Random-looking parts of a path are folded. The rest is still plain text.
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
    # Even smuggled-in markup would not run, because the content security policy forbids it.
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
