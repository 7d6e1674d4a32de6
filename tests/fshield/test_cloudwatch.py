"""Reading a log group for `tail`: only the engine's lines, one page at a time, and a readable
sentence for each of AWS's errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from fshield.errors import CouldNotRun
from fshield.evidence.cloudwatch import Connection, LogGroup, Window, since, size

NOW = datetime.now(timezone.utc)
HERE = Connection(region="eu-central-1")
EVENT = '{"function_shield":true,"event":"violation"}'


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("logs", region_name="eu-central-1")
        client.create_log_group(logGroupName="/aws/lambda/f")
        client.create_log_stream(logGroupName="/aws/lambda/f", logStreamName="s")
        yield client


def put(client: Any, *lines: str) -> None:
    at = int(NOW.timestamp() * 1000) - 60_000
    client.put_log_events(
        logGroupName="/aws/lambda/f",
        logStreamName="s",
        logEvents=[
            {"timestamp": at + number, "message": line} for number, line in enumerate(lines)
        ],
    )


def hour() -> Window:
    return Window(NOW - timedelta(hours=1), NOW + timedelta(minutes=1))


def test_reads_our_lines_only_and_all_pages(logs: Any) -> None:
    for part in range(3):
        put(logs, *[EVENT if number % 2 else f"START {part}" for number in range(9_000)])
    progress: list[datetime] = []
    messages = list(LogGroup("/aws/lambda/f", HERE).messages(hour(), progress.append))
    assert [message["message"] for message in messages] == [EVENT] * 13_500
    assert len(progress) >= 2 and all(NOW - timedelta(hours=1) < at < NOW for at in progress)


def test_no_such_group(logs: Any) -> None:
    with pytest.raises(CouldNotRun, match="ResourceNotFoundException") as caught:
        list(LogGroup("/aws/lambda/g", HERE).messages(hour()))
    assert caught.value.fix and "--region" in caught.value.fix


def test_a_class_that_it_cannot_read_is_read_by_insights(
    logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = LogGroup("/aws/lambda/f", HERE)
    answer: Any = {"Error": {"Code": "InvalidOperationException", "Message": "INFREQUENT_ACCESS"}}

    def refused(**_: Any) -> None:
        raise ClientError(answer, "FilterLogEvents")

    monkeypatch.setattr(group._client, "filter_log_events", refused)
    with pytest.raises(CouldNotRun, match="INFREQUENT_ACCESS") as caught:
        list(group.messages(hour()))
    assert caught.value.fix and "Insights" in caught.value.fix


def test_unknown_profile() -> None:
    with pytest.raises(CouldNotRun, match="no-such-profile"):
        LogGroup("g", Connection(profile="no-such-profile"))


def region(connection: Connection) -> str:
    return str(LogGroup("g", connection)._client.meta.region_name)


def test_the_region_of_the_environment_is_the_aws_clis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert region(Connection()) == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert region(Connection()) == "eu-central-1"
    assert region(Connection(region="eu-west-1")) == "eu-west-1"


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(CouldNotRun, match="region"):
        LogGroup("g", Connection())


@pytest.mark.parametrize(
    ("text", "ago"),
    [("30m", timedelta(minutes=30)), ("7d", timedelta(days=7)), ("2w", timedelta(weeks=2))],
)
def test_since_ago(text: str, ago: timedelta) -> None:
    assert since(text, NOW) == NOW - ago


def test_since_a_moment() -> None:
    assert since("2026-11-24T06:00:00+02:00", NOW) == datetime(2026, 11, 24, 4, tzinfo=timezone.utc)
    assert since("2026-11-24", NOW) == datetime(2026, 11, 24, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["", "yesterday", "0d", "-1h", "1y", "999999w", "2026-13-01"])
def test_since_nonsense(text: str) -> None:
    with pytest.raises(CouldNotRun, match="is not a time"):
        since(text, NOW)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_234_567, "1.23 MB"),
        (2 * 10**9, "2 GB"),
        (10**15, "1e+03 TB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text
