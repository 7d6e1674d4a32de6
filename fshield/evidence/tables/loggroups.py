"""Rows of a table from many CloudWatch log groups at once: Logs Insights counts there, day by day.

Up to 50 groups are asked together. Where an answer has as many rows as a query may give, its time
is halved. What a query reads is charged, so the price is said before, and a limit is kept.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from fshield import aws_library
from fshield.errors import CouldNotRun, shown
from fshield.evidence.cloudwatch import Connection, Window, said_by, size
from fshield.evidence.stream import EventReader
from fshield.evidence.tables import insights
from fshield.evidence.tables.groups import Fold, Group, Loose
from fshield.evidence.tables.insights import Query
from fshield.evidence.tables.rows import Row
from fshield.language.aws import region_asked

#: Log groups that one query can name.
MAX_GROUPS = 50
#: What a gigabyte costs in us-east-1. Most regions ask the same, none more than half as much again.
USD_A_GB = 0.005
#: What a command may cost unless it is told otherwise.
AT_MOST_USD = 5.0
PRICES = "https://aws.amazon.com/cloudwatch/pricing/"
#: What a query is first asked for.
DAY = timedelta(days=1)
#: CloudWatch may not have all lines of the last minutes yet.
SETTLED = timedelta(minutes=5)
_GB = 1e9
_AT_ONCE = 8
_METRICS = 500
_LONGEST_S = 3700
_FIRST_WAIT_S, _LAST_WAIT_S = 0.1, 2.0
_FIX = "allow logs:DescribeLogGroups, logs:StartQuery and logs:GetQueryResults on them"


@dataclass(frozen=True, order=True)
class LogGroup:
    """One log group.

    Args:
        account: "" where it is the caller's own.
        stored: bytes, as CloudWatch counts them, compressed.
    """

    account: str
    name: str
    arn: str = ""
    kind: str = "STANDARD"
    stored: int = 0


@dataclass(frozen=True)
class Wanted:
    """Which log groups.

    Args:
        names, prefixes: of groups.
        accounts: linked to the caller's, which then is a monitoring account; none: the caller's.
    """

    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Price:
    """What a run reads, at the list's price.

    Args:
        bytes: uncompressed; None where CloudWatch does not say.
    """

    groups: int
    bytes: int | None

    @property
    def usd(self) -> float | None:
        """What that costs."""
        return None if self.bytes is None else self.bytes / _GB * USD_A_GB

    @property
    def sentence(self) -> str:
        """For people."""
        groups = f"{self.groups:,} log group{'' if self.groups == 1 else 's'}"
        if self.bytes is None or self.usd is None:
            return (
                f"{groups}: what Logs Insights will read is not known (cloudwatch:GetMetricData is"
                f" not allowed), at {USD_A_GB} USD a GB ({PRICES})"
            )
        return (
            f"{groups}: Logs Insights reads about {size(self.bytes)}, {money(self.usd)} at"
            f" {USD_A_GB} USD a GB; more where an answer is too long for one query ({PRICES})"
        )


def money(usd: float) -> str:
    """USD for people."""
    return f"{usd:.2f} USD" if usd >= 0.01 or usd == 0 else "less than 0.01 USD"


class LogGroups:
    """Log groups of a region.

    Args:
        wanted: which.
        connection: as the AWS CLI's options say.
        at_most: USD that may be spent; None: whatever it costs.

    Raises:
        CouldNotRun: there are none, or AWS says no; from every method.
    """

    def __init__(
        self, wanted: Wanted, connection: Connection, at_most: float | None = None
    ) -> None:
        aws_library.require("reading log groups")
        import boto3  # noqa: PLC0415 - half a second that commands without log groups do without
        from botocore.config import Config  # noqa: PLC0415

        with said_by():
            session = boto3.Session(
                profile_name=connection.profile, region_name=region_asked(connection.region)
            )
            # StartQuery and GetQueryResults: ten requests a second.
            retries = Config(retries={"mode": "standard", "max_attempts": 10})
            self._logs = session.client(
                "logs", endpoint_url=connection.endpoint_url, config=retries
            )
            self._metrics = session.client(
                "cloudwatch", endpoint_url=connection.endpoint_url, config=retries
            )
        self.region = str(self._logs.meta.region_name)
        self._at_most = at_most
        self._lock = threading.Lock()
        #: Bytes that queries read so far.
        self.scanned = 0
        self.queries = 0
        #: Into how many pieces the last day of some groups had to be cut.
        self._pieces: dict[tuple[LogGroup, ...], int] = {}
        self.groups = sorted(self._found(wanted))
        if not self.groups:
            named = ", ".join(map(shown, (*wanted.names, *wanted.prefixes)))
            raise CouldNotRun(
                f"there is no log group {named} here",
                "name it in full (/aws/lambda/NAME), and see --region and --profile",
            )

    def _found(self, wanted: Wanted) -> Iterator[LogGroup]:
        asked: list[dict[str, Any]] = [{}]
        if wanted.accounts:
            asked = [
                {"accountIdentifiers": [account], "includeLinkedAccounts": True}
                for account in wanted.accounts
            ]
        seen = set()
        for more in asked:
            for prefix in (*wanted.names, *wanted.prefixes):
                pages = self._logs.get_paginator("describe_log_groups")
                with said_by(fix=_FIX):
                    for page in pages.paginate(logGroupNamePrefix=prefix, **more):
                        for each in page.get("logGroups", ()):
                            exact = prefix in wanted.names and prefix not in wanted.prefixes
                            if exact and each["logGroupName"] != prefix:
                                continue
                            arn = each.get("logGroupArn") or each.get("arn", "").removesuffix(":*")
                            if arn in seen:
                                continue
                            seen.add(arn)
                            account = arn.split(":")[4] if wanted.accounts else ""
                            yield LogGroup(
                                account,
                                each["logGroupName"],
                                arn,
                                each.get("logGroupClass", "STANDARD"),
                                int(each.get("storedBytes", 0)),
                            )

    def price(self, windows: Mapping[LogGroup, Window]) -> Price:
        """What reading these will cost, by what CloudWatch says came in."""
        from botocore.exceptions import ClientError  # noqa: PLC0415

        found = list(windows)
        whole = 0
        try:
            for at in range(0, len(found), _METRICS):
                some = found[at : at + _METRICS]
                whole += self._came_in(some, windows)
        except ClientError:
            return Price(len(found), None)
        return Price(len(found), whole)

    def _came_in(self, groups: list[LogGroup], windows: Mapping[LogGroup, Window]) -> int:
        queries: list[Any] = []
        for number, group in enumerate(groups):
            metric = {
                "Namespace": "AWS/Logs",
                "MetricName": "IncomingBytes",
                "Dimensions": [{"Name": "LogGroupName", "Value": group.name}],
            }
            query: dict[str, Any] = {
                "Id": f"q{number}",
                "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"},
            }
            if group.account:
                query["AccountId"] = group.account
            queries.append(query)
        begin = min(windows[group].since for group in groups)
        end = max(windows[group].until for group in groups)
        whole = 0.0
        pages = self._metrics.get_paginator("get_metric_data")
        for page in pages.paginate(MetricDataQueries=queries, StartTime=begin, EndTime=end):
            for result in page["MetricDataResults"]:
                window = windows[groups[int(result["Id"][1:])]]
                hours = zip(result["Timestamps"], result["Values"], strict=True)
                floor = window.since - timedelta(hours=1)
                whole += sum(value for at, value in hours if at > floor)
        return round(whole)

    def check(self, more: float | None = 0.0) -> None:
        """Stop where what was read, and `more`, would cost more than is allowed.

        Raises:
            CouldNotRun: so it would.
        """
        spent = self.scanned / _GB * USD_A_GB + (more or 0.0)
        if self._at_most is not None and spent > self._at_most:
            raise CouldNotRun(
                f"this costs about {money(spent)}, and --at-most says {self._at_most:g}",
                "--at-most more, a shorter --since, or fewer log groups",
            )

    # ---- reading ----

    def days(
        self,
        windows: Mapping[LogGroup, Window],
        reader: EventReader,
        longest: timedelta = DAY,
    ) -> Iterator[tuple[datetime, list[Row]]]:
        """The rows of each day in turn, with the moment until which all is read then.

        Args:
            windows: what to read of each group.
            reader: counts what is met.
            longest: up to so many days at once, where answers are far from the limit of a query.
        """
        fold = Fold(reader)
        if not windows:
            return
        begin = min(window.since for window in windows.values())
        end = max(window.until for window in windows.values())
        step = DAY
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while begin < end:
                midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
                until = min(midnight + step, end)
                parts = list(_together(windows, begin, until))
                rows: list[Row] = []
                most = 0
                try:
                    answers = pool.map(lambda part: self._answers(*part), parts)
                    for (groups, _, _), answer in zip(parts, answers, strict=True):
                        for since, before, found in answer:
                            most = max(most, len(found))
                            rows += self._rows(fold, groups, since, before, found)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
                yield until, rows
                begin = until
                step = min(2 * step, longest) if 4 * most < insights.MAX_ROWS else DAY

    def _rows(
        self,
        fold: Fold,
        groups: tuple[LogGroup, ...],
        begin: int,
        end: int,
        found: list[Group | Loose],
    ) -> list[Row]:
        return fold.rows(
            (each for each in found if isinstance(each, Group)),
            (each for each in found if isinstance(each, Loose)),
            lambda processes: self._lines(groups, begin, end, processes),
        )

    def _answers(
        self, groups: tuple[LogGroup, ...], begin: int, end: int
    ) -> list[tuple[int, int, list[Group | Loose]]]:
        """The groups of lines of some log groups, in pieces of time that are short enough."""
        pieces = self._pieces.get(groups, 1)
        step = max(1, -(-(end - begin) // pieces))
        answers = []
        for at in range(begin, end, step):
            for since, before, query, rows in self._short_enough(
                groups, at, min(at + step, end), insights.grouped
            ):
                found = [insights.group_or_line(query, row, self.region) for row in rows]
                answers.append((since, before, found))
        self._pieces[groups] = len(answers)
        return answers

    def _lines(
        self, groups: tuple[LogGroup, ...], begin: int, end: int, processes: set[str]
    ) -> Iterator[Loose]:
        some = processes if len(processes) <= insights.MAX_PROCESSES else None
        for _, _, query, rows in self._short_enough(
            groups, begin, end, lambda since, before: insights.lines_of(some, since, before)
        ):
            for row in rows:
                process, line = insights.process_and_line(query, row, self.region)
                if process in processes:
                    yield line

    def _short_enough(
        self,
        groups: tuple[LogGroup, ...],
        begin: int,
        end: int,
        asking: Callable[[int, int], Query],
    ) -> Iterator[tuple[int, int, Query, list[dict[str, str]]]]:
        """The answers to a query, its time halved until each has less rows than the limit."""
        query = asking(begin, end)
        rows = self._asked(groups, begin, end, query.text)
        if len(rows) < insights.MAX_ROWS:
            yield begin, end, query, rows
            return
        if end - begin < 2:
            raise CouldNotRun(
                f"more than {insights.MAX_ROWS:,} kinds of lines in a millisecond",
                "name fewer log groups",
            )
        middle = (begin + end) // 2
        yield from self._short_enough(groups, begin, middle, asking)
        yield from self._short_enough(groups, middle, end, asking)

    def _asked(
        self, groups: tuple[LogGroup, ...], begin: int, end: int, text: str
    ) -> list[dict[str, str]]:
        """The rows that CloudWatch answers."""
        self.check()
        where: dict[str, Any] = {"logGroupNames": [group.name for group in groups]}
        if groups[0].account:
            where = {"logGroupIdentifiers": [group.arn for group in groups]}
        with said_by(fix=_FIX):
            started = self._logs.start_query(
                queryString=text, startTime=begin // 1000, endTime=(end - 1) // 1000, **where
            )["queryId"]
            with self._lock:
                self.queries += 1
            try:
                answer = self._awaited(started)
            except BaseException:
                self._stop(started)
                raise
        with self._lock:
            self.scanned += int(answer.get("statistics", {}).get("bytesScanned", 0))
        return [
            {each["field"]: each.get("value", "") for each in row}
            for row in answer.get("results", ())
        ]

    def _awaited(self, query: str) -> Mapping[str, Any]:
        wait, deadline = _FIRST_WAIT_S, time.monotonic() + _LONGEST_S
        while True:
            answer = self._logs.get_query_results(queryId=query)
            status = answer["status"]
            if status == "Complete":
                return answer
            if status not in ("Scheduled", "Running") or time.monotonic() > deadline:
                raise CouldNotRun(
                    f"a query of Logs Insights ended as {status}", "try again, or fewer log groups"
                )
            time.sleep(wait)
            wait = min(wait * 2, _LAST_WAIT_S)

    def _stop(self, query: str) -> None:
        """What nobody waits for is not to be charged."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        with contextlib.suppress(BotoCoreError, ClientError):
            self._logs.stop_query(queryId=query)


def _together(
    windows: Mapping[LogGroup, Window], begin: datetime, end: datetime
) -> Iterator[tuple[tuple[LogGroup, ...], int, int]]:
    """Log groups that one query can ask, and from when to when."""
    alike: dict[tuple[str, str, int, int], list[LogGroup]] = {}
    for group, window in windows.items():
        since, until = max(begin, window.since), min(end, window.until)
        if since < until:
            key = (group.account, group.kind, _milliseconds(since), _milliseconds(until))
            alike.setdefault(key, []).append(group)
    for (_, _, since_ms, until_ms), groups in alike.items():
        for at in range(0, len(groups), MAX_GROUPS):
            yield tuple(groups[at : at + MAX_GROUPS]), since_ms, until_ms


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def known_as(group: LogGroup, region: str) -> str:
    """What a table calls a log group that it has read."""
    return f"logs:{region}:{group.account}:{group.name}"


def still_to_read(
    groups: Iterable[LogGroup], region: str, window: Window, logs: Mapping[str, list[int]]
) -> dict[LogGroup, Window]:
    """What of `window` is not in a table yet whose logs are `logs`. A group that is in it is read
    on from where it ends."""
    windows: dict[LogGroup, Window] = {}
    for group in groups:
        begin = window.since
        if known := logs.get(known_as(group, region)):
            begin = datetime.fromtimestamp(known[1] / 1000, timezone.utc)
        if begin < window.until:
            windows[group] = Window(begin, window.until)
    return windows


def noted(
    windows: Mapping[LogGroup, Window], region: str, until: datetime, logs: dict[str, list[int]]
) -> None:
    """Write down in a table's logs that all was read until a moment."""
    for group, window in windows.items():
        name, end = known_as(group, region), min(until, window.until)
        if window.since < end:
            begin = logs[name][0] if name in logs else _milliseconds(window.since)
            logs[name] = [begin, _milliseconds(end)]
