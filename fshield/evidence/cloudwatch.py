"""Reads a CloudWatch log group page by page, for ``fshield tail``. Commands that count ask Logs
Insights: see `fshield.evidence.tables.loggroups`.

FilterLogEvents answers at most 1 MB or 10,000 events a page
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html), so
memory is bounded by a page whatever the group holds. It does not support the Infrequent Access
class; Logs Insights does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from fshield import aws_library
from fshield.errors import CouldNotRun, shown
from fshield.language.aws import region_asked

#: The filter for CloudWatch: every event contains this word, and few other lines do.
PATTERN = '"function_shield"'
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"([1-9][0-9]{0,5})([smhdw])\Z")
_INSIGHTS = "fshield report --log-group reads it, by Logs Insights"


@dataclass(frozen=True)
class Connection:
    """Where the log group is, as in the AWS CLI's options of the same names. None: boto3's
    default.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True)
class Window:
    """A period of time, in UTC."""

    since: datetime
    until: datetime


def size(count: int) -> str:
    """`count` bytes for people."""
    if count < 1000:
        return f"{count} bytes"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.3g} {unit}"
    return f"{value / 1000:.3g} TB"


def since(text: str, now: datetime) -> datetime:
    """The moment that ``--since`` names: ``30m``, ``4h``, ``7d``, ``2w`` before `now`, or an RFC
    3339 time.

    Raises:
        CouldNotRun: it is not a time.
    """
    ago = _AGO.match(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError):
        raise CouldNotRun(
            f"--since {shown(text)} is not a time", "30m, 4h, 7d, 2w, or 2026-11-24T06:00:00Z"
        ) from None


def stretch(option: str, text: str) -> timedelta:
    """A duration: ``30m``, ``4h``, ``7d``; ``0`` for none.

    Raises:
        CouldNotRun: it is not one.
    """
    found = _AGO.match(text)
    if found:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    if text == "0":
        return timedelta(0)
    raise CouldNotRun(f"{option} {shown(text)} is not a stretch of time", "30s, 30m, 4h or 2d")


class LogGroup:
    """One log group.

    Raises:
        CouldNotRun: there are no credentials, no region, no such profile; from every method: AWS
            says no.
    """

    def __init__(self, name: str, connection: Connection) -> None:
        aws_library.require("reading a log group")
        # Imported here, because it takes half a second that most commands do not need.
        import boto3  # noqa: PLC0415

        self.name = name
        with said_by():
            session = boto3.Session(
                profile_name=connection.profile, region_name=region_asked(connection.region)
            )
            self._client = session.client("logs", endpoint_url=connection.endpoint_url)

    def messages(
        self, window: Window, tell: Callable[[datetime], None] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The guard's messages, as ``filter_log_events`` returns them: oldest first, as far as
        CloudWatch sorts them.

        Args:
            window: what to read.
            tell: called after each page with the time that was reached.
        """
        asked: dict[str, Any] = {
            "logGroupName": self.name,
            "startTime": int(window.since.timestamp() * 1000),
            "endTime": int(window.until.timestamp() * 1000),
            "filterPattern": PATTERN,
        }
        seen: str | None = None
        while True:
            with said_by():
                page = self._client.filter_log_events(**asked)
            yield from page.get("events", ())
            if tell and page.get("events"):
                tell(
                    datetime.fromtimestamp(
                        page["events"][-1].get("timestamp", 0) / 1000, timezone.utc
                    )
                )
            token = page.get("nextToken")
            if not token or token == seen:
                return
            asked["nextToken"] = seen = token


class said_by:  # noqa: N801
    """A context that turns boto3's errors into one sentence and a fix."""

    def __init__(
        self,
        service: str = "CloudWatch Logs",
        fix: str = "allow logs:FilterLogEvents on it",
    ) -> None:
        self._service = service
        self._fix = fix

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
            NoRegionError,
        )

        if isinstance(error, ClientError):
            problem = error.response.get("Error", {})
            code, message = problem.get("Code", "?"), problem.get("Message", str(error))
            fix = {
                "AccessDeniedException": self._fix,
                "ResourceNotFoundException": "name it in full (/aws/lambda/NAME), and --region",
                "InvalidOperationException": _INSIGHTS,
                "ThrottlingException": (
                    "wait a minute: there is a quota for each account and region"
                ),
            }.get(code)
            raise CouldNotRun(f"{self._service} says {code}: {message}", fix) from error
        if isinstance(error, NoRegionError):
            fix = "--region REGION, or AWS_REGION, or a region in the profile"
            raise CouldNotRun("no region", fix) from error
        if isinstance(error, (BotoCoreError, ValueError)):
            fix = "as for the AWS CLI: --profile, --region, or the AWS_ variables"
            raise CouldNotRun(f"{self._service} cannot be asked: {error}", fix) from error
