"""Three hundred functions, throttling, and Ctrl-C in the middle. At the end everything is as
before, byte for byte."""

from __future__ import annotations

from tests.fleet.command import fshield, interrupted
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.stand_in import StandIn

COUNT = 300
MANY = ("--concurrency", "24")
ALL = ("--all", "--yes", "--include-untried")
ATTACH = ("attach", *ALL, "--layer-arn", ENGINE, "--policy", "monitor", *MANY, "--json")


def test_attach_status_mode_and_detach_leave_no_trace(stand_in: StandIn, fleet: Fleet) -> None:
    names = fleet.many(COUNT)
    before = fleet.states(names)
    stand_in.orders.throttle = 0.2
    stand_in.orders.update_s = 0.05

    first = interrupted(stand_in, *ATTACH, after=COUNT // 3)
    assert first.code == 1, first.out + first.err
    counts = first.json["counts"]
    assert first.json["interrupted"]
    assert counts["not begun"] >= COUNT // 3
    assert counts["done"] + counts["not begun"] == COUNT
    assert set(first.json["counts"]) == {"done", "not begun"}, "something was half done"
    for entry in first.json["functions"]:
        guarded = (
            fleet.variables(entry["function"]).get("AWS_LAMBDA_EXEC_WRAPPER")
            == "/opt/function-shield"
        )
        assert guarded == (entry["result"] == "done"), entry

    second = fshield(stand_in, *ATTACH)
    assert second.code == 0, second.out + second.err
    assert second.json["counts"] == {"done": counts["not begun"], "nothing to do": counts["done"]}
    assert second.json["throttled"] > 0

    status = fshield(stand_in, "status", "--json", "--no-aliases", "--policy", "monitor")
    assert status.code == 0, status.out + status.err
    assert {each["state"] for each in status.json["functions"]} == {"guarded"}
    assert len(status.json["functions"]) == COUNT

    mode = fshield(stand_in, "mode", names[0], "alert")
    assert mode.code == 0, mode.out + mode.err
    assert fleet.variables(names[0])["FUNCTION_SHIELD_MODE"] == "alert"

    third = interrupted(stand_in, "detach", "--all", "--yes", *MANY, "--json", after=COUNT // 2)
    assert third.code == 1, third.out + third.err
    last = fshield(stand_in, "detach", "--all", "--yes", *MANY, "--json")
    assert last.code == 0, last.out + last.err
    stand_in.orders.throttle = 0.0
    after = fleet.states(names)
    assert after == before
    assert stand_in.throttled > COUNT // 10
