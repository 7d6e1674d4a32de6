"""Runs the queries of `fshield.evidence.tables.athena` in a workgroup, a day at a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from fshield import aws_library
from fshield.errors import CouldNotRun
from fshield.evidence.cloudwatch import Connection, said_by
from fshield.evidence.stream import EventReader
from fshield.evidence.tables import athena
from fshield.evidence.tables.athena import Source
from fshield.evidence.tables.groups import Fold, Group, Loose
from fshield.evidence.tables.rows import Row
from fshield.language.aws import region_asked

#: What a terabyte costs in us-east-1, in bytes as they lie in S3.
USD_A_TB = 5.0
PRICES = "https://aws.amazon.com/athena/pricing/"
#: Firehose may still write the day that has just ended.
SETTLED = timedelta(hours=1)
#: Processes that a query of lines names; a query has 256 KB at most.
_PROCESSES = 5000
_LONGEST_S = 3700
_FIRST_WAIT_S, _LAST_WAIT_S = 0.1, 2.0
_FIX = "allow athena:StartQueryExecution, GetQueryExecution and GetQueryResults, and what it reads"


class Workgroup:
    """A workgroup, which says where answers go.

    Raises:
        CouldNotRun: AWS says no; from every method.
    """

    def __init__(self, name: str, connection: Connection, at_most: float) -> None:
        aws_library.require("asking Athena")
        import boto3  # noqa: PLC0415 - half a second that commands without Athena do without

        with said_by("Athena", _FIX):
            session = boto3.Session(
                profile_name=connection.profile, region_name=region_asked(connection.region)
            )
            self._client: Any = session.client("athena", endpoint_url=connection.endpoint_url)
        self.region = str(self._client.meta.region_name)
        self._name = name
        self._at_most = at_most
        #: Bytes that queries read so far.
        self.scanned = 0
        self.queries = 0

    @property
    def usd(self) -> float:
        """What was spent so far."""
        return self.scanned / 1e12 * USD_A_TB

    def days(
        self, source: Source, since: date, until: date, reader: EventReader
    ) -> Iterator[tuple[date, list[Row]]]:
        """The rows of each day in turn, the last one included.

        Args:
            source: the table. Its days are those that are asked for.
            since, until: the first and the last day.
            reader: counts what is met.
        """
        fold = Fold(reader)
        day = since
        while day <= until:
            text = day.strftime("%Y/%m/%d")
            yield day, self._rows(fold, replace(source, since=text, until=text))
            day += timedelta(days=1)

    def _rows(self, fold: Fold, source: Source) -> list[Row]:
        found = [athena.group_or_line(row) for row in self._asked(athena.grouped(source))]
        return fold.rows(
            (each for each in found if isinstance(each, Group)),
            (each for each in found if isinstance(each, Loose)),
            lambda processes: self._lines(source, sorted(processes)),
        )

    def _lines(self, source: Source, processes: list[str]) -> Iterator[Loose]:
        for at in range(0, len(processes), _PROCESSES):
            query = athena.lines_of(source, processes[at : at + _PROCESSES])
            yield from map(athena.line, self._asked(query))

    def _asked(self, query: str) -> Iterator[list[str]]:
        """The rows that Athena answers."""
        if self.usd > self._at_most:
            raise CouldNotRun(
                f"this cost {self.usd:.2f} USD, and --at-most says {self._at_most:g}",
                "--at-most more, or --add to go on with the next day",
            )
        with said_by("Athena", _FIX):
            started = self._client.start_query_execution(QueryString=query, WorkGroup=self._name)
            self.queries += 1
            number = started["QueryExecutionId"]
            try:
                self._await(number)
            except BaseException:
                with contextlib.suppress(Exception):
                    self._client.stop_query_execution(QueryExecutionId=number)
                raise
            pages = self._client.get_paginator("get_query_results")
            head = True
            for page in pages.paginate(QueryExecutionId=number):
                rows = page["ResultSet"]["Rows"]
                # The first row of the first page has the columns' names.
                yield from map(_texts, rows[1:] if head else rows)
                head = False

    def _await(self, number: str) -> None:
        wait, deadline = _FIRST_WAIT_S, time.monotonic() + _LONGEST_S
        while True:
            answer = self._client.get_query_execution(QueryExecutionId=number)["QueryExecution"]
            status = answer["Status"]
            if status["State"] == "SUCCEEDED":
                self.scanned += int(answer.get("Statistics", {}).get("DataScannedInBytes", 0))
                return
            if status["State"] in ("FAILED", "CANCELLED") or time.monotonic() > deadline:
                why = status.get("StateChangeReason", "no reason is given")
                raise CouldNotRun(
                    f"a query of Athena ended as {status['State']}: {why}",
                    "fshield evidence create-table makes the table",
                )
            time.sleep(wait)
            wait = min(wait * 2, _LAST_WAIT_S)


def _texts(row: Mapping[str, Iterable[Mapping[str, str]]]) -> list[str]:
    return [each.get("VarCharValue", "") for each in row["Data"]]


def last_day(now: datetime) -> date:
    """The last day that is whole."""
    return (now.astimezone(timezone.utc) - SETTLED).date() - timedelta(days=1)
