"""moto with log groups, and fshield beside it."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.evidence.cloudwatch import Connection
from tests.fshield.recorded import Log

REGION = "eu-central-1"


class Cloud:
    """moto with log groups."""

    def __init__(self, endpoint: str, asked: list[str]) -> None:
        self.endpoint, self.asked = endpoint, asked
        self.logs = boto3.client("logs", endpoint_url=endpoint, region_name=REGION)
        self.now = datetime.now(timezone.utc)
        self.connection = Connection(REGION, None, endpoint)

    def put(self, group: str, lines: list[str], ago: timedelta) -> None:
        """Add lines, one millisecond apart."""
        at = int((self.now - ago).timestamp() * 1000)
        with contextlib.suppress(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_group(logGroupName=group)
            self.logs.create_log_stream(logGroupName=group, logStreamName="s")
        events: list[Any] = [
            {"timestamp": at + n, "message": f"{line}\n"} for n, line in enumerate(lines)
        ]
        self.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)

    def came_in(self, group: str, size: float, ago: timedelta) -> None:
        """Let the metric say that so many bytes came in."""
        metrics = boto3.client("cloudwatch", endpoint_url=self.endpoint, region_name=REGION)
        metrics.put_metric_data(
            Namespace="AWS/Logs",
            MetricData=[
                {
                    "MetricName": "IncomingBytes",
                    "Dimensions": [{"Name": "LogGroupName", "Value": group}],
                    "Timestamp": self.now - ago,
                    "Value": size,
                }
            ],
        )

    def evidence(self, out: Path, *words: str) -> Result:
        """Run `fshield evidence` against this endpoint."""
        where = ("--endpoint-url", self.endpoint, "--region", REGION, "-o", str(out), "--json")
        return CliRunner().invoke(app, ["evidence", *words, *where])


def process(number: int, *hosts: str) -> list[str]:
    """Lines of one process, one line a host."""
    log = Log()
    for host in hosts:
        log.host(host, nonce=f"{number:016x}")
    # Without spaces, as the engine writes them.
    return [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
