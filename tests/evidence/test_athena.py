"""Athena's SQL gives the same table as the plain fold of the same lines."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.athena import models
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.errors import CouldNotRun
from fshield.evidence.stream import EventReader, Record
from fshield.evidence.tables import athena
from fshield.evidence.tables.athena import Source
from fshield.evidence.tables.engine import Table
from fshield.evidence.tables.groups import Fold, Group, Loose
from fshield.evidence.tables.rows import Row, Stamp, folded
from tests.evidence.lines import logs, processes
from tests.evidence.test_insights import followed
from tests.evidence.test_tables import PHASES, written_by_the_engine
from tests.fshield.recorded import NONCE, Log

EXAMPLES = int(os.environ.get("EVIDENCE_CASES", "15"))
ACCOUNT, REGION = "123456789012", "eu-central-1"
WHOLE = Source("logs.lines", "2026/11/01", "2026/11/30", (ACCOUNT,), (REGION,))
#: https://trino.io/docs/current/functions/list.html
TRINO = {
    "cast", "chr", "coalesce", "concat", "count", "length", "max", "min", "nullif",
    "regexp_extract", "regexp_like", "regexp_replace", "starts_with", "strpos", "substr",
    "substring", "sum",
    "try_cast",
}  # fmt: skip
_COUNTED = ("events", "cut", "too_long", "not_ours", "newer", "repeated", "unnumbered", "lost")


class Athena:
    """DuckDB in place of Athena. sqlglot translates each query from Athena's dialect.

    Args:
        lines: the log, one row for each line.
    """

    def __init__(self, lines: list[str]) -> None:
        self._to = duckdb.connect()
        self._to.execute("CREATE SCHEMA logs")
        self._to.execute("CREATE TABLE logs.lines (line TEXT, account TEXT, region TEXT, day TEXT)")
        self.put(lines, "2026/11/24")
        # A day outside the range of the query.
        self.put(lines, "2026/12/01")

    def put(self, lines: list[str], day: str) -> None:
        """Add the lines of one day."""
        for text in lines:
            self._to.execute(
                "INSERT INTO logs.lines VALUES (?, ?, ?, ?)", [text, ACCOUNT, REGION, day]
            )

    def answer(self, query: str) -> list[tuple[object, ...]]:
        """Run a query and return its rows."""
        return self._to.execute(
            sqlglot.transpile(query, read="athena", write="duckdb")[0]
        ).fetchall()

    def table(self) -> tuple[list[Row], dict[str, int]]:
        """The table, and the reader's counts."""
        reader = EventReader(follow=False)
        found = [athena.group_or_line(row) for row in self.answer(athena.grouped(WHOLE))]
        rows = Fold(reader).rows(
            [each for each in found if isinstance(each, Group)],
            [each for each in found if isinstance(each, Loose)],
            lambda asked: map(athena.line, self.answer(athena.lines_of(WHOLE, sorted(asked)))),
        )
        with Table() as table:
            whole = list(table.add(rows).finish())
        return whole, {name: getattr(reader.counts, name) for name in _COUNTED}


def by_fold(lines: list[str]) -> tuple[list[Row], dict[str, int]]:
    """The table by the plain fold. Each process's lines are sorted by sequence number, then by
    text, because objects in S3 have no order."""
    reader = EventReader(follow=False)
    read: list[tuple[tuple[str, int, str], Record]] = []
    for text in lines:
        for record in reader.line(text):
            seq = record.event["seq"] if record.process else 0
            read.append(((record.process, seq, text), record))
    records = followed([record for _, record in sorted(read, key=lambda each: each[0])])
    counts = {name: getattr(reader.counts, name) for name in _COUNTED}
    counts["repeated"] = sum(record.doubt == "repeated" for record in records)
    return folded(records, Stamp(ACCOUNT, REGION)), counts


@settings(
    max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
@given(st.one_of(logs(), processes()))
def test_athenas_sql_counts_the_table_of_the_plain_fold(contents: list[bytes]) -> None:
    texts = (content.decode("utf-8", "replace") for content in contents)
    lines = [line for text in texts for line in text.split("\n")]
    found, wanted = Athena(lines).table(), by_fold(lines)
    differing = [row for row in found[0] if row not in wanted[0]]
    assert (differing, [row for row in wanted[0] if row not in found[0]]) == ([], [])
    assert found == wanted


def test_every_line_of_the_engine_is_counted_there(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    content = written_by_the_engine(tmp_path_factory.mktemp("run")).read_text()
    lines = content.splitlines()
    found = [athena.group_or_line(row) for row in Athena(lines).answer(athena.grouped(WHOLE))]
    assert found and all(isinstance(each, Group) for each in found)
    assert sum(each.events for each in found if isinstance(each, Group)) == len(lines)


def test_the_queries_have_functions_of_trino_only() -> None:
    for query in (athena.grouped(WHOLE), athena.lines_of(WHOLE, ["0" * 16])):
        assert {each.lower() for each in re.findall(r"\b([A-Z_]+)\(", query)} <= TRINO
        assert "\x01" not in query and len(query) < 1 << 18
        # A timestamp as Trino reads it: https://trino.io/docs/current/language/types.html
        assert re.search(r"TRY_CAST\(\s*CONCAT\(", query)


def test_create_table_names_every_partition() -> None:
    ddl = athena.create_table(
        "s3://logs/guard", "logs.lines", "2026/01/01", [ACCOUNT], ["eu-west-1"]
    )
    parsed = sqlglot.parse_one(ddl, read="athena")
    assert parsed.find(sqlglot.exp.Table).sql() == "logs.lines"  # type: ignore[union-attr]
    columns = {each.name for each in parsed.find_all(sqlglot.exp.ColumnDef)}
    assert columns == {"line", "account", "region", "day"}
    assert "'s3://logs/guard/${account}/${region}/${day}/'" in ddl
    for location in ("logs/guard", "s3://logs/it's", "s3://L"):
        with pytest.raises(CouldNotRun):
            athena.create_table(location, "t", "2026/01/01", [ACCOUNT], ["eu-west-1"])
    for table in ("a b", "a;drop", "A"):
        with pytest.raises(CouldNotRun):
            Source(table)
    with pytest.raises(CouldNotRun):
        Source("t", "2026-01-01' OR 1=1")


def test_a_log_of_many_processes_is_few_rows() -> None:
    lines = []
    for process in range(3):
        log = Log()
        for _ in range(20):
            log.host("a.example", nonce=f"{process:016x}")
        lines += [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    assert len(Athena(lines).answer(athena.grouped(WHOLE))) == 3


class Endpoint:
    """moto's Athena, with `Athena` in place of its canned answers."""

    def __init__(self, endpoint: str, here: Athena) -> None:
        self.endpoint, self.here = endpoint, here
        self.asked: list[str] = []

    def evidence(self, *words: str) -> Result:
        """Run `fshield evidence` against this endpoint."""
        where = ("--endpoint-url", self.endpoint, "--region", REGION, "--json")
        return CliRunner().invoke(app, ["evidence", *words, *where])


@pytest.fixture
def endpoint(aws: str, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    found = Endpoint(aws, Athena([]))

    def results(self: Any, exec_id: str) -> Any:
        query = self.executions[exec_id].query
        found.asked.append(query)
        rows = [["names", "of", "columns"], *found.here.answer(query)]
        data = [
            {"Data": [{} if cell is None else {"VarCharValue": str(cell)} for cell in row]}
            for row in rows
        ]
        return models.QueryResults(rows=data, column_info=[])

    monkeypatch.setattr(models.AthenaBackend, "get_query_results", results)
    return found


def test_whole_days_are_asked_for_once(endpoint: Endpoint, tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    # A day is queried when it has been over for an hour.
    today = now - timedelta(hours=1)
    log = Log().host("a.example").host("a.example").host("b.example")
    twice = json.dumps(json.loads(log.lines[0]), separators=(",", ":"))
    for ago, lines in ((0, log.lines), (1, [twice, twice]), (3, log.lines), (30, log.lines)):
        day = (today - timedelta(days=ago)).strftime("%Y/%m/%d")
        endpoint.here.put([line.replace(NONCE, f"{ago:016x}") for line in lines], day)
    out = str(tmp_path / "t.parquet")
    words = ("athena:logs.lines", "-o", out, "--add", "--since", "7d", "--account", ACCOUNT)
    found = endpoint.evidence(*words)
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    # Neither today nor the day that is too old.
    assert answer["events"] == 5 and answer["skipped"]["repeated"] == 1
    # One query a day, and one for the process whose line occurs twice.
    assert answer["queries"] == len(endpoint.asked) == 8 - (now.hour == 0)
    again = json.loads(endpoint.evidence(*words).stdout)
    assert again["events"] == 5 and again["queries"] == 0
    with Table() as table:
        rows = list(table.read([out]).finish())
    assert {row.key[:2] for row in rows} == {(ACCOUNT, REGION)}


def test_create_table_is_printed(endpoint: Endpoint, tmp_path: Path) -> None:
    words = ("create-table", "s3://logs/guard", "--account", ACCOUNT)
    answer = json.loads(endpoint.evidence(*words).stdout)
    assert f"'projection.account.values' = '{ACCOUNT}'" in answer["ddl"]
    assert f"'projection.region.values' = '{REGION}'" in answer["ddl"]
    assert "FROM function_shield" in answer["query"]
    wrong = endpoint.evidence("create-table", "s3://logs/guard")
    assert wrong.exit_code == 2 and "whose" in json.loads(wrong.stdout)["error"]
