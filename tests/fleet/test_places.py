"""Several regions and accounts at once: the output, and that no place affects another."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path

import pytest

from fshield.errors import CouldNotRun
from fshield.fleet.places import Place, places
from fshield.fleet.request import Account, Asked
from tests.fleet.command import Ran, fshield
from tests.fleet.functions import Fleet
from tests.fleet.stand_in import ACCOUNT, StandIn

REGIONS = ("eu-central-1", "us-east-1")
ACCOUNTS = ("111111111111", "222222222222")
PLACES = ("--region", ",".join(REGIONS), "--role-name", "guard", "--account", ",".join(ACCOUNTS))
ENGINE = "arn:aws:lambda:{region}:{account}:layer:function-shield-{arch}:1"
ATTACH = ("attach", "--layer-arn", ENGINE, "--policy", "monitor")

Fleets = dict[tuple[str, str], Fleet]


@pytest.fixture
def fleets(stand_in: StandIn) -> Fleets:
    """A fleet in each region of each account, with the engine's layers."""
    found = {}
    for account in ACCOUNTS:
        for region in REGIONS:
            fleet = found[account, region] = Fleet(stand_in, region, account)
            fleet.engines()
            fleet.function("api", variables={"WHERE": f"{account} {region}"})
    return found


def guarded(fleets: Fleets) -> set[tuple[str, str, str]]:
    return {
        (account, region, name)
        for (account, region), fleet in fleets.items()
        for each in fleet.client.list_functions()["Functions"]
        if "AWS_LAMBDA_EXEC_WRAPPER" in fleet.variables(name := each["FunctionName"])
    }


def fits(ran: Ran) -> bool:
    return all(len(line) <= 80 for line in ran.out.splitlines() if "http" not in line)


def test_attach_status_mode_and_detach_in_four_places(stand_in: StandIn, fleets: Fleets) -> None:
    fleets["222222222222", "us-east-1"].function("bill", Layers=_five(fleets))
    before = {where: fleet.states(_names(fleet)) for where, fleet in fleets.items()}

    ran = fshield(stand_in, *ATTACH, "--all", "--yes", *PLACES)
    assert ran.code == 1, ran.out + ran.err
    assert "attach 4 places  5 functions: 4 done, 1 refused" in ran.out
    assert "1 refused: too many layers" in ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["222222222222", "us-east-1", "2", "1", "1"] in rows
    assert ["111111111111", "us-east-1", "1", "1", "-"] in rows
    assert guarded(fleets) == {(*where, "api") for where in fleets}
    again = fshield(stand_in, *ATTACH, "api", *PLACES, "--json").json
    assert again["counts"] == {"nothing to do": 4}
    assert {(each["account"], each["region"]) for each in again["places"]} == set(fleets)
    assert again["region"] is None

    status = fshield(stand_in, "status", *PLACES)
    assert status.code == 1
    assert "status 4 places  5 functions: 4 guarded, 1 no guard" in status.out
    assert "222222222222 us-east-1" in status.out.splitlines()
    assert fits(status), status.out
    table = csv.DictReader(io.StringIO(fshield(stand_in, "status", *PLACES, "--csv").out))
    assert [(row["account"], row["region"]) for row in table if row["state"] == "no guard"] == [
        ("222222222222", "us-east-1")
    ]

    mode = fshield(stand_in, "mode", "api", "alert", *PLACES)
    assert mode.code == 0, mode.out + mode.err
    assert mode.out.endswith("mode alert  4 of 4 places\n")
    assert all(
        fleet.variables("api")["FUNCTION_SHIELD_MODE"] == "alert" for fleet in fleets.values()
    )

    detach = fshield(stand_in, "detach", "--all", "--yes", *PLACES, "--json")
    assert detach.code == 0, detach.out
    assert {where: fleet.states(_names(fleet)) for where, fleet in fleets.items()} == before


def test_an_arn_says_where(stand_in: StandIn, fleets: Fleets) -> None:
    arn = "arn:aws:lambda:us-east-1:222222222222:function:api"
    ran = fshield(stand_in, *ATTACH, arn, *PLACES)
    assert ran.code == 0, ran.out + ran.err
    assert guarded(fleets) == {("222222222222", "us-east-1", "api")}
    nowhere = fshield(stand_in, *ATTACH, arn.replace("us-east-1", "us-west-2"), *PLACES)
    assert nowhere.code == 2
    assert "is in no place" in nowhere.err
    mode = fshield(stand_in, "mode", arn, "alert", *PLACES, "--json").json
    assert [each["switched"] is not None for each in mode["places"]] == [False, False, False, True]


def test_one_place_fails_and_the_others_do_not(stand_in: StandIn, fleets: Fleets) -> None:
    """One place has no engine, and one region has no functions."""
    client = fleets["111111111111", "us-east-1"].client
    for architecture in ("x86_64", "arm64"):
        client.delete_layer_version(LayerName=f"function-shield-{architecture}", VersionNumber=1)
    fleets["222222222222", "us-east-1"].client.delete_function(FunctionName="api")
    ran = fshield(stand_in, *ATTACH, "--all", "--yes", *PLACES)
    assert ran.code == 1, ran.out + ran.err
    assert "failed  111111111111 us-east-1  arn:aws:lambda:us-east-1" in ran.out
    assert "there is no such layer version" in ran.out
    assert guarded(fleets) == {
        ("111111111111", "eu-central-1", "api"),
        ("222222222222", "eu-central-1", "api"),
    }
    only_bad = fshield(stand_in, *ATTACH, "api", *PLACES[:1], "us-east-1", *PLACES[2:4],
                       "--account", "111111111111")  # fmt: skip
    assert only_bad.code == 2
    nobody = fshield(stand_in, "status", *PLACES[:1], "us-west-1,us-west-2", *PLACES[2:])
    assert nobody.code == 2
    assert "no function" in nobody.err


def test_every_account_of_the_organization(stand_in: StandIn, fleet: Fleet) -> None:
    client = stand_in.client("organizations")
    client.create_organization(FeatureSet="ALL")
    other = client.create_account(Email="a@b.example", AccountName="other")["CreateAccountStatus"]
    Fleet(stand_in, account=other["AccountId"]).function("api")
    fleet.function("api")
    ran = fshield(stand_in, "status", "--role-name", "guard", "--organization", "--json")
    assert ran.code == 1, ran.out + ran.err
    assert {each["account"] for each in ran.json["functions"]} == {ACCOUNT, other["AccountId"]}
    assert stand_in.operations["AssumeRole"] == 2


def test_interrupted_in_the_middle_of_several_places(
    stand_in: StandIn, fleets: Fleets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first update in each place takes until all places have begun. No place may wait for
    another."""
    from tests.fleet.command import interrupted  # noqa: PLC0415

    begun: set[str] = set()
    all_begun, touched = threading.Barrier(len(fleets)), stand_in.touched

    def touch(key: str, seconds: float) -> None:
        place = key.rpartition("/")[0]
        if place not in begun:
            begun.add(place)
            all_begun.wait(60)
        touched(key, seconds)

    monkeypatch.setattr(stand_in, "touched", touch)
    stand_in.orders.update_s = 0.3
    for fleet in fleets.values():
        for number in range(5):
            fleet.function(f"more-{number}")
    words = (*ATTACH, "--all", "--yes", *PLACES, "--concurrency", "1", "--json")
    first = interrupted(stand_in, *words, after=6)
    assert first.code == 1, first.out + first.err
    assert first.json["interrupted"]
    done = {
        (each["account"], each["region"], each["function"])
        for each in first.json["functions"]
        if each["result"] == "done"
    }
    assert guarded(fleets) == done
    assert len({where[:2] for where in done}) == 4, "one place waited for another"
    assert fshield(stand_in, *words).code == 0
    assert len(guarded(fleets)) == 24


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            Asked(
                ("eu-central-1", "mars"),
            ),
            "--region 'mars'",
        ),
        (Asked(accounts=("111111111111",)), "need a role"),
        (Asked(organization=True), "need a role"),
        (Asked(role_name="guard"), "needs accounts"),
        (Asked(role_name="guard", accounts=("1",), organization=True), "needs accounts"),
        (Asked(role_name="guard", accounts=("1",)), "--account '1'"),
        (Asked(role_name="a role", accounts=("111111111111",)), "--role-name 'a role'"),
    ],
)
def test_what_does_not_fit_together(asked: Asked, expected: str) -> None:
    with pytest.raises(CouldNotRun) as error:
        places(asked)
    assert expected in error.value.message


def test_places_are_each_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert [each.region for each in places(Asked())] == ["eu-west-1"]
    asked = Asked(("eu-west-1, us-east-1", "eu-west-1"), role_name="path/guard",
                  accounts=("111111111111,222222222222", "111111111111"))  # fmt: skip
    found = places(asked)
    assert [each.label for each in found] == [
        "111111111111 eu-west-1",
        "111111111111 us-east-1",
        "222222222222 eu-west-1",
        "222222222222 us-east-1",
    ]
    assert found[0].account.role == "arn:aws:iam::111111111111:role/path/guard"
    china = places(Asked(("cn-north-1",), role_name="guard", accounts=("111111111111",)))
    assert china[0].account.role == "arn:aws-cn:iam::111111111111:role/guard"


def test_which_layers_a_place_uses() -> None:
    place = Place(Account(), "eu-west-1", "111111111111")
    shared = "arn:aws:lambda:eu-west-1:999999999999:layer:e:1"
    own = "arn:aws:lambda:eu-west-1:111111111111:layer:e:2"
    other = "arn:aws:lambda:us-east-1:111111111111:layer:e:3"
    assert place.arns([shared, own, other]) == [own]
    assert place.arns([shared, other]) == [shared]
    assert place.arns([other]) == [other], "the lookup must say what is wrong"
    assert place.arns([ENGINE]) == [
        "arn:aws:lambda:eu-west-1:111111111111:layer:function-shield-{arch}:1"
    ]
    with pytest.raises(CouldNotRun, match="account is not known"):
        Place(Account(), "eu-west-1").arns([ENGINE])


def _five(fleets: Fleets) -> list[str]:
    fleet = fleets["222222222222", "us-east-1"]
    return [fleet.layer(f"other-{number}") for number in range(5)]


def _names(fleet: Fleet) -> list[str]:
    return [each["FunctionName"] for each in fleet.client.list_functions()["Functions"]]
