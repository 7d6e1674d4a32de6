"""``fshield self-test`` passes if the guard works, and finds every door that does not refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fshield.local.layer import Layer
from fshield.selftest.doors import DOORS, try_doors
from tests import forked
from tests.support import LAYER, ROOT, core_file

# Families of doors that never refuse, or whose refusal one call cannot show.
APART = {
    "asynchronous, printing": "write to a connection that a door has judged",
    "fds, jumping, stacks, start, receiving": "keep what is known true",
    "handles, sqlite, requests, native, loader": "judge whose machine code passes an address",
    "integrity": "what a process without privileges may not do either",
    "logging": "send each line by a socket of their own, and refuse none",
    "messages, variables": "judge what a variable leads to, and return no error",
    "options": "judge an option of a connection that is watched",
}


def self_test(*words: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    terminal = {"COLUMNS": str(columns), "TERM": "dumb"}
    environment = {**os.environ, **terminal, "FSHIELD_LAYER": str(LAYER)}
    return forked.fshield("self-test", *words, env=environment, cwd=ROOT)


def left_over() -> list[Path]:
    return list(Path("/tmp").glob("function-shield-self-test-*"))


def test_every_door_refuses(python: Path) -> None:
    done = self_test("--deep", "--json", "--python", str(python))
    assert done.returncode == 0, done
    answer = json.loads(done.stdout)
    assert (answer["ok"], answer["happened"]) == (True, [])
    assert answer["rings"] == ["interpreter", "libc"]
    assert len(answer["doors"]) == len(DOORS)
    assert all(door["refused"] and door["reported"] for door in answer["doors"])
    assert left_over() == []


def test_the_table_fits_80_columns() -> None:
    done = self_test("--deep")
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == f"{len(DOORS)} of {len(DOORS)} refused and reported"
    assert sum("refused" in line.split() for line in lines[2:-1]) == len(DOORS)


def test_without_deep_it_says_what_the_launcher_says() -> None:
    done = self_test()
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done
    assert done.stdout.endswith(": rings interpreter, libc\n")


def test_each_door_can_fail(hollow_layer: Path) -> None:
    """Under a launcher that guards nothing, every act happens. No name server is asked."""
    result = try_doors(Layer(hollow_layer), Path(sys.executable))
    assert not result.ok
    assert [tried.door.act for tried in result.tried if tried.refused or tried.reported] == []
    answers = {tried.door: tried.said for tried in result.tried}
    for door in DOORS:
        assert answers[door].startswith("not tried") == door.lookup, answers[door]
    ended = {tried.door.act for tried in result.tried if tried.said == "it ended with status 0"}
    assert ended == {"execv"}
    assert len(result.happened) == 5, result.happened
    assert left_over() == []


def test_findings_are_exit_code_1(hollow_layer: Path) -> None:
    """This launcher answers, but guards nothing."""
    launcher = hollow_layer / "function-shield"
    answer = subprocess.run(
        [LAYER / "function-shield", "--self-test", sys.executable],
        capture_output=True,
        text=True,
        check=True,
    )
    text = launcher.read_text().replace(
        "#!/bin/sh\n",
        f"#!/bin/sh\n[ $1 = --self-test ] && echo '{answer.stdout.strip()}' && exit\n",
    )
    launcher.write_text(text)
    done = self_test("--deep", "--layer", str(hollow_layer))
    assert done.returncode == 1, done
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert f"0 of {len(DOORS)} refused and reported" in done.stdout
    assert "happened: a program ran" in done.stdout


def test_what_does_not_start_is_exit_code_2(hollow_layer: Path) -> None:
    for words in (["--layer", "/nonexistent"], ["--layer", str(hollow_layer)], ["--python", "/no"]):
        done = self_test("--deep", *words)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert done.stderr.startswith("error: ")


def test_every_family_of_doors_is_tried_or_has_a_reason() -> None:
    table = core_file("doors.table").read_text()
    rows = [line.split("|") for line in table.splitlines() if line and not line.startswith("#")]
    families = {row[1].strip() for row in rows if row[3].strip() == "-"}
    tried = {door.family for door in DOORS if door.ring == "libc"}
    apart = {family for names in APART for family in names.split(", ")}
    assert families - tried - apart == set()
    assert apart <= families
    assert not apart & tried
