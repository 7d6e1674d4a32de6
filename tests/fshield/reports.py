"""Recorded logs and the reports made of them, for the tests of `fshield report`."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence.stream import EventReader
from fshield.evidence.touched import Touched, dependencies
from fshield.report.page import Report, page
from tests.fshield.recorded import Log, stack


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


class Page(HTMLParser):
    """A page's tags with their attributes, its text outside scripts, and its scripts."""

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
