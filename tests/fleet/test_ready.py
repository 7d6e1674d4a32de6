"""ready: the decision to block or not, from a log in CloudWatch."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.stand_in import StandIn

NOW = datetime.now(timezone.utc)
GROUP = "/aws/lambda/api"


class Lines:
    """The events of many processes."""

    def __init__(self) -> None:
        self.lines: list[tuple[datetime, str]] = []
        self.starts = 0

    def process(self, days_ago: float, *acts: dict[str, Any]) -> None:
        """One process that started `days_ago`, and its `acts`."""
        at = NOW - timedelta(days=days_ago)
        self.starts += 1
        common = {
            "function_shield": True,
            "event_version": 1,
            "timestamp": at.isoformat().replace("+00:00", "Z"),
        }
        own = {"pid": 7, "nonce": f"{self.starts:016x}"}
        armed = {
            **common,
            "event": "armed",
            "level": "INFO",
            "policy_name": "monitor",
            "dry_run": False,
            **own,
        }
        self.lines.append((at, json.dumps({**armed, "seq": 0})))
        for seq, act in enumerate(acts, 1):
            event = {
                **common,
                "event": "violation",
                "mode": "alert",
                "policy_mode": "alert",
                "count": 1,
                **act,
                **own,
            }
            self.lines.append((at, json.dumps({**event, "seq": seq})))

    def file(self, path: Path) -> str:
        path.write_text("".join(f"{line}\n" for _, line in sorted(self.lines)))
        return str(path)


class Log(Lines):
    """Writes events into the function's log group."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.client = fleet.stand_in.client("logs")
        self.client.create_log_group(logGroupName=GROUP)
        self.client.create_log_stream(logGroupName=GROUP, logStreamName="s")

    def write(self) -> None:
        events = [
            {"timestamp": int(at.timestamp() * 1000), "message": line}
            for at, line in sorted(self.lines, key=lambda line: line[0])
        ]
        self.client.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def reach(host: str, port: int | None = 443) -> dict[str, Any]:
    return {
        "policy": "outbound_connectivity",
        "reason": "no_rule",
        "details": {"host": host, "ip": "192.0.2.7", "port": port, "protocol": "tcp"},
        "origin": {
            "distribution": "stripe",
            "file": "/var/task/stripe/x.py",
            "line": 1,
            "function": "f",
            "stack": [],
        },
    }


def write(path: str) -> dict[str, Any]:
    return {
        "policy": "read_write_tmp",
        "reason": "no_rule",
        "details": {"path": path, "operation": "create"},
        "origin": {"distribution": "app", "file": "/var/task/app.py", "line": 1, "stack": []},
    }


def read_source(distribution: str) -> dict[str, Any]:
    file = f"/var/task/{distribution.replace('-', '_')}/utils.py"
    return {
        "policy": "read_handler",
        "reason": "no_rule",
        "details": {"path": "/var/task/app.py", "operation": "read"},
        "origin": {"distribution": distribution, "file": file, "line": 1, "stack": [f"{file}:1 f"]},
    }


@pytest.fixture
def log(stand_in: StandIn, fleet: Fleet) -> Log:
    fleet.function("api")
    assert (
        fshield(stand_in, "attach", "api", "--layer-arn", ENGINE, "--policy", "monitor").code == 0
    )
    return Log(fleet)


def test_go(stand_in: StandIn, log: Log) -> None:
    for day in range(25):
        log.process(day / 3)
    log.write()
    ran = fshield(stand_in, "ready", "api")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.startswith("api  go")


def test_no_go_says_each_reason(stand_in: StandIn, log: Log) -> None:
    for day in range(4):
        log.process(day, reach("api.stripe.com"))
    log.process(0.5, reach("new.example"))
    log.write()
    ran = fshield(stand_in, "ready", "api", "--json")
    assert ran.code == 1, ran.out + ran.err
    failed = {check["check"] for check in ran.json["checks"] if not check["ok"]}
    assert failed == {
        "days under observation",
        "cold starts seen",
        "last new kind of act",
        "would have been blocked",
    }
    blocked = {kind["object"]: kind["count"] for kind in ran.json["would_have_been_blocked"]}
    assert blocked == {"api.stripe.com:443": 4, "new.example:443": 1}
    shown = fshield(stand_in, "ready", "api")
    assert "no-go" in shown.out
    assert "new.example:443  by stripe" in shown.out


def test_what_the_policy_to_be_enforced_allows_is_no_reason(
    stand_in: StandIn, log: Log, tmp_path: Path
) -> None:
    for day in range(25):
        log.process(day / 3 + 0.1, reach("api.stripe.com"))
    log.write()
    policy = tmp_path / "api.yaml"
    text = "version: 1\npolicy:\n  outbound_connectivity: {mode: block, allow: [{host: HOST}]}\n"
    policy.write_text(text.replace("HOST", "api.stripe.com"))
    ran = fshield(stand_in, "ready", "api", "--policy", str(policy))
    assert ran.code == 0, ran.out + ran.err
    policy.write_text(text.replace("HOST", "api.other.com"))
    ran = fshield(stand_in, "ready", "api", "--policy", str(policy))
    assert ran.code == 1
    assert "reach api.stripe.com:443  api.yaml:3  ×25" in ran.out


def test_a_name_that_is_made_up_anew_is_no_new_kind(
    stand_in: StandIn, log: Log, tmp_path: Path
) -> None:
    names = ["ja9aaz34", "0nbl755u", "k3v9_x2q"]
    for day in range(25):
        log.process(
            day / 3 + 0.1,
            write(f"/tmp/tmp{names[day % 3]}"),
            write(f"/tmp/work/user-{day}.csv"),
            write("/tmp/cache/a"),
        )
    log.write()
    ran = fshield(stand_in, "ready", "api", "--json")
    failed = {check["check"] for check in ran.json["checks"] if not check["ok"]}
    assert failed == {"would have been blocked"}
    blocked = {kind["object"]: kind["count"] for kind in ran.json["would_have_been_blocked"]}
    assert blocked == {"/tmp/tmp????????": 25, "/tmp/work/user-*.csv": 25, "/tmp/cache/a": 25}
    policy = tmp_path / "api.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n"
        "    allow: [tempfile, /tmp/work/user-*.csv, /tmp/cache/a]\n"
    )
    ran = fshield(stand_in, "ready", "api", "--policy", str(policy))
    assert ran.code == 0, ran.out + ran.err


def test_a_new_kind_that_the_policy_allows_does_not_count(
    stand_in: StandIn, log: Log, tmp_path: Path
) -> None:
    for day in range(25):
        log.process(day / 3 + 0.1)
    log.process(0.01, reach("api.stripe.com"))
    log.write()
    policy = tmp_path / "api.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n"
        "    allow: [{host: api.stripe.com}]\n"
    )
    ran = fshield(stand_in, "ready", "api", "--policy", str(policy))
    assert ran.code == 0, ran.out + ran.err


def test_the_functions_own_variables_stand_in_names(
    stand_in: StandIn, fleet: Fleet, log: Log, tmp_path: Path
) -> None:
    for day in range(25):
        log.process(day / 3 + 0.1, reach("api.stripe.com"))
    log.write()
    policy = tmp_path / "api.yaml"
    policy.write_text(
        "version: 1\npolicy: {outbound_connectivity: {mode: block, allow: [{host:"
        " '${env:API}'}]}}\n"
    )
    assert fshield(stand_in, "ready", "api", "--policy", str(policy)).code == 1
    variables = {**fleet.variables("api"), "API": "api.stripe.com"}
    fleet.client.update_function_configuration(
        FunctionName="api", Environment={"Variables": variables}
    )
    ran = fshield(stand_in, "ready", "api", "--policy", str(policy))
    assert ran.code == 0, ran.out + ran.err


def test_events_that_were_taken_away_are_a_reason(stand_in: StandIn, log: Log) -> None:
    for day in range(25):
        log.process(day / 3)
    log.process(5, reach("a.example"), reach("b.example"))
    log.lines = [line for line in log.lines if "a.example" not in line[1]]
    log.write()
    ran = fshield(stand_in, "ready", "api", "--json")
    assert ran.code == 1
    assert "events missing or in doubt" in {
        check["check"] for check in ran.json["checks"] if not check["ok"]
    }


def test_no_log(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("api")
    ran = fshield(stand_in, "ready", "api")
    assert ran.code == 2
    assert "fix:" in ran.err


def test_what_is_quiet_is_no_reason(stand_in: StandIn, log: Log, tmp_path: Path) -> None:
    """Error reporters read the source around each error, and work without it."""
    for day in range(25):
        log.process(day / 3 + 0.1, read_source("sentry-sdk"))
    log.write()
    policy = tmp_path / "api.yaml"
    policy.write_text("version: 1\npolicy:\n  read_handler: {mode: block, quiet: [sentry-sdk]}\n")
    for words in ([], ["--policy", str(policy)]):
        ran = fshield(stand_in, "ready", "api", *words)
        assert ran.code == 0, ran.out + ran.err
    policy.write_text("version: 1\npolicy:\n  read_handler: block\n")
    ran = fshield(stand_in, "ready", "api", "--policy", str(policy))
    assert ran.code == 1 and "read /var/task/app.py  api.yaml:3  ×25" in ran.out


def test_a_read_by_any_other_package_is_a_reason(stand_in: StandIn, log: Log) -> None:
    for day in range(25):
        log.process(day / 3 + 0.1, read_source("tintkit"))
    log.write()
    ran = fshield(stand_in, "ready", "api")
    assert ran.code == 1 and "read_handler" in ran.out


def test_what_a_worker_of_joblib_imports_is_a_reason(stand_in: StandIn, log: Log) -> None:
    read = read_source("joblib")
    read["origin"]["file"] = "/var/task/joblib/externals/loky/process_executor.py"
    for day in range(25):
        log.process(day / 3 + 0.1, read)
    log.write()
    ran = fshield(stand_in, "ready", "api")
    assert ran.code == 1 and "read_handler" in ran.out


def test_a_lookup_without_a_port_and_its_connection_are_one_kind(
    stand_in: StandIn, log: Log
) -> None:
    log.process(1, reach("api.stripe.com", None), reach("api.stripe.com"))
    log.process(1, reach("other.example", None))
    log.write()
    ran = fshield(stand_in, "ready", "api", "--json")
    blocked = {kind["object"]: kind["count"] for kind in ran.json["would_have_been_blocked"]}
    assert blocked == {"api.stripe.com:443": 1, "other.example": 1}
