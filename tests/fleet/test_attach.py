"""attach and detach, for one function and for several, against the stand-in."""

from __future__ import annotations

from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, WITHOUT_WRAPPER, Fleet
from tests.fleet.stand_in import StandIn

ATTACH = ("attach", "--layer-arn", ENGINE, "--policy", "monitor")


def test_attach_then_detach_gives_back_what_was_there(stand_in: StandIn, fleet: Fleet) -> None:
    names = fleet.many(24)
    before = fleet.states(names)
    attached = fshield(stand_in, *ATTACH, *names)
    assert attached.code == 0, attached.out + attached.err
    for number, name in enumerate(names):
        variables = fleet.variables(name)
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/function-shield"
        assert variables["FUNCTION_SHIELD_POLICY"] == "monitor"
        assert "FUNCTION_SHIELD_MODE" not in variables
        assert fleet.layers(name)[-1] == f"function-shield-{'arm64' if number % 3 else 'x86_64'}"
        if number % 5 == 0 and number % 7:
            assert variables["FUNCTION_SHIELD_NEXT_WRAPPER"] == "/opt/otel-instrument"
    assert stand_in.operations["UpdateFunctionConfiguration"] == len(names)

    again = fshield(stand_in, *ATTACH, *names)
    assert again.code == 0
    assert stand_in.operations["UpdateFunctionConfiguration"] == len(names), (
        "a function that was attached already was changed"
    )

    detached = fshield(stand_in, "detach", *names)
    assert detached.code == 0, detached.out + detached.err
    assert fleet.states(names) == before


def test_a_runtime_without_wrappers_is_refused_with_the_reason(
    stand_in: StandIn, fleet: Fleet
) -> None:
    for runtime in WITHOUT_WRAPPER:
        fleet.function(runtime.replace(".", "-"), Runtime=runtime)
    fleet.function(
        "image",
        PackageType="Image",
        Code={"ImageUri": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/i:1"},
    )
    ran = fshield(stand_in, *ATTACH, "--all", "--yes")
    assert ran.code == 2
    lines = [line for line in ran.out.splitlines() if line.startswith("refused")]
    assert len(lines) == 3
    assert any("OS-only" in line for line in lines)
    assert any("static" in line for line in lines)
    assert any("container image" in line and "COPY" in line for line in lines)
    assert stand_in.operations["UpdateFunctionConfiguration"] == 0
