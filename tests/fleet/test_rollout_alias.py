"""Calls of an alias move to a version with new policies, share by share. The rollout continues
after any interruption, or goes back."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from fshield.fleet.places import Place
from fshield.fleet.request import Account
from fshield.fleet.rollout import journal as journals
from fshield.fleet.rollout.watch import CloudWatch
from fshield.fleet.rollout.work import Rules
from fshield.fleet.run import Target
from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet, package
from tests.fleet.rolling import NOON, Roller, blocked
from tests.fleet.stand_in import ACCOUNT, REGION, StandIn

NEW = "function-shield-policies"
COUNT = 4


@pytest.fixture
def names(stand_in: StandIn, fleet: Fleet) -> list[str]:
    """Guarded functions whose callers use an alias. Of two versions, the alias leads to the
    newer."""
    found = [f"service-{number}" for number in range(COUNT)]
    for name in found:
        fleet.function(name, variables={"TABLE": name})
        fleet.client.publish_version(FunctionName=name)
    ran = fshield(
        stand_in, "attach", "--all", "--yes", "--layer-arn", ENGINE, "--policy", "monitor"
    )
    assert ran.code == 0, ran.out + ran.err
    for name in found:
        aliased(fleet, name)
    return found


def aliased(fleet: Fleet, name: str, alias: str = "live") -> str:
    """Publish a version and make an alias of it. Returns the version's number."""
    version = str(fleet.client.publish_version(FunctionName=name)["Version"])
    fleet.client.create_alias(
        FunctionName=name, Name=alias, FunctionVersion=version, Description="for callers"
    )
    return version


def alias_target(fleet: Fleet, name: str) -> tuple[str, dict[str, float]]:
    """The version that the alias leads to, and the shares of others."""
    found = fleet.client.get_alias(FunctionName=name, Name="live")
    shares = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return found["FunctionVersion"], shares


def current_state(fleet: Fleet, names: list[str], versions: int = 3) -> dict[str, Any]:
    """Everything about the functions except versions published since."""
    found = {name: json.loads(state) for name, state in fleet.states(names).items()}
    for each in found.values():
        each["versions"] = each["versions"][:versions]
    return found


def test_share_by_share(fleet: Fleet, names: list[str], roll: Roller, stand_in: StandIn) -> None:
    seen: list[Any] = []
    stand_in.orders.version_s = 0.6
    early: list[str] = []

    def before_alias(name: str) -> None:
        pending = stand_in.pending_until[f"{ACCOUNT}/{REGION}/{name}:3"]
        early.extend([name] if time.monotonic() < pending else [])

    stand_in.orders.before_alias = before_alias

    def at_sleep(number: int) -> None:
        there = alias_target(fleet, names[0])
        if not seen or seen[-1] != there:
            seen.append(there)
            assert all(alias_target(fleet, name) == there for name in names), (
                "all aliases must have the same shares"
            )
            roll.events.add(names[0], version="3")

    roll.clock.at_sleep = at_sleep
    ran = roll(canary=("5%,25%",), alias="live")
    assert ran.code == 0, ran.out + ran.err
    assert seen == [("2", {"3": 0.05}), ("2", {"3": 0.25})]
    assert early == [], "a pending version must get no calls"
    for name in names:
        assert alias_target(fleet, name) == ("3", {})
        reached = fleet.client.get_function_configuration(FunctionName=name, Qualifier="live")
        assert [each["Arn"].split(":")[6] for each in reached["Layers"]][-1] == NEW
        assert NEW in fleet.layers(name), "the next deployment must have the policies too"
        alias = fleet.client.get_alias(FunctionName=name, Name="live")
        assert alias["Description"] == "for callers"
    assert ran.json["alias"] == "live"
    assert [each["functions"] for each in ran.json["stages"]] == [COUNT] * 3
    assert ran.json["counts"] == {"done": COUNT}
    assert [each["notes"] for each in ran.json["functions"]] == [["live: version 3"]] * COUNT


def test_back_at_the_first_blocked_act(fleet: Fleet, names: list[str], roll: Roller) -> None:
    was = current_state(fleet, names)

    def at_sleep(number: int) -> None:
        acts = [blocked("evil.example")] if number == 3 else []
        roll.events.add(names[1], *acts, version="3")

    roll.clock.at_sleep = at_sleep
    ran = roll(canary=("20%",), alias="live")
    assert ran.code == 1, ran.out + ran.err
    assert ran.json["result"] == "went back"
    assert roll.clock.sleeps == 3, "it must go back as soon as the events show it"
    assert [each["object"] for each in ran.json["blocked"]] == ["evil.example:443"]
    assert current_state(fleet, names) == was
    stays = "version 3 stays, and live sends no call to it"
    assert [each["notes"] for each in ran.json["functions"]] == [[stays]] * COUNT
    again = roll(alias="live")
    assert "these policies went back" in again.json["error"]

    roll.journal.unlink()
    roll.clock.at_sleep = lambda number: None
    assert roll(rules=Rules(min_starts=0), alias="live").json["result"] == "done"
    assert {alias_target(fleet, name)[0] for name in names}.isdisjoint({"2"})


def test_what_the_other_version_does_does_not_count(
    fleet: Fleet, names: list[str], roll: Roller
) -> None:
    """The old version runs on beside the new one. It has children whose start no event shows."""

    def at_sleep(number: int) -> None:
        roll.events.add(names[0], blocked("old.example"), version="2")
        roll.events.add(names[0], version="3")

    roll.clock.at_sleep = at_sleep
    assert roll(alias="live").json["result"] == "done"


def test_starts_of_the_other_version_are_no_proof(
    fleet: Fleet, names: list[str], roll: Roller
) -> None:
    roll.clock.at_sleep = lambda number: roll.events.add(names[0], version="$LATEST")
    ran = roll(alias="live")
    assert (ran.code, ran.json["result"]) == (1, "nothing seen")
    assert alias_target(fleet, names[0]) == ("2", {"3": 0.05}), "the alias must stay where it is"


class Crash(Exception):
    """A crash, which no code can handle."""


@pytest.mark.parametrize(
    "where", ["update", "publish", "published", "alias", "watching", "last alias", "back"]
)
@pytest.mark.parametrize("then", ["on", "back"])
def test_on_or_back_after_an_interruption(
    where: str,
    then: str,
    fleet: Fleet,
    names: list[str],
    roll: Roller,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A crash at each step, and then a run that continues or goes back."""
    was = current_state(fleet, names)
    orders, real_leading = stand_in.orders, journals.Journal.leading
    times = {"update": 2, "publish": 2, "alias": 2, "last alias": 6, "back": 6}
    counts: dict[str, int] = {}

    def cut(kind: str) -> None:
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] == times.get(where):
            orders.denied = {"UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"}

    def leading(journal: journals.Journal, key: Any, versions: journals.Versions) -> None:
        if where == "published" and versions.after:
            raise Crash
        real_leading(journal, key, versions)

    def at_sleep(number: int) -> None:
        acts = [blocked("evil.example")] if where == "back" else []
        roll.events.add(names[0], *acts, version="3")
        if where == "watching" and number == 2:
            raise Crash

    if where in ("update", "publish"):
        setattr(orders, f"before_{where}", lambda name: cut(where))
    elif where in ("alias", "last alias", "back"):
        orders.before_alias = lambda name: cut(where)
    monkeypatch.setattr(journals.Journal, "leading", leading)
    roll.clock.at_sleep = at_sleep
    if where in ("published", "watching"):
        with pytest.raises(Crash):
            roll(canary=("40%",), concurrency=1, alias="live")
    else:
        first = roll(canary=("40%",), concurrency=1, alias="live")
        assert (first.code, first.json["result"]) == (1, "failed"), first.out

    monkeypatch.setattr(journals.Journal, "leading", real_leading)
    orders.denied = set()
    orders.before_update = orders.before_publish = orders.before_alias = None
    roll.clock.at_sleep = lambda number: None
    ran = roll(alias="live", go_back=then == "back", rules=Rules(min_starts=0))
    if then == "back" or where == "back":
        assert ran.json["result"] == "went back", ran.out
        assert current_state(fleet, names) == was
    else:
        assert ran.json["result"] == "done", ran.out
        assert [alias_target(fleet, name) for name in names] == [("3", {})] * COUNT
    versions = fleet.client.list_versions_by_function(FunctionName=names[0])["Versions"]
    assert len(versions) <= 4, "it must be published only once"


def test_what_cannot_be_moved(fleet: Fleet, names: list[str], roll: Roller) -> None:
    def change(name: str) -> None:
        fleet.client.update_function_configuration(FunctionName=name, Timeout=9)

    fleet.client.delete_alias(FunctionName=names[0], Name="live")
    fleet.client.update_function_code(
        FunctionName=names[1], ZipFile=package("def handler(event, context):\n    return 2\n")
    )
    change(names[1])
    fleet.client.update_alias(
        FunctionName=names[2],
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
    )
    fleet.client.update_alias(FunctionName=names[3], Name="live", FunctionVersion="$LATEST")
    was = fleet.states(names)
    ran = roll(alias="live")
    assert ran.code == 2
    assert {each["function"]: (each["kind"], each["reason"]) for each in ran.json["functions"]} == {
        names[0]: ("no such alias", "it has no alias live"),
        names[1]: ("$LATEST differs", "$LATEST differs from version 2: the code; Timeout"),
        names[2]: (
            "alias split already",
            "its alias live splits its calls already (10% to version 1)",
        ),
        names[3]: (
            "alias of $LATEST",
            "its alias live leads to $LATEST, which takes no share",
        ),
    }
    assert fleet.states(names) == was
    assert not roll.journal.exists()


def test_another_hand(fleet: Fleet, names: list[str], roll: Roller, stand_in: StandIn) -> None:
    """Code that another user deploys is not brought live. Where another user moves an alias, it
    stays."""
    deployed: list[str] = []

    def before_publish(name: str) -> None:
        if name == names[0] and not deployed:
            deployed.append(name)
            fleet.client.update_function_code(FunctionName=name, ZipFile=package("x = 1\n"))

    def at_sleep(number: int) -> None:
        roll.events.add(names[1], version="3")
        if number == 1:
            fleet.client.update_alias(
                FunctionName=names[1], Name="live", FunctionVersion="1", RoutingConfig={}
            )
            fleet.client.delete_function(FunctionName=names[2])

    stand_in.orders.before_publish = before_publish
    roll.clock.at_sleep = at_sleep
    ran = roll(alias="live")
    assert (ran.code, ran.json["result"]) == (1, "done")
    assert {each["function"]: each["kind"] for each in ran.json["functions"]} == {
        names[0]: "$LATEST differs",
        names[1]: "moved by another hand",
        names[2]: "deleted since",
        names[3]: None,
    }
    assert alias_target(fleet, names[0]) == ("2", {})
    assert alias_target(fleet, names[1]) == ("1", {})
    assert alias_target(fleet, names[3]) == ("3", {})


def test_back_leaves_what_another_hand_moved(fleet: Fleet, names: list[str], roll: Roller) -> None:
    was = current_state(fleet, names)
    assert roll(alias="live").json["result"] == "nothing seen"
    other = roll()
    assert "a rollout of alias live is under way" in other.json["error"]
    fleet.client.update_alias(
        FunctionName=names[0], Name="live", FunctionVersion="1", RoutingConfig={}
    )
    fleet.client.delete_alias(FunctionName=names[1], Name="live")
    ran = roll(go_back=True)
    assert ran.code == 0, ran.out
    notes = {each["function"]: each["notes"] for each in ran.json["functions"]}
    assert notes[names[0]] == ["its alias live was moved by another hand since: left as it is"]
    assert notes[names[1]] == ["it has no alias live any more"]
    assert alias_target(fleet, names[0]) == ("1", {})
    for name in names[:2]:
        now = current_state(fleet, [name])[name]["configuration"]
        assert now == was[name]["configuration"]
    assert current_state(fleet, names[2:]) == {name: was[name] for name in names[2:]}


def test_its_plan(fleet: Fleet, names: list[str], roll: Roller) -> None:
    was = fleet.states(names)
    shown = roll(dry_run=True, as_json=False, alias="live")
    assert "stage 1: 5% of the calls of live, 4 functions" in shown.out
    assert shown.out.count(names[0]) == 1
    assert fleet.states(names) == was
    assert roll(alias="live", as_json=False, rules=Rules(min_starts=0)).code == 0
    assert roll(alias="live").json["counts"] == {"nothing to do": COUNT}, "the same again"


def test_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    key = ("1", "eu-west-1", "f")
    journal = journals.Journal(
        path, "ab", "l", [0.5, 1.0], {key[:2]: "arn"}, {key: 0}, NOON, {key: ""}, alias="live"
    )
    journal.begin()
    assert json.loads(path.read_text())["rollout"] == 2, "which the first readers refuse"
    journal.step_to(journals.Step.MOVE, 0, NOON)
    journal.leading(key, journals.Versions("2"))
    assert (journal.begun, journal.watched) == ([key], [])
    journal.leading(key, journals.Versions("2", "3"))
    assert journals.read(path) == journal
    assert journal.watched == [key]


def test_only_the_version_that_is_asked_for() -> None:
    """By the names of log streams, in both of Lambda's forms."""
    streams = ["2026/11/28/[2]ab", "2026/11/28/f[3]ab", "2026/11/28/[$LATEST]ab", "mine"]

    class Client:
        def filter_log_events(self, **asked: Any) -> dict[str, Any]:
            line = {"function_shield": True, "event": "armed", "event_version": 1, "pid": 7}
            return {
                "events": [
                    {
                        "logStreamName": stream,
                        "timestamp": 1,
                        "message": json.dumps({**line, "runtime": stream}),
                    }
                    for stream in streams
                ]
            }

    class Patience:
        def call(self, ask: Any) -> Any:
            return ask()

    target = Target(Place(Account("eu-west-1"), "eu-west-1", "1"), "f")
    patience: Any = Patience()
    source = CloudWatch(lambda _: Client(), {}, lambda _: patience)
    now = datetime.now(timezone.utc)

    def seen(version: str) -> list[str]:
        return [str(each.event["runtime"]) for each in source.records(target, now, now, version)]

    assert seen("") == streams
    assert seen("3") == [streams[1], "mine"]
    assert seen("$LATEST") == [streams[2], "mine"]
