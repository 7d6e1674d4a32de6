"""The demonstration works, and it can fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from fshield.local import demo
from fshield.local.emulator import Function
from fshield.local.outside import Outside
from tests.support import LAYER, ROOT, clean_environment


def run_demo(layer: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fshield.local.demo", "--layer", str(layer), *arguments]
    environment = clean_environment({"PYTHONPATH": str(ROOT)})
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


def test_every_line_is_true_under_the_layer() -> None:
    done = run_demo(LAYER)
    assert done.returncode == 0, done.stdout + done.stderr
    *table, last = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in table)
    assert last == "5 of 5 acts stopped and named; same response, same picture"
    steps = re.findall(r"^ *[0-9.]+ s  (.{1,25})", done.stderr, re.MULTILINE)
    assert steps == [
        "Lambda's emulator and run",
        "the thumbnailer without t",
        "the thumbnailer with the ",
    ]
    assert "tintbox/_report.py:" in done.stdout
    assert not demo.STASH.exists()
    assert not demo.MARK.exists()


def test_it_fails_under_a_layer_that_guards_nothing(hollow_layer: Path) -> None:
    done = run_demo(hollow_layer, "--json")
    assert done.returncode == 1, done.stderr
    *acts, work = json.loads(done.stdout)["rows"]
    assert not any(row["true"] for row in acts)
    assert work["true"]


def test_a_dry_run_changes_nothing_and_names_every_act() -> None:
    with Outside(*demo.OUTSIDE) as outside, demo.storage() as store:
        seen = []
        for options in ({"guarded": False}, {"layer": LAYER, "policy": "monitor"}):
            function = Function(
                demo.EXAMPLE, "app.handler", env={"AWS_ENDPOINT_URL": store.address}, **options
            )
            seen.append(demo.run_once(function, outside, store))
    bare, watched = seen
    assert watched.invocation.response == bare.invocation.response
    assert (watched.invocation.stdout, watched.invocation.stderr) == (
        bare.invocation.stdout,
        bare.invocation.stderr,
    )
    assert watched.thumbnail == bare.thumbnail
    assert (watched.mark, watched.stash, watched.arrived.keys()) == (
        bare.mark,
        bare.stash,
        bare.arrived.keys(),
    )
    violations = [event for event in watched.invocation.events if event["event"] == "violation"]
    counts: dict[str, int] = {}
    for event in violations:
        assert event["mode"] == "alert"
        counts[event["policy"]] = counts.get(event["policy"], 0) + event["count"]
    assert counts == {
        "outbound_connectivity": 3,
        "read_handler": 1,
        "create_child_process": 1,
        "read_write_tmp": 1,
    }
