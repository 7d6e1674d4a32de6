"""Which functions --all takes, which it leaves out and why, and what status lists."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from fshield.errors import CouldNotRun
from fshield.fleet.exceptions import read_known
from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.stand_in import StandIn

ATTACH = ("attach", "--layer-arn", ENGINE, "--policy", "monitor")
ALL = (*ATTACH, "--all", "--yes")


def guarded(fleet: Fleet, *names: str) -> list[str]:
    return [name for name in names if "AWS_LAMBDA_EXEC_WRAPPER" in fleet.variables(name)]


def test_all_takes_runtimes_that_are_tried(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("api")
    fleet.function("bill", Runtime="java21")
    fleet.function("rail", Runtime="ruby4.0")
    ran = fshield(stand_in, *ALL)
    assert ran.code == 0, ran.out + ran.err
    assert guarded(fleet, "api", "bill", "rail") == ["api"]
    assert "2 left out, on untried runtimes (java21 1, ruby4.0 1): --include-untried" in ran.out
    assert fshield(stand_in, *ALL, "--json").json["untried"] == {"java21": 1, "ruby4.0": 1}

    # An untried runtime is taken if the function is named. Once the function is guarded, --all
    # includes it.
    assert fshield(stand_in, *ATTACH, "bill").code == 0
    again = fshield(stand_in, *ATTACH[:-1], "strict", "--all", "--yes")
    assert again.code == 0, again.out + again.err
    assert fleet.variables("bill")["FUNCTION_SHIELD_POLICY"] == "strict"
    assert guarded(fleet, "rail") == []

    assert fshield(stand_in, *ALL, "--include-untried").code == 0
    assert guarded(fleet, "rail") == ["rail"]
    assert fshield(stand_in, "detach", "--all", "--yes").code == 0
    assert guarded(fleet, "api", "bill", "rail") == []


def test_all_is_narrowed_by_name_and_runtime(stand_in: StandIn, fleet: Fleet) -> None:
    names = ("pay-api", "pay-cron", "pay-old", "search")
    for name in names:
        fleet.function(name, Runtime="python3.11" if name == "pay-old" else "python3.13")
    narrow = ("--name", "pay-*", "--exclude", "*-cron", "--runtime", "python3.13")
    assert fshield(stand_in, *ALL, *narrow).code == 0
    assert guarded(fleet, *names) == ["pay-api"]

    none = fshield(stand_in, *ALL, "--name", "nobody-*")
    assert none.code == 2
    assert "none of 4 functions" in none.err
    not_all = fshield(stand_in, *ATTACH, "search", "--exclude", "x")
    assert not_all.code == 2
    assert "narrow --all" in not_all.err
    assert guarded(fleet, "search") == []


def test_refusals_are_grouped_and_known_ones_leave_the_exit_status(
    stand_in: StandIn, fleet: Fleet, tmp_path: Path
) -> None:
    layers = [fleet.layer(f"other-{number}") for number in range(5)]
    fleet.function("api")
    for number, size in enumerate((4030, 4040)):
        fleet.function(f"full-{number}", Layers=layers)
        fleet.function(f"big-{number}", variables={"TEXT": "x" * size})
    first = fshield(stand_in, *ALL)
    assert first.code == 1
    assert "2 refused: too many layers" in first.out
    assert "2 refused: environment too large" in first.out

    known = tmp_path / "known"
    known.write_text("# agreed on\nfull-* = too many layers\nbig-0\n")
    second = fshield(stand_in, *ALL, "--known", str(known))
    assert second.code == 1, "big-1 is new"
    assert "2 refused: environment too large (1 of them known)" in second.out

    known.write_text("full-* = too many layers\nbig-* = environment too large\n")
    third = fshield(stand_in, *ALL, "--known", str(known), "--json")
    assert third.code == 0
    assert sorted(each["function"] for each in third.json["functions"] if each["known"]) == [
        "big-0",
        "big-1",
        "full-0",
        "full-1",
    ]


def test_a_file_of_known_refusals(tmp_path: Path) -> None:
    path = tmp_path / "known"
    with pytest.raises(CouldNotRun, match="cannot be read"):
        read_known(path)
    path.write_text("* = too many layers\n")
    known = read_known(path)
    assert ("api", "too many layers") in known
    assert ("api", "environment too large") not in known
    path.write_text("\n = too many layers\n")
    with pytest.raises(CouldNotRun, match="known:2"):
        read_known(path)


def test_status_lists_a_state_and_sums_all(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("api")
    fleet.function("old", Runtime="python3.9")
    fleet.function("go", Runtime="go1.x")
    assert fshield(stand_in, *ATTACH, "api", "old").code == 0

    ran = fshield(stand_in, "status", "--state", "cannot be")
    assert ran.code == 1
    assert "2 guarded, 1 cannot be" in ran.out
    assert not any(line.startswith(("api", "old ")) for line in ran.out.splitlines())
    assert "on deprecated runtimes: python3.9 1" in ran.out
    shown = fshield(stand_in, "status", "--json", "--state", "GUARDED").json
    assert [each["function"] for each in shown["functions"]] == ["api", "old"]
    assert shown["counts"] == {"guarded": 2, "cannot be": 1}
    wrong = fshield(stand_in, "status", "--state", "sleepy")
    assert wrong.code == 2
    assert "no guard" in wrong.err


def test_status_as_csv(stand_in: StandIn, fleet: Fleet) -> None:
    fleet.function("old", Runtime="python3.9")
    assert fshield(stand_in, *ATTACH, "old").code == 0
    fleet.function("left", variables={"FUNCTION_SHIELD_POLICY": "=1+1"}, Layers=fleet_layers(fleet))
    ran = fshield(stand_in, "status", "--csv")
    assert ran.code == 1
    left, old = csv.DictReader(io.StringIO(ran.out))
    assert (left["state"], left["policy"]) == ("NOT GUARDED", "'=1+1")
    assert (old["function"], old["state"], old["policy"]) == ("old", "guarded", "monitor")
    assert "python3.9 is deprecated since 2025-12-15" in old["notes"]
    assert fshield(stand_in, "status", "--csv", "--json").code == 2


def fleet_layers(fleet: Fleet) -> list[str]:
    """A function's list of layers with only the engine's."""
    return [fleet.layer("function-shield-x86_64")]
