"""mode brings one changed variable live, and nothing else with it."""

from __future__ import annotations

import re

import pytest

from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet, package
from tests.fleet.stand_in import StandIn


@pytest.fixture
def api(stand_in: StandIn, fleet: Fleet) -> Fleet:
    """A guarded function with an alias that leads to a guarded version."""
    fleet.function("api", variables={"TABLE": "t"})
    assert fshield(stand_in, "attach", "api", "--layer-arn", ENGINE, "--policy", "strict").code == 0
    version = fleet.client.publish_version(FunctionName="api")["Version"]
    fleet.client.create_alias(FunctionName="api", Name="live", FunctionVersion=version)
    return fleet


def reached(fleet: Fleet) -> dict[str, str]:
    """The environment variables that callers of the alias reach."""
    version = fleet.client.get_alias(FunctionName="api", Name="live")["FunctionVersion"]
    answer = fleet.client.get_function_configuration(FunctionName="api", Qualifier=version)
    return dict(answer["Environment"]["Variables"])


def test_there_and_back(stand_in: StandIn, api: Fleet) -> None:
    stand_in.orders.update_s = 0.5
    before = api.variables("api")
    ran = fshield(stand_in, "mode", "api", "alert")
    assert ran.code == 0, ran.out + ran.err
    assert api.variables("api") == {**before, "FUNCTION_SHIELD_MODE": "alert"}
    seconds = re.search(r"live after ([0-9.]+) s", ran.out)
    assert seconds
    assert float(seconds[1]) >= 0.5
    assert "live (1); name it with --alias" in ran.out, (
        "callers of the alias still reach the old version, and no message says so"
    )
    assert fshield(stand_in, "mode", "api", "policy").code == 0
    assert api.variables("api") == before


def test_an_alias_is_moved_to_a_new_version(stand_in: StandIn, api: Fleet) -> None:
    ran = fshield(stand_in, "mode", "api", "off", "--alias", "live", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert reached(api)["FUNCTION_SHIELD_MODE"] == "off"
    assert ran.json["moved"] and ran.json["version"] == "2"
    again = fshield(stand_in, "mode", "api", "off", "--alias", "live", "--json")
    assert again.code == 0
    assert not again.json["written"] and not again.json["moved"]
    back = fshield(stand_in, "mode", "api", "policy", "--alias", "live")
    assert back.code == 0
    assert "FUNCTION_SHIELD_MODE" not in reached(api)


def test_goes_on_where_an_interruption_left_it(stand_in: StandIn, api: Fleet) -> None:
    stand_in.orders.denied = {"UpdateAlias"}
    ran = fshield(stand_in, "mode", "api", "alert", "--alias", "live")
    assert ran.code == 2
    assert "FUNCTION_SHIELD_MODE" not in reached(api)
    stand_in.orders.denied = set()
    assert fshield(stand_in, "mode", "api", "alert", "--alias", "live").code == 0
    assert reached(api)["FUNCTION_SHIELD_MODE"] == "alert"


def test_what_else_latest_holds_is_not_brought_live(stand_in: StandIn, api: Fleet) -> None:
    variables = {**api.variables("api"), "TABLE": "other", "NEW": "hunter2"}
    api.client.update_function_configuration(
        FunctionName="api", Environment={"Variables": variables}, Timeout=9, MemorySize=512
    )
    before = api.state("api")
    ran = fshield(stand_in, "mode", "api", "off", "--alias", "live")
    assert ran.code == 2
    assert "MemorySize; Timeout; variables NEW, TABLE" in ran.err
    assert "hunter2" not in ran.err
    assert api.state("api") == before, "something was written before it was refused"
    assert fshield(stand_in, "mode", "api", "off", "--alias", "live", "--force").code == 0
    assert reached(api)["FUNCTION_SHIELD_MODE"] == "off"


def test_a_split_of_traffic_is_not_ended_by_the_way(stand_in: StandIn, api: Fleet) -> None:
    api.client.update_alias(
        FunctionName="api",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
    )
    ran = fshield(stand_in, "mode", "api", "off", "--alias", "live")
    assert ran.code == 2
    assert "a rollout is under way" in ran.err
    assert "FUNCTION_SHIELD_MODE" not in api.variables("api")


MEANWHILE = [
    ("before_update", "the code", True),
    ("before_update", "Timeout", True),
    ("before_update", "variables TABLE", True),
    ("before_publish", "the code", True),
    ("before_publish", "the code", False),
    ("before_publish", "Timeout", True),
    ("before_publish", "variables FUNCTION_SHIELD_MODE", True),
]


@pytest.mark.parametrize(("when", "what", "revised"), MEANWHILE)
def test_what_another_hand_writes_meanwhile_is_not_brought_live(
    stand_in: StandIn, api: Fleet, when: str, what: str, *, revised: bool
) -> None:
    """Another user writes between fshield's read and its write, or between its second read and the
    publishing. The revision or the hash of the code shows it."""
    before = reached(api)
    done: list[str] = []

    def another_hand(name: str) -> None:
        if done:
            return
        done.append(name)
        if what == "the code":
            api.client.update_function_code(
                FunctionName=name, ZipFile=package("def handler(event, context): ...\n")
            )
        elif what == "Timeout":
            api.client.update_function_configuration(FunctionName=name, Timeout=9)
        else:
            changed = {**api.variables(name), what.partition(" ")[2]: "hunter2"}
            api.client.update_function_configuration(
                FunctionName=name, Environment={"Variables": changed}
            )
        if revised:
            stand_in.touched(name, 0)

    setattr(stand_in.orders, when, another_hand)
    ran = fshield(stand_in, "mode", "api", "alert", "--alias", "live")
    assert done and ran.code == 2, ran.out
    assert (
        f"changed by another hand meanwhile ({what}): no version was published, and live is as"
        " it was" in ran.err
    )
    assert "fix:" in ran.err and "hunter2" not in ran.err
    assert reached(api) == before
    assert len(api.client.list_versions_by_function(FunctionName="api")["Versions"]) == 2, (
        "there must be only $LATEST and the first version"
    )


def test_a_revision_that_changes_by_itself_is_read_again(stand_in: StandIn, api: Fleet) -> None:
    done: list[str] = []

    def once(name: str) -> None:
        if not done:
            done.append(name)
            stand_in.touched(name, 0)

    stand_in.orders.before_publish = once
    assert fshield(stand_in, "mode", "api", "alert", "--alias", "live").code == 0
    assert done and reached(api)["FUNCTION_SHIELD_MODE"] == "alert"


def test_what_cannot_be_switched(stand_in: StandIn, api: Fleet) -> None:
    api.function("bare")
    ran = fshield(stand_in, "mode", "bare", "off")
    assert ran.code == 2
    assert "it is not guarded" in ran.err
    assert fshield(stand_in, "mode", "api", "off", "--alias", "nobody").code == 2
    assert fshield(stand_in, "mode", "api", "on").code == 2
    assert "FUNCTION_SHIELD_MODE" not in api.variables("api")
