"""A policy layer is rolled out to a share of the functions, rolled back, and continued after any
interruption."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from fshield.errors import CouldNotRun
from fshield.fleet.api.configuration import RESTORE
from fshield.fleet.places import Place
from fshield.fleet.plan import detach, with_policies
from fshield.fleet.request import Account
from fshield.fleet.rollout import journal as journals
from fshield.fleet.rollout.journal import Step
from fshield.fleet.rollout.moves import back, forward
from fshield.fleet.rollout.stages import shares, staged
from fshield.fleet.rollout.work import Rules
from fshield.fleet.run import Target
from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.rolling import NOON, Roller, blocked, policies
from tests.fleet.stand_in import StandIn
from tests.fleet.test_plan import _LAYERS, function
from tests.fleet.test_status import GUARD, OURS

COUNT = 10
NEW = "function-shield-policies"


@pytest.fixture
def names(stand_in: StandIn, fleet: Fleet) -> list[str]:
    """Guarded functions, and one unguarded."""
    found = [f"service-{number}" for number in range(COUNT)]
    for number, name in enumerate(found):
        layers = [fleet.layer("other")] if number % 2 else []
        fleet.function(name, Layers=layers, variables={"TABLE": name})
    ran = fshield(
        stand_in, "attach", "--all", "--yes", "--layer-arn", ENGINE, "--policy", "monitor"
    )
    assert ran.code == 0, ran.out + ran.err
    fleet.function("bare")
    return found


def moved(fleet: Fleet, names: list[str]) -> list[str]:
    return [name for name in names if NEW in fleet.layers(name)]


def test_on_from_share_to_share(fleet: Fleet, names: list[str], roll: Roller) -> None:
    seen: list[int] = []

    def at_sleep(number: int) -> None:
        if not seen or len(moved(fleet, names)) != seen[-1]:
            seen.append(len(moved(fleet, names)))
            for name in moved(fleet, names):
                roll.events.add(name)

    roll.clock.at_sleep = at_sleep
    ran = roll(canary=("10%,30%",))
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["result"] == "done"
    assert seen == [1, 3], "each stage must move exactly its share"
    assert moved(fleet, names) == names
    assert moved(fleet, ["bare"]) == []
    waited = roll.clock.time - NOON
    assert timedelta(minutes=60) < waited < timedelta(minutes=65)
    assert ran.json["stages"] == [
        {"share": 0.1, "functions": 1},
        {"share": 0.3, "functions": 2},
        {"share": 1.0, "functions": 7},
    ]
    assert len(roll.events.looked_at) == 3, "events of other functions must not be read"


def test_back_at_the_first_blocked_act(fleet: Fleet, names: list[str], roll: Roller) -> None:
    before = fleet.states([*names, "bare"])

    def at_sleep(number: int) -> None:
        for name in moved(fleet, names):
            roll.events.add(name, *([blocked("collector.evil.example")] if number == 3 else []))

    roll.clock.at_sleep = at_sleep
    ran = roll(canary=("20%",))
    assert ran.code == 1, ran.out + ran.err
    assert ran.json["result"] == "went back"
    assert {(each["object"], each["origin"]) for each in ran.json["blocked"]} == {
        ("collector.evil.example:443", "inkstamp")
    }
    assert roll.clock.sleeps == 3, "it must go back as soon as the events show it"
    assert ran.json["counts"] == {"done": 2}
    assert fleet.states([*names, "bare"]) == before

    # The same policies are not tried again by mistake. Others can be tried.
    again = roll()
    assert again.code == 2
    assert "these policies went back" in again.json["error"]
    assert fleet.states([*names, "bare"]) == before


def test_what_was_blocked_before_does_not_count(
    fleet: Fleet, names: list[str], roll: Roller
) -> None:
    """Acts of processes that started under the old policies do not count either."""
    for name in names:
        roll.events.add(name, blocked("telemetry.example"), at=NOON - timedelta(hours=5))

    def at_sleep(number: int) -> None:
        for name in moved(fleet, names):
            roll.events.add(name, blocked("telemetry.example"))
            roll.events.add(name, blocked("other.example"), digest="0" * 64)

    roll.clock.at_sleep = at_sleep
    ran = roll()
    assert ran.code == 0, ran.out + ran.err
    assert moved(fleet, names) == names

    roll.journal.unlink()
    fshield(roll.stand_in, "detach", "--all", "--yes")
    fshield(roll.stand_in, "attach", "--all", "--yes", "--layer-arn", ENGINE, "--policy", "monitor")
    without = roll(rules=Rules(baseline=timedelta(0)))
    assert without.json["result"] == "went back"


def test_no_start_is_no_proof(fleet: Fleet, names: list[str], roll: Roller) -> None:
    ran = roll()
    assert ran.code == 1
    assert ran.json["result"] == "nothing seen"
    assert len(moved(fleet, names)) == 1
    waited = roll.clock.time
    again = roll()
    assert again.json["result"] == "nothing seen"
    assert roll.clock.time - waited > timedelta(minutes=30), "it must watch for the same time again"
    shown = roll(as_json=False)
    assert "--min-starts 0" in shown.out
    assert roll(rules=Rules(min_starts=0)).json["result"] == "done"
    assert moved(fleet, names) == names


@pytest.mark.parametrize("where", ["first stage", "watching", "last stage", "back"])
def test_on_after_an_interruption(
    where: str, fleet: Fleet, names: list[str], roll: Roller, stand_in: StandIn
) -> None:
    """A crash, which no code can handle."""
    before = fleet.states(names)
    updates: list[str] = []

    class Crash(Exception):
        pass

    def before_update(name: str) -> None:
        updates.append(name)
        at = {"first stage": 2, "last stage": 6, "back": 5}.get(where)
        if len(updates) == at:
            stand_in.orders.failures = dict.fromkeys(names, (403, "ExpiredTokenException", ""))

    def at_sleep(number: int) -> None:
        for name in moved(fleet, names):
            roll.events.add(name, *([blocked("evil.example")] if where == "back" else []))
        if where == "watching" and number == 2:
            raise Crash

    stand_in.orders.before_update = before_update
    roll.clock.at_sleep = at_sleep
    if where == "watching":
        with pytest.raises(Crash):
            roll(canary=("40%",), concurrency=1)
    else:
        first = roll(canary=("40%",), concurrency=1)
        assert first.code == 1, first.out
        assert first.json["result"] in ("interrupted", "failed")
    there = len(moved(fleet, names))
    assert there == {"first stage": 1, "watching": 4, "last stage": 5, "back": 4}[where]

    stand_in.orders.failures = {}
    roll.clock.time += timedelta(hours=3)
    roll.clock.at_sleep = lambda number: None
    second = roll()  # other shares are given now: those in the journal count
    if where == "back":
        assert second.json["result"] == "went back"
        assert fleet.states(names) == before
    elif where == "first stage":
        assert second.json["result"] == "nothing seen"
        assert len(moved(fleet, names)) == 4
    else:
        assert second.json["result"] == "done", second.out
        assert moved(fleet, names) == names


def test_back_by_hand(fleet: Fleet, names: list[str], roll: Roller, tmp_path: Path) -> None:
    before = fleet.states(names)
    assert roll(go_back=True).code == 2, "there is none"
    assert roll(canary=("50%",)).json["result"] == "nothing seen"
    other = roll(archive=policies(tmp_path, "block"))
    assert "of other policies is under way" in other.json["error"]
    fleet.client.update_function_configuration(
        FunctionName="bare", Environment={"Variables": {"A": "B"}}
    )
    ran = roll(go_back=True)
    assert ran.code == 0, ran.out
    assert ran.json["counts"] == {"done": 5}
    assert fleet.states(names) == before


def test_functions_that_cannot_be_moved(fleet: Fleet, names: list[str], roll: Roller) -> None:
    fshield(roll.stand_in, "attach", names[0], "--layer-arn", ENGINE, "--policy", "strict")
    ran = roll("bare", names[0])
    assert ran.code == 2
    assert {each["function"]: each["kind"] for each in ran.json["functions"]} == {
        "bare": "not guarded",
        names[0]: "policy not in the layer",
    }
    assert not roll.journal.exists()
    plan = roll(dry_run=True, canary=("30%",))
    assert plan.code == 0
    assert [each["functions"] for each in plan.json["stages"]] == [3, 6]
    shown = roll(dry_run=True, as_json=False)
    assert "stage 1: until 5%, 1 functions" in shown.out
    assert "1 refused: policy not in the layer" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    layers = fleet.client.list_layer_versions(LayerName=NEW)["LayerVersions"]
    assert len(layers) <= 1, "a plan publishes nothing"


def test_functions_that_are_deleted_meanwhile(fleet: Fleet, names: list[str], roll: Roller) -> None:
    """The rollout does not wait for deleted functions, and reports that they are gone."""
    assert roll(canary=("50%",)).json["result"] == "nothing seen"
    there = moved(fleet, names)
    rest = [name for name in names if name not in there]
    for name in (there[0], rest[0]):
        fleet.client.delete_function(FunctionName=name)
    on = roll(rules=Rules(min_starts=0))
    assert on.code == 1
    assert on.json["result"] == "done"
    assert [each["function"] for each in on.json["functions"] if each["kind"]] == [rest[0]]
    assert moved(fleet, there[1:] + rest[1:]) == there[1:] + rest[1:]


def test_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert journals.read(path) is None
    key = ("1", "eu-west-1", "f")
    journal = journals.Journal(
        path, "ab", "l", [0.5, 1.0], {key[:2]: "arn"}, {key: 0}, NOON, {key: "group"}
    )
    journal.begin()
    journal.step_to(Step.MOVE, 0, NOON)
    journal.moving(key, journals.Moved(("a",), ("a", "b"), {RESTORE: (None, "x")}))
    journal.step_to(Step.WATCH, 0, NOON + timedelta(minutes=1))
    found = journals.read(path)
    assert found == journal
    content = path.read_bytes()
    path.write_bytes(content + b'{"step":"done","sta')
    assert journals.read(path) == journal, "a cut line must be ignored"
    # What is appended after the cut line must not be lost.
    again = journals.read(path)
    assert again is not None
    again.step_to(Step.BACK, 0, NOON, "why")
    last = journals.read(path)
    assert last is not None and (last.step, last.why) == (Step.BACK, "why")
    path.write_text("{}\n")
    with pytest.raises(CouldNotRun, match="is not a rollout's journal"):
        journals.read(path)
    path.write_text(json.dumps({"rollout": 3}) + "\n")
    with pytest.raises(CouldNotRun, match="another version of fshield"):
        journals.read(path)


ARN = _LAYERS + "function-shield-policies:9"
OLD = _LAYERS + "function-shield-policies:1"


@pytest.mark.parametrize(
    ("layers", "after"),
    [
        ((OURS,), (OURS, ARN)),
        ((OURS, OLD), (OURS, ARN)),
        ((_LAYERS + "a:1", OURS, OLD, _LAYERS + "b:1"), None),
        ((OLD, OURS), (ARN, OURS)),
    ],
)
def test_a_move_and_back(layers: tuple[str, ...], after: tuple[str, ...] | None) -> None:
    """Forward changes only the policy layer, and back restores everything."""
    start = function(layers, {**GUARD, "A": "B"})
    noted: list[journals.Moved] = []
    change = forward(start, ARN, {"strict"}, noted.append)
    assert change.layers == (after or tuple(ARN if each == OLD else each for each in layers))
    assert [each for each in change.layers if each != ARN] == [e for e in layers if e != OLD]
    there = function(change.layers, dict(change.variables))
    assert detach(there).layers == detach(start).layers
    assert detach(there).variables == detach(start).variables
    undone = back(there, ARN, noted[0])
    assert (undone.layers, dict(undone.variables)) == (layers, start.variables)
    assert back(start, ARN, noted[0]).empty


def test_back_keeps_what_another_hand_did() -> None:
    start = function((OURS, OLD), GUARD)
    noted: list[journals.Moved] = []
    change = forward(start, ARN, {"strict"}, noted.append)
    more = function((_LAYERS + "new:1", *change.layers), {**change.variables, "NEW": "1"})
    undone = back(more, ARN, noted[0])
    assert undone.layers == (_LAYERS + "new:1", OURS, OLD)
    assert undone.variables["NEW"] == "1"
    other = function((OURS, _LAYERS + "function-shield-policies:10"), GUARD)
    left = back(other, ARN, noted[0])
    assert left.empty and "another hand" in left.notes[0]


def test_a_layer_of_another_name_is_known_to_detach() -> None:
    arn = _LAYERS + "acme-rules:4"
    change = with_policies(function((OURS,), GUARD), arn)
    assert change.layers == (OURS, arn)
    assert RESTORE in change.variables
    assert detach(function(change.layers, dict(change.variables))).layers == ()


def test_shares() -> None:
    assert shares(["5%"]) == [0.05, 1.0]
    assert shares(["5%,25%", "100%"]) == [0.05, 0.25, 1.0]
    for wrong in ("5", "0%", "101%", "25%,5%", "x"):
        with pytest.raises(CouldNotRun):
            shares([wrong])
    place = Place(Account(), "eu-west-1")
    targets = [Target(place, f"f-{number}") for number in range(1000)]
    first = staged(targets, [0.05, 0.25, 1.0], "a")
    assert [list(first.values()).count(stage) for stage in range(3)] == [50, 200, 750]
    assert first == staged(targets[::-1], [0.05, 0.25, 1.0], "a")
    other = staged(targets, [0.05, 0.25, 1.0], "b")
    assert {t for t in targets if first[t] == 0} != {t for t in targets if other[t] == 0}
    assert list(staged(targets[:3], [0.05, 1.0], "a").values()).count(0) == 1
