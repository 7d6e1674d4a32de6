"""A fleet in three regions of three accounts is attached, listed, given policies that are rolled
back automatically, and detached. At the end it is as before, byte for byte. ``make fleet`` does it
with 1,000 functions.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fshield.fleet.request import Asked
from fshield.fleet.rollout import journal as journals
from tests.fleet.command import Ran, fshield
from tests.fleet.functions import Fleet
from tests.fleet.rolling import Roller, blocked, policies
from tests.fleet.stand_in import StandIn

COUNT = int(os.environ.get("FLEET_FUNCTIONS", "30"))
REGIONS = ("eu-central-1", "us-east-1", "ap-south-1")
ACCOUNTS = ("111111111111", "222222222222", "333333333333")
PLACES = ("--region", ",".join(REGIONS), "--role-name", "guard", "--account", ",".join(ACCOUNTS))
ENGINE = "arn:aws:lambda:{region}:{account}:layer:function-shield-{arch}:1"
States = dict[tuple[str, str], dict[str, str]]


class Fleets:
    """COUNT functions, distributed as evenly as possible."""

    def __init__(self, stand_in: StandIn) -> None:
        places = [(account, region) for account in ACCOUNTS for region in REGIONS]
        self.names = {}
        self.fleets = {}
        for number, (account, region) in enumerate(places):
            fleet = self.fleets[account, region] = Fleet(stand_in, region, account)
            fleet.engines()
            count = COUNT // len(places) + (number < COUNT % len(places))
            self.names[account, region] = fleet.many(count)

    def states(self) -> States:
        return {place: fleet.states(self.names[place]) for place, fleet in self.fleets.items()}


def _layers(states: States) -> list[list[dict[str, str]]]:
    return [
        json.loads(state)["configuration"].get("Layers", [])
        for names in states.values()
        for state in names.values()
    ]


def run(stand_in: StandIn, *words: str) -> Ran:
    ran = fshield(stand_in, *words, *PLACES, "--concurrency", "8", "--json")
    assert ran.code == 0, ran.out[-2000:] + ran.err
    return ran


def test_nine_places_leave_no_trace(
    stand_in: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleets = Fleets(stand_in)
    before = fleets.states()
    every = ("--all", "--yes")
    attached = run(
        stand_in, "attach", *every, "--include-untried", "--layer-arn", ENGINE, "-p", "monitor"
    )
    assert attached.json["counts"] == {"done": COUNT}
    assert len(attached.json["places"]) == 9
    status = run(stand_in, "status", "--no-aliases", "--policy", "monitor")
    assert status.json["counts"] == {"guarded": COUNT}
    guarded = fleets.states()
    assert guarded != before

    roll = Roller(stand_in, policies(tmp_path), monkeypatch, capsys)
    watched = 0

    def at_sleep(number: int) -> None:
        nonlocal watched
        journal = journals.read(roll.journal)
        assert journal is not None
        watched = len(journal.moved)
        for key in journal.moved:
            roll.events.add(key)
        if number == 2:
            roll.events.add(min(journal.moved), blocked("collector.evil.example"))

    roll.clock.at_sleep = at_sleep
    asked = Asked(REGIONS, None, stand_in.url, "guard", ACCOUNTS)
    rolled = roll(canary=("5%,50%",), asked=asked)
    assert rolled.code == 1
    assert rolled.json["result"] == "went back", rolled.out[-2000:]
    # A function with five layers has no room for one more.
    full = sum(len(each) == 5 for each in _layers(guarded))
    refused = [each for each in rolled.json["functions"] if each["kind"] == "too many layers"]
    assert len(refused) == full
    assert full or COUNT < 45
    assert sum(stage["functions"] for stage in rolled.json["stages"]) == COUNT - full
    assert watched == -(-(COUNT - full) * 5 // 100), "only the first share may have moved"
    assert roll.clock.sleeps == 2, "it must go back at the first blocked act"
    assert [each["origin"] for each in rolled.json["blocked"]] == ["inkstamp"]
    assert fleets.states() == guarded

    assert run(stand_in, "detach", *every).json["counts"] == {"done": COUNT}
    assert fleets.states() == before
