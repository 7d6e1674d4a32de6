"""The table of Lambda's runtimes: what attach and status support, and what the tests run."""

from __future__ import annotations

import datetime
import subprocess

import pytest

from fshield.fleet.api.runtimes import fitness
from fshield.fleet.plan import attach
from fshield.fleet.status import Expected, standing
from fshield.local import pins
from fshield.runtimes import runtimes
from tests.fleet.test_plan import _LAYERS, function, wanted
from tests.support import interpreters, nodes


@pytest.mark.parametrize(
    ("identifier", "notes"),
    [
        ("java8.al2023", ("tried on java8.al2023 with a stand-in for its client only",)),
        ("java11.al2023", ("tried on java11.al2023 with a stand-in for its client only",)),
        ("java17.al2023", ("tried on java17.al2023 with a stand-in for its client only",)),
        ("ruby4.0", ("untried on ruby4.0",)),
        ("ruby3.4", ("tried on ruby3.4 with a stand-in for its client only",)),
    ],
)
def test_runtimes_of_this_year_are_known(identifier: str, notes: tuple[str, ...]) -> None:
    fit = fitness("Zip", identifier)
    assert (fit.refused, fit.notes) == (None, notes)
    assert attach(function(Runtime=identifier), wanted()).request()


def test_what_is_newer_than_the_table_is_said_to_be() -> None:
    assert fitness("Zip", "python3.99").notes == ("python3.99 is newer than this fshield: untried",)


def test_a_deprecated_runtime_is_named_and_no_defect_of_the_guard() -> None:
    since = "python3.9 is deprecated since 2025-12-15"
    assert since in fitness("Zip", "python3.9").notes
    guard = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/function-shield", "FUNCTION_SHIELD_POLICY": "strict"}
    engine = f"{_LAYERS}function-shield-x86_64:3"
    found = standing(function((engine,), guard, Runtime="python3.9"), Expected())
    assert (found.remarks, found.notes(), found.fine) == ((since,), [since], True)


def test_a_date_to_come_is_no_deprecation() -> None:
    row = runtimes()["python3.11"]
    assert row.deprecated is not None
    assert not row.is_deprecated(row.deprecated - datetime.timedelta(1))
    assert row.is_deprecated(row.deprecated)


def test_rows_are_whole() -> None:
    rows = runtimes().values()
    assert len(rows) > 20
    for row in rows:
        assert row.system in {"AL1", "AL2", "AL2023"}
        assert row.wrapper == (row.system != "AL1" and row.language != "-"), row
        assert (row.client == "-") == (row.tried is None), row


def test_what_is_tried_is_on_this_machine_or_can_be_fetched() -> None:
    """The names in ``tried`` are those that tests.support finds. No runtime here is older or newer
    than the table."""
    tried = {row.tried for row in runtimes().values() if row.tried}
    here = set()
    for path in [*interpreters(), *nodes()]:
        output = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        word = output.stdout.split()[-1].lstrip("v")
        parts = word.split(".")
        here.add(f"python3.{parts[1]}" if "Python" in output.stdout else f"node{parts[0]}")
    assert here & tried
    pythons = {name for name in here if name.startswith("python")}
    assert pythons <= tried, pythons - tried
    newest = max(int(name.partition(".")[2]) for name in tried if name and name[:6] == "python")
    assert (3, newest) == pins.RUNTIME_CLIENT_NEWEST
