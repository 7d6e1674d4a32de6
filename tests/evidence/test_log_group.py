"""`learn`, `report`, `replay` and `ready` on a log group: Logs Insights counts there, and what they
say is what they say of the same lines in a file."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.evidence.sources import Source
from fshield.evidence.tables import engine, insights, loggroups
from fshield.evidence.tables.loggroups import Price
from tests.evidence.cloud import REGION, Cloud, process
from tests.fshield.recorded import Log, stack

GROUP = "/aws/lambda/orders"
POLICY = "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow: []\n"


def lines_of_a_function() -> list[str]:
    """Lines of two processes: hosts and paths by the function and by dependencies, again and again,
    a repeated line, a forged one, one that was cut."""
    found: list[str] = []
    for number in range(2):
        log = Log()
        own: dict[str, Any] = {"nonce": f"{number + 1:016x}"}
        for again in range(3):
            log.host("api.example.com", *stack("requests"), **own)
            log.host("collect.example.net", *stack("tintkit"), **own)
            path = f"/tmp/report-{number}-{again}.csv"
            log.add("read_write_tmp", path=path, operation="create", **own)
        found += [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    forged = json.loads(found[0]) | {"details": {"host": "evil.example"}, "seq": 40, "x": 1}
    return [*found, found[3], json.dumps(forged), found[5][:150]]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def asked(cloud: Cloud, *words: str) -> Result:
    """Run a command on the log group."""
    where = ("--endpoint-url", cloud.endpoint, "--region", REGION)
    return run(*words, "--log-group", GROUP, *where)


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


@pytest.fixture
def both(cloud: Cloud, tmp_path: Path) -> tuple[Cloud, str]:
    """A log group, and the same lines as a subscription's record."""
    lines = lines_of_a_function()
    cloud.put(GROUP, lines, timedelta(hours=30))
    file = tmp_path / "orders.json"
    events = [{"id": str(n), "timestamp": n, "message": line} for n, line in enumerate(lines)]
    record = {"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": GROUP}
    file.write_text(json.dumps({**record, "logStream": "s", "logEvents": events}))
    return cloud, str(file)


@pytest.mark.parametrize("with_duckdb", [True, False])
def test_learn_writes_the_same_policy(
    both: tuple[Cloud, str], monkeypatch: pytest.MonkeyPatch, with_duckdb: bool
) -> None:
    cloud, file = both
    words = ("learn", "--json", "--own", "app", "--by-dependency")
    wanted = json.loads(run(*words, "--region", REGION, file).stdout)
    if not with_duckdb:
        monkeypatch.setattr(engine, "available", lambda: False)
    found = asked(cloud, *words)
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert "api.example.com" in answer["policy"]
    assert without(answer, "skipped") == without(wanted, "skipped")
    assert cloud.asked and all("stats count(*)" in query for query in cloud.asked[:1])


def test_report_and_replay_say_the_same(both: tuple[Cloud, str], tmp_path: Path) -> None:
    cloud, file = both
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    for words in (("report", "--json"), ("replay", "--json", "--policy", str(policy))):
        wanted = json.loads(run(*words, "--function", "orders", "--region", REGION, file).stdout)
        found = json.loads(asked(cloud, *words).stdout)
        # A log group has an account and a region as well. The order of lines is not known there,
        # so no clock goes back.
        differing = ("skipped", "fleet", "notes")
        assert without(found, *differing) == without(wanted, *differing)
        counts = {"events", "repeated", "cut", "not_ours", "lost", "missing"}
        skipped = found["skipped"]
        assert {k: skipped[k] for k in counts} == {k: wanted["skipped"][k] for k in counts}
        assert skipped["repeated"] == 1 and skipped["cut"] == 1


def test_what_it_costs_is_said_first_and_kept(both: tuple[Cloud, str]) -> None:
    cloud, _ = both
    cloud.came_in(GROUP, 2.5e12, timedelta(hours=30))
    found = asked(cloud, "learn", "--json")
    assert found.exit_code == 2 and "12.50 USD" in found.stderr and not cloud.asked
    assert "--at-most says 5" in json.loads(found.stdout)["error"]
    assert asked(cloud, "learn", "--json", "--at-most", "13").exit_code == 0


def test_a_long_time_is_few_queries(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(13):
        cloud.put(GROUP, process(day + 1, f"h{day}.example"), timedelta(days=day, hours=1))

    def hosts() -> list[str]:
        source = Source([], GROUP, "13d", cloud.connection)
        with source.records() as records:
            return sorted(record.event["details"]["host"] for record in records)

    everyone = sorted(f"h{day}.example" for day in range(13))
    # 1, 2 and 4 days, and the rest. CloudWatch takes nothing that is older than 14 days.
    assert hosts() == everyone and len(cloud.asked) == 4
    # A price that is not known before is known after a day.
    cloud.asked.clear()
    with monkeypatch.context() as patch:
        unknown = Price(1, None)
        patch.setattr(loggroups.LogGroups, "price", lambda _groups, _windows: unknown)
        assert hosts() == everyone and len(cloud.asked) == 14
    # Where an answer comes near the limit of rows, the next one is for a day again.
    cloud.asked.clear()
    monkeypatch.setattr(insights, "MAX_ROWS", 8)
    assert hosts() == everyone and len(cloud.asked) > 6


def test_a_log_group_that_is_not_there(cloud: Cloud) -> None:
    for command in ("learn", "report"):
        found = asked(cloud, command, "--json")
        answer = json.loads(found.stdout)
        assert found.exit_code == 2 and f"there is no log group '{GROUP}'" in answer["error"]
        assert "/aws/lambda/NAME" in answer["fix"]
