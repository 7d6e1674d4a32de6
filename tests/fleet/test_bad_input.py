"""Failures: one line for each function with the fix, nothing half done, and an exit status that
says how many failed."""

from __future__ import annotations

import pytest

from tests.fleet.command import Ran, fshield
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.stand_in import ACCOUNT, StandIn

ATTACH = ("attach", "--layer-arn", ENGINE, "--policy", "monitor")


def lines(ran: Ran, word: str) -> list[str]:
    return [line for line in ran.out.splitlines() if line.startswith(word)]


def test_every_failure_is_one_line_with_its_mend(stand_in: StandIn, fleet: Fleet) -> None:
    others = [fleet.layer(f"other-{number}") for number in range(5)]
    fleet.function("good")
    fleet.function("five-layers", Layers=others)
    fleet.function("full", variables={"BIG": "x" * 4040})
    fleet.function("secret", variables={"KEY": "s3cr3t"})
    fleet.function("broken")
    fleet.function("denied")
    fleet.function("signed")
    names = ["good", "five-layers", "full", "secret", "broken", "denied", "signed", "missing"]
    stand_in.orders.unreadable = {"secret"}
    stand_in.orders.failures = {
        "broken": (
            400,
            "InvalidParameterValueException",
            'exceeded the 4KB limit. String measured: {"K":"hunter2"}',
        ),
        "denied": (
            403,
            "AccessDeniedException",
            "not authorized to perform: lambda:UpdateFunctionConfiguration",
        ),
        "signed": (400, "CodeVerificationFailedException", "not signed"),
    }
    before = fleet.states([name for name in names if name not in {"good", "missing"}])
    ran = fshield(stand_in, *ATTACH, *names)
    assert ran.code == 1, ran.out + ran.err
    assert len(lines(ran, "done")) == 1
    refused, failed = lines(ran, "refused"), lines(ran, "failed")
    assert len(refused) == 3
    assert len(failed) == 4
    printed = "\n".join(refused + failed)
    assert "has 5 layers already" in printed
    assert "Lambda permits 4096" in printed
    assert "would erase them; permit kms:Decrypt" in printed
    assert "there is no such function in this region and account; look at the name" in printed
    assert "iam-policy" in printed
    assert "code signing" in printed
    assert "hunter2" not in ran.out + ran.err, "an error's copy of the environment was shown"
    assert fleet.states(list(before)) == before


def test_five_layers_with_ours_among_them_is_no_reason(stand_in: StandIn, fleet: Fleet) -> None:
    others = [fleet.layer(f"other-{number}") for number in range(4)]
    fleet.function("full", Layers=[ENGINE.replace("{arch}", "x86_64"), *others])
    ran = fshield(stand_in, *ATTACH, "full")
    assert ran.code == 0, ran.out
    assert fleet.layers("full")[-1] == "function-shield-x86_64"


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("attach", "f", "--layer-arn", ENGINE), "which policy?"),
        (("attach", "f", "--policy", "monitor"), "which layer?"),
        (("attach", "f", "--policy", "monitro", "--layer-arn", ENGINE), "did you mean monitor?"),
        (("attach", "f", "--policy", "a b", "--layer-arn", ENGINE), "is not a policy's name"),
        (
            ("attach", "f", "--policy", "monitor", "--layer-arn", "nonsense"),
            "is not an ARN of a layer version",
        ),
        (
            ("attach", "f", "--policy", "monitor", "--layer-arn", ENGINE[:-1] + "9"),
            "no such layer version",
        ),
        (
            ("attach", "f", "--policy", "monitor", "--layer-arn", ENGINE.replace("eu-c", "us-c")),
            "is in us-central-1",
        ),
        (("attach", "--policy", "monitor", "--layer-arn", ENGINE), "which functions?"),
        (
            ("attach", "f", "--all", "--policy", "monitor", "--layer-arn", ENGINE),
            "which functions?",
        ),
        (("attach", "--all", "--policy", "monitor", "--layer-arn", ENGINE), "--yes"),
        (("attach", "--tag", "=x", "--policy", "monitor", "--layer-arn", ENGINE), "no tag"),
        (
            ("attach", "f:live", "--policy", "monitor", "--layer-arn", ENGINE),
            "versions do not change",
        ),
        (("detach", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"), "--region us-east-1"),
        (("detach", "no/name"), "is not a function's name"),
        (("detach", "f", "--profile", "nobody"), "list-profiles"),
        (("publish", "--dist", "nowhere"), "build.sh"),
        (("publish", "--organization-id", "acme"), "is not an organization"),
        (("iam-policy", "compile"), "no command that calls AWS"),
    ],
)
def test_what_ends_a_command_before_it_changes_anything(
    stand_in: StandIn, fleet: Fleet, words: tuple[str, ...], printed: str
) -> None:
    fleet.function("f")
    ran = fshield(stand_in, *words)
    assert ran.code == 2, ran.out + ran.err
    assert printed in ran.err, ran.err
    assert "fix:" in ran.err
    assert "Traceback" not in ran.err
    assert not stand_in.operations["UpdateFunctionConfiguration"]


def test_no_credentials(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("f")
    ran = fshield(stand_in, *ATTACH, "f", keys=False)
    assert ran.code == 2
    assert "no AWS credentials" in ran.err
    assert "sso login" in ran.err


def test_nobody_there(stand_in: StandIn, fleet: Fleet) -> None:
    stand_in.url = "http://127.0.0.1:9"
    ran = fshield(stand_in, "detach", "--all", "--yes")
    assert ran.code == 2
    assert "cannot be reached" in ran.err


def test_another_hand_meanwhile_loses_nothing(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("shared", variables={"A": "1"})
    hands: list[str] = []

    def other_hand(name: str) -> None:
        if len(hands) < 2:
            hands.append(name)
            variables = {"A": "1", f"B{len(hands)}": "theirs"}
            fleet.client.update_function_configuration(
                FunctionName=name, Environment={"Variables": variables}
            )
            stand_in.touched(name, 0)

    stand_in.orders.before_update = other_hand
    ran = fshield(stand_in, *ATTACH, "shared")
    assert ran.code == 0, ran.out + ran.err
    assert fleet.variables("shared") == {
        "A": "1",
        "B2": "theirs",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/function-shield",
        "FUNCTION_SHIELD_POLICY": "monitor",
    }


def test_a_hand_that_never_stops(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("shared", variables={"A": "1"})
    stand_in.orders.before_update = lambda name: stand_in.touched(name, 0)
    ran = fshield(stand_in, *ATTACH, "shared")
    assert ran.code == 2
    assert "another client keeps changing it" in lines(ran, "failed")[0]
    assert fleet.variables("shared") == {"A": "1"}


def test_a_function_that_is_being_updated(stand_in: StandIn, fleet: Fleet) -> None:
    for name in ("now", "soon", "never"):
        fleet.function(name)
    stand_in.touched("never", 600)
    ran = fshield(stand_in, *ATTACH, "now", "never", "--timeout", "3")
    assert ran.code == 1
    assert "now" in lines(ran, "done")[0]
    assert "has been changing for 3 s" in lines(ran, "refused")[0]
    assert fleet.variables("never") == {}
    stand_in.touched("soon", 1.0)
    ran = fshield(stand_in, *ATTACH, "soon")
    assert ran.code == 0
    assert "soon" in lines(ran, "done")[0]


def test_an_update_that_lambda_cannot_bring_live_is_a_failure(
    stand_in: StandIn, fleet: Fleet
) -> None:
    fleet.function("stuck")
    stand_in.orders.update_s = 0.2
    stand_in.orders.update_fails = {"stuck"}
    ran = fshield(stand_in, *ATTACH, "stuck")
    assert ran.code == 2
    assert "the subnet has no address left" in lines(ran, "failed")[0]


def test_max_failures_begins_no_more(stand_in: StandIn, fleet: Fleet) -> None:
    names = [f"f{number}" for number in range(12)]
    for name in names:
        fleet.function(name)
    stand_in.orders.failures = dict.fromkeys(names, (400, "InvalidParameterValueException", "no"))
    ran = fshield(stand_in, *ATTACH, *names, "--max-failures", "3", "--concurrency", "1", "--json")
    assert ran.code == 2
    assert ran.json["counts"] == {"failed": 3, "not begun": 9}


def test_a_dry_run_shows_the_change_and_makes_none(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("f", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel", "KEY": "hunter2"})
    before = fleet.state("f")
    ran = fshield(stand_in, *ATTACH, "f", "--dry-run")
    assert ran.code == 0
    for line in (
        "+ layer function-shield-x86_64:1, 1 of 1",
        "~ AWS_LAMBDA_EXEC_WRAPPER=/opt/function-shield (was /opt/otel)",
        "+ FUNCTION_SHIELD_NEXT_WRAPPER=/opt/otel",
        "+ FUNCTION_SHIELD_POLICY=monitor",
    ):
        assert line in ran.out
    assert "hunter2" not in ran.out
    assert fleet.state("f") == before


def test_functions_by_tag(stand_in: StandIn, fleet: Fleet) -> None:
    names = fleet.many(9)
    ran = fshield(stand_in, *ATTACH, "--tag", "team=payments", "--json")
    assert ran.code == 0, ran.out + ran.err
    chosen = [each["function"] for each in ran.json["functions"]]
    assert chosen == [name for number, name in enumerate(names) if number % 4 == 0]
    assert fshield(stand_in, *ATTACH, "--tag", "team=nobody").code == 2
