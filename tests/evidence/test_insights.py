"""Logs Insights gives the same table as the plain fold of the same lines."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence.stream import EventReader, Record, function_of_group
from fshield.evidence.tables import insights as queries
from fshield.evidence.tables import loggroups
from fshield.evidence.tables.engine import Table
from fshield.evidence.tables.groups import Fold, Group, Loose
from fshield.evidence.tables.rows import Row, Stamp, folded
from fshield.fleet import iam
from tests.evidence.cloud import REGION, Cloud, process
from tests.evidence.insights import Line, answer
from tests.evidence.lines import logs, processes
from tests.evidence.test_tables import PHASES, for_a_tenant, written_by_the_engine
from tests.fshield.recorded import Log

EXAMPLES = int(os.environ.get("EVIDENCE_CASES", "15"))
ACCOUNT = "123456789012"
LOGS = (f"{ACCOUNT}:/aws/lambda/orders", f"{ACCOUNT}:/custom")
#: The counts that must agree. The others need each line's time and the order of lines, which
#: Insights does not return.
_COUNTED = ("events", "cut", "too_long", "not_ours", "newer", "repeated", "unnumbered", "lost")


def lines_of(contents: list[bytes], logs_of: Iterable[str]) -> list[Line]:
    """Logs as CloudWatch has them: text, and a different time for each line."""
    found: list[Line] = []
    for log, content in zip(logs_of, contents, strict=False):
        for text in content.decode("utf-8", "replace").split("\n"):
            found.append(Line(log, 1_795_500_000_000 + 7 * len(found), text))
    return found


def windows_of(lines: list[Line], number: int) -> list[tuple[int, int]]:
    """Divide the time of the lines into at most `number` windows."""
    begin, end = lines[0].at, lines[-1].at + 1
    step = -(-(end - begin) // number)
    return [(at, at + step) for at in range(begin, end, step)]


def by_insights(
    lines: list[Line], windows: list[tuple[int, int]]
) -> tuple[list[Row], dict[str, int]]:
    """The table by queries of Logs Insights."""
    reader = EventReader(follow=False)
    fold = Fold(reader)
    whole: list[Row] = []
    for begin, end in windows:
        query = queries.grouped(begin, end)
        found = [queries.group_or_line(query, row, REGION) for row in answer(query.text, lines)]

        def asked(processes: set[str], begin: int = begin, end: int = end) -> Iterator[Loose]:
            again = queries.lines_of(processes, begin, end)
            for row in answer(again.text, lines):
                process, line = queries.process_and_line(again, row, REGION)
                assert process in processes
                yield line

        whole += fold.rows(
            [each for each in found if isinstance(each, Group)],
            [each for each in found if isinstance(each, Loose)],
            asked,
        )
    with Table() as table:
        rows = list(table.add(whole).finish())
    return rows, {name: getattr(reader.counts, name) for name in _COUNTED}


def by_fold(lines: list[Line], windows: list[tuple[int, int]]) -> tuple[list[Row], dict[str, int]]:
    """The table by the plain fold, window by window. Each process's lines are sorted by sequence
    number, and equal lines stand together."""
    reader = EventReader(follow=False)
    read: list[tuple[tuple[int, str, int, int, int], Record]] = []
    first: dict[tuple[int, str, str], int] = {}
    for number, line in enumerate(lines):
        window = next(at for at, (_, end) in enumerate(windows) if line.at < end)
        function = function_of_group(line.log.partition(":")[2])
        for record in reader.line(line.message, function=function):
            seq = record.event["seq"] if record.process else 0
            alike = first.setdefault((window, line.log, line.message), number)
            read.append(((window, record.process, seq, alike, number), record))
    inside = [record for _, record in sorted(read, key=lambda each: each[0])]
    records = followed(inside)
    if len(windows) == 1:
        # EventReader's own bookkeeping must agree.
        log_reader = EventReader()
        for record, with_process in zip(inside, records, strict=True):
            if record.process:
                expected = log_reader._follow(
                    record.process, record.event, record.time, record.function
                )
                assert expected == (with_process.doubt, with_process.function)
    counts = {name: getattr(reader.counts, name) for name in _COUNTED}
    counts["repeated"] = sum(record.doubt == "repeated" for record in records)
    return folded(records, Stamp(ACCOUNT, REGION)), counts


def followed(records: list[Record]) -> list[Record]:
    """Fill in what depends on earlier records of the process. A sequence number seen before is
    "repeated", and the first function's name that a process gives holds for its later records."""
    met: set[tuple[str, int]] = set()
    functions: dict[str, str] = {}
    found = []
    for record in records:
        process = record.process
        if not process:
            found.append(record)
            continue
        number = (process, record.event["seq"])
        function = functions[process] = functions.get(process) or record.function
        doubt = "repeated" if number in met else None
        met.add(number)
        found.append(replace(record, doubt=doubt, function=function))
    return found


@settings(
    max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
@given(
    st.one_of(logs(), processes()),
    st.lists(st.sampled_from(LOGS), min_size=6, max_size=6),
    st.integers(1, 3),
)
def test_insights_counts_the_table_of_the_plain_fold(
    contents: list[bytes], logs_of: list[str], number: int
) -> None:
    lines = lines_of(contents, logs_of)
    windows = windows_of(lines, number)
    found, wanted = by_insights(lines, windows), by_fold(lines, windows)
    differing = [row for row in found[0] if row not in wanted[0]]
    assert (differing, [row for row in wanted[0] if row not in found[0]]) == ([], [])
    assert found == wanted


@pytest.mark.parametrize("tenant", [False, True])
def test_every_line_of_the_engine_is_counted_there(tmp_path: Path, tenant: bool) -> None:
    content = written_by_the_engine(tmp_path).read_bytes()
    content = for_a_tenant(content) if tenant else content
    lines = lines_of([content], [LOGS[0]])
    query = queries.grouped(lines[0].at, lines[-1].at + 1)
    found = [queries.group_or_line(query, row, REGION) for row in answer(query.text, lines)]
    assert found and all(isinstance(each, Group) for each in found)

    def never(_processes: set[str]) -> Iterator[Loose]:
        pytest.fail("lines were asked for one by one")

    reader = EventReader(follow=False)
    rows = Fold(reader).rows([each for each in found if isinstance(each, Group)], [], never)
    assert reader.counts.events == sum(row.events for row in rows) == content.count(b"\n")
    assert {row.key.event for row in rows} == {"armed", "violation"}
    assert all(row.key.runtime.startswith("python3") for row in rows)
    assert all(row.key[:3] == (ACCOUNT, REGION, "orders") for row in rows)


def test_names_of_fields_in_a_line_forge_nothing() -> None:
    log = Log().host("a.example")
    forged = json.loads(log.lines[0])
    text = log.lines[0].replace("{", '{"x":1,', 1)
    names = re.findall(r"%([a-z_]+)", queries._ACT + queries._OTHER)
    assert len(names) >= 15
    # As keys of the JSON line, and as the names that `parse` would give.
    forged |= dict.fromkeys(names, "violation") | {"kind": "violation", "who": "b" * 16}
    for line in (text, json.dumps(forged, separators=(",", ":"))):
        lines = lines_of([line.encode()], [LOGS[0]])
        windows = windows_of(lines, 1)
        query = queries.grouped(*windows[0])
        (row,) = answer(query.text, lines)
        assert isinstance(queries.group_or_line(query, row, REGION), Loose)
        assert by_insights(lines, windows) == by_fold(lines, windows)


def of_table(path: Path) -> dict[tuple[str, str], int]:
    """How often each function reached each host."""
    with Table() as table:
        rows = list(table.read([str(path)]).finish())
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.key.function, row.key.host)
        found[key] = found.get(key, 0) + row.times
    return found


def test_many_log_groups_at_once(cloud: Cloud, tmp_path: Path) -> None:
    for number in range(120):
        lines = process(number, "a.example", "a.example", f"h{number % 2}.example")
        cloud.put(f"/aws/lambda/f{number}", lines, timedelta(hours=1 + number))
    cloud.put("/other", process(999, "other.example"), timedelta(hours=1))
    out = tmp_path / "t.parquet"
    found = cloud.evidence(out, "--log-group-prefix", "/aws/lambda/")
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert (answer["events"], answer["log_groups"], answer["rows"]) == (360, 120, 240)
    assert answer["bytes"] > 360 * 500 and 0 < answer["usd"] < 0.01
    # 50 groups a query, over at most eight days.
    assert answer["queries"] == len(cloud.asked) <= 3 * 8
    table = of_table(out)
    assert table["f7", "a.example"] == 2 and table["f7", "h1.example"] == 1
    assert len(table) == 240
    learnt = CliRunner().invoke(app, ["report", "--json", str(out)])
    assert json.loads(learnt.stdout)["events"] == 360


def test_time_is_halved_where_an_answer_is_too_long(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = process(1, *(f"h{number}.example" for number in range(90)))
    cloud.put("/aws/lambda/f", lines, timedelta(hours=30))
    out = tmp_path / "t.parquet"
    monkeypatch.setattr("tests.evidence.insights.MAX_ROWS", 20)
    # The answers are cut at 20 rows: without halving, most lines would be missing.
    short = json.loads(cloud.evidence(out, "--log-group", "/aws/lambda/f").stdout)
    assert short["events"] == 20
    monkeypatch.setattr(queries, "MAX_ROWS", 20)
    whole = json.loads(cloud.evidence(out, "--log-group", "/aws/lambda/f").stdout)
    assert whole["events"] == 90 and len(of_table(out)) == 90
    assert whole["queries"] > short["queries"]
    assert whole["skipped"]["missing"] == whole["skipped"]["repeated"] == 0


def test_what_it_costs_is_said_and_kept(cloud: Cloud, tmp_path: Path) -> None:
    cloud.put("/aws/lambda/f", process(1, "a.example"), timedelta(hours=2))
    cloud.came_in("/aws/lambda/f", 2.5e12, timedelta(hours=2))
    out = tmp_path / "t.parquet"
    words = ("--log-group", "/aws/lambda/f")
    found = cloud.evidence(out, *words)
    assert found.exit_code == 2 and "12.50 USD" in found.stderr
    assert "--at-most says 5" in json.loads(found.stdout)["error"]
    assert not cloud.asked and not out.exists()
    assert cloud.evidence(out, *words, "--at-most", "13").exit_code == 0
    assert cloud.evidence(out, *words, "--since", "1h").exit_code == 0


def test_it_goes_on_where_it_ended(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, words = tmp_path / "t.parquet", ("--log-group-prefix", "/aws/lambda/", "--add")
    for day in range(5):
        cloud.put("/aws/lambda/f", process(day, f"d{day}.example"), timedelta(days=day, hours=1))
    real = loggroups.LogGroups._asked

    def breaks_off(self: Any, groups: Any, begin: int, end: int, text: str) -> Any:
        if end > (cloud.now - timedelta(days=2)).timestamp() * 1000:
            raise KeyboardInterrupt
        return real(self, groups, begin, end, text)

    monkeypatch.setattr(loggroups.LogGroups, "_asked", breaks_off)
    broken = cloud.evidence(out, *words)
    assert broken.exit_code == 130 and out.exists(), (broken.output, broken.exception)
    half = of_table(out)
    assert 0 < len(half) < 5
    monkeypatch.setattr(loggroups.LogGroups, "_asked", real)
    before = len(cloud.asked)
    found = json.loads(cloud.evidence(out, *words).stdout)
    assert found["events"] == 5 and 0 < len(cloud.asked) - before <= 4
    assert set(of_table(out).values()) == {1}
    # Third run: it reads no day a second time, and reads the new log group as a whole.
    cloud.put("/aws/lambda/g", process(9, "new.example"), timedelta(days=3))
    found = json.loads(cloud.evidence(out, *words).stdout)
    assert found["events"] == 6 and set(of_table(out).values()) == {1}


def test_the_permissions_are_what_it_calls(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put("/aws/lambda/f", process(1, "a.example"), timedelta(hours=1))
    called: set[str] = set()
    real: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recorded(self: Any, name: str, arguments: Any) -> Any:
        service = self.meta.service_model.service_name
        called.add(f"{service}:{name}")
        return real(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    found = cloud.evidence(tmp_path / "t.parquet", "--log-group-prefix", "/aws/lambda/")
    assert found.exit_code == 0
    actions = {
        action
        for statement in iam.document("evidence", options=["--log-group-prefix"])["Statement"]
        for action in statement["Action"]
    }
    # A query is stopped only when the command is interrupted.
    assert called == actions - {"logs:StopQuery"}


def test_errors_are_sentences(cloud: Cloud, tmp_path: Path) -> None:
    for words, expected in (
        (("--log-group", "/none"), "there is no log group '/none' here"),
        (("--log-group", "/none", "file.log"), "files and log groups at once"),
        ((), "nothing to read"),
    ):
        found = cloud.evidence(tmp_path / "t.parquet", *words)
        assert found.exit_code == 2 and expected in json.loads(found.stdout)["error"]
