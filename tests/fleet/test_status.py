"""What status reports: functions that look guarded and are not, drift, and what callers of an alias
reach."""

from __future__ import annotations

from typing import Any

import pytest

from fshield.fleet.api.configuration import LAUNCHER, WRAPPER
from fshield.fleet.status import Expected, State, standing
from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.stand_in import StandIn
from tests.fleet.test_plan import _LAYERS, function

OURS = _LAYERS + "function-shield-x86_64:3"
GUARD = {WRAPPER: LAUNCHER, "FUNCTION_SHIELD_POLICY": "strict"}


@pytest.mark.parametrize(
    ("layers", "variables", "state", "message"),
    [
        ((OURS,), GUARD, State.GUARDED, ""),
        ((OURS,), {**GUARD, "FUNCTION_SHIELD_MODE": "alert"}, State.DRY_RUN, ""),
        ((OURS,), {**GUARD, "FUNCTION_SHIELD_MODE": "off"}, State.OFF, ""),
        ((OURS,), {**GUARD, "FUNCTION_SHIELD_MODE": "of"}, State.GUARDED, "does not start"),
        ((OURS,), {"TABLE": "t"}, State.LAYER_ONLY, "is not set"),
        ((OURS,), {WRAPPER: "/opt/otel"}, State.LAYER_ONLY, "is /opt/otel"),
        ((), GUARD, State.BROKEN, "does not start"),
        ((_LAYERS + "function-shield-policies:1",), GUARD, State.BROKEN, "does not start"),
        ((_LAYERS + "acme:1",), GUARD, State.GUARDED, "no layer of it is known as ours"),
        ((), {}, State.NONE, ""),
        (
            (OURS, _LAYERS + "otel:1"),
            GUARD,
            State.GUARDED,
            "layers after ours, which may replace it: otel",
        ),
        ((OURS, _LAYERS + "function-shield-policies:1"), GUARD, State.GUARDED, ""),
        (
            (_LAYERS + "function-shield-arm64:3",),
            GUARD,
            State.GUARDED,
            "an engine for arm64 on x86_64",
        ),
    ],
)
def test_states(
    layers: tuple[str, ...], variables: dict[str, str], state: State, message: str
) -> None:
    found = standing(function(layers, variables), Expected())
    assert found.state is state
    notes = "; ".join(found.notes())
    assert message in notes
    assert bool(message) == bool(notes), notes


def test_drift_from_what_is_expected() -> None:
    expected = Expected({"x86_64": _LAYERS + "function-shield-x86_64:7"}, "monitor")
    assert standing(function((OURS,), GUARD), expected).drift == (
        "engine is not function-shield-x86_64:7",
        "policy is strict, not monitor",
    )
    older = Expected(newest={"function-shield-x86_64": 5})
    assert "older engine than 5" in standing(function((OURS,), GUARD), older).drift[0]


def test_variables_that_cannot_be_read_are_not_called_unguarded() -> None:
    unreadable: dict[str, Any] = {
        "Environment": {"Error": {"ErrorCode": "AccessDenied", "Message": "kms"}}
    }
    assert standing(function((OURS,), **unreadable), Expected()).state is State.UNKNOWN


def test_an_alias_that_still_points_to_an_unguarded_version(
    stand_in: StandIn, fleet: Fleet
) -> None:
    fleet.function("api")
    version = fleet.client.publish_version(FunctionName="api")["Version"]
    fleet.client.create_alias(FunctionName="api", Name="live", FunctionVersion=version)
    fleet.function("bare")
    attached = fshield(stand_in, "attach", "api", "--layer-arn", ENGINE, "--policy", "strict")
    assert attached.code == 0
    ran = fshield(stand_in, "status")
    assert ran.code == 1
    assert f"alias live, version {version}: no guard" in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines()), ran.out
    new = fleet.client.publish_version(FunctionName="api")["Version"]
    shares = {"AdditionalVersionWeights": {new: 0.005}}
    fleet.client.update_alias(FunctionName="api", Name="live", RoutingConfig=shares)
    as_json = fshield(stand_in, "status", "api", "--json").json["functions"][0]
    assert as_json["state"] == "guarded"
    assert as_json["aliases"]["live"]["state"] == "no guard"
    assert as_json["aliases"]["live (0.5%)"]["state"] == "guarded"
    assert fshield(stand_in, "status", "api", "--no-aliases").code == 0
    assert fshield(stand_in, "status", "missing").code == 2


def test_status_does_not_say_that_it_goes_on(stand_in: StandIn, fleet: Fleet) -> None:
    """status only reads: there is nothing to continue."""
    fleet.function("f")
    stand_in.orders.unanswered = {"GetFunctionConfiguration"}
    ran = fshield(stand_in, "status", "f")
    assert ran.code == 2
    assert "try again" in ran.out
    assert "goes on" not in ran.out
