"""A finished table has all its rows in order, whatever it was made of."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import duckdb

from fshield.evidence.tables.engine import Table
from fshield.evidence.tables.rows import Key, Row, in_order


def some_rows() -> list[Row]:
    """Rows of which any two differ in one to three columns, in an order by chance."""
    rows = []
    for number, (function, rule, host, line, doubt) in enumerate(
        itertools.product(
            ("", "b", "a"), ("x", "y"), ("h.example", "", "g.example"), (7, 10), ("", "repeated")
        )
    ):
        stack = (f"/var/task/app.py:{line} handler", "<module>")[: 1 + line % 2]
        key = Key(
            account="2" if line == 7 else "1",
            function=function,
            event="violation",
            rule=rule,
            host=host,
            line=line,
            stack=stack,
            doubt=doubt,
        )
        rows.append(Row(key, 10**15 + number, 10**15 + 9 * number, number, 1, 0, f"r{number}"))
    random.Random(7).shuffle(rows)
    return rows


def test_rows_come_in_order() -> None:
    rows = some_rows()
    with Table() as table:
        assert list(table.add(rows).finish()) == in_order(rows)


def test_a_finished_table_takes_more_rows() -> None:
    rows = some_rows()
    with Table() as table:
        assert table.add(rows[:40]).finish().rows == 40
        assert list(table.add(rows[40:]).finish()) == in_order(rows)
        assert (table.rows, table.events) == (len(rows), len(rows))
        for row in table.add(rows).finish():
            assert row.events == 2


def test_a_table_with_nulls_loses_no_row(tmp_path: Path) -> None:
    rows, plain, nulls = some_rows(), tmp_path / "plain.parquet", tmp_path / "nulls.parquet"
    with Table() as table:
        table.add(rows).finish().write(plain)
    duckdb.execute(
        f"COPY (SELECT * REPLACE (NULL::VARCHAR AS only_for, nullif(rule, 'x') AS rule,"
        f" nullif(host, '') AS host) FROM '{plain}') TO '{nulls}' (FORMAT parquet)"
    )
    with Table() as table:
        table.read([str(nulls)]).finish()
        assert (table.rows, table.events) == (len(rows), len(rows))
        assert sum(row.times for row in table) == sum(row.times for row in rows)
