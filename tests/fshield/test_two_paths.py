"""An event that shows both paths of a rename: how it is learnt, fixed, replayed and counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.cli.learn import notes
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.evidence.acts import Act, Evidence
from fshield.evidence.fix import fix
from fshield.evidence.learnt import Learnt
from fshield.evidence.replay import replay
from fshield.evidence.stream import EventReader
from fshield.evidence.tables.rows import folded, records
from fshield.evidence.touched import Touched, dependencies
from fshield.fleet.ready_checks import Wanted, checks, kinds_of, seen_in
from fshield.language.loader import resolve
from fshield.language.policy import Mode
from fshield.language.reader import parse
from tests.fshield.learning import learnt
from tests.fshield.recorded import Log
from tests.fshield.reports import read, report

TMP = "read_write_tmp"
PART, FINAL = Act(TMP, "/tmp/a.part"), Act(TMP, "/tmp/final")


def renames(*pairs: tuple[str, str], **more: Any) -> Log:
    log = Log()
    for path, to in pairs:
        log.add(TMP, path=path, operation="rename", **({"to": to} if to else {}), **more)
    return log


def one(**more: Any) -> Log:
    """A file that is written and then renamed to its final name, twice."""
    log = Log().add(TMP, path="/tmp/a.part", operation="create", count=2, **more)
    return log.add(TMP, path="/tmp/a.part", operation="rename", to="/tmp/final", count=2, **more)


def policy(*allowed: str, mode: str = "block") -> str:
    lines = "".join(f"\n      - {path}" for path in allowed)
    allow = f"\n    allow:{lines}" if allowed else ""
    return f"version: 1\npolicy:\n  read_write_tmp:\n    mode: {mode}{allow}\n"


def replayed(evidence: Evidence, *allowed: str) -> dict[str, tuple[Mode, int, bool, bool]]:
    text = policy(*allowed).encode()
    compiled = native.Compiled(compile_policy(resolve(parse("p.yaml", text), "p")))
    return {
        found.act.target: (found.met.mode, found.seen.count, found.would_break, found.would_pass)
        for found in replay(compiled, evidence, native.Facts())
    }


def paths(found: Learnt) -> list[str]:
    return [line.value for line in found.lines]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_both_are_acts_and_one_counts() -> None:
    evidence = one().evidence()
    assert evidence.events == 2
    assert {act: seen.count for act, seen in evidence} == {PART: 4, FINAL: 2}
    assert evidence.pairs == {FINAL: {PART: Counter(alert=2)}}
    seen = evidence.acts[PART]
    assert evidence.times([PART], seen) == 4
    seen.add(evidence.acts[FINAL])
    assert seen.count == 6 and evidence.times([PART, FINAL], seen) == 4


def test_a_table_says_the_same() -> None:
    reader = EventReader()
    rows = folded(record for line in one().lines for record in reader.line(line))
    assert [(row.key.path, row.key.other_path, row.times) for row in rows] == [
        ("/tmp/a.part", "", 2),
        ("/tmp/a.part", "/tmp/final", 2),
    ]
    evidence = Evidence().read(records(rows))
    assert {act: seen.count for act, seen in evidence} == {PART: 4, FINAL: 2}
    assert evidence.pairs == {FINAL: {PART: Counter(alert=2)}}


def test_both_are_learnt() -> None:
    found = learnt(one())
    assert paths(found) == ["/tmp/a.part", "/tmp/final"]
    assert "4 times" in found.text("p") and "2 times" in found.text("p")


def test_both_become_one_pattern() -> None:
    log = renames(("/tmp/out-1.json", "/tmp/out-2.json"), ("/tmp/out-2.json", "/tmp/out-3.json"))
    found = learnt(log)
    assert paths(found) == ["/tmp/out-*.json"]
    assert "# 2 times" in found.text("p")


def test_names_of_one_form_are_one_act() -> None:
    """Both names have s3transfer's ending, so one pattern matches both."""
    log = renames(("/tmp/photo.jpg.6fC2A1b9", "/tmp/photo.jpg.0aD4e2F7"))
    evidence = log.evidence()
    (seen,) = evidence.acts.values()
    assert seen.count == 1 and evidence.pairs == {}
    assert paths(learnt(log)) == ["/tmp/photo.jpg.????????"]


def test_a_download_by_boto3() -> None:
    log = Log()
    for name, ending in (("a", "6fC2A1b9"), ("b", "0aD4e2F7"), ("c", "9eB1c3D5")):
        log.add(TMP, path=f"/tmp/{name}.jpg.{ending}", operation="create")
        log.add(TMP, path=f"/tmp/{name}.jpg.{ending}", operation="rename", to=f"/tmp/{name}.jpg")
    assert paths(learnt(log)) == ["/tmp/*.jpg", "/tmp/*.jpg.????????"]


def test_what_becomes_a_file_with_a_pattern_gets_that_pattern() -> None:
    """Two downloads, and DuckDB, which writes beside an existing file and then renames."""
    log = renames(
        ("/tmp/shop-a.csv.6fC2A1b9", "/tmp/shop-a.csv"),
        ("/tmp/shop-b.csv.0aD4e2F7", "/tmp/shop-b.csv"),
        ("/tmp/tmp_sums-a.parquet", "/tmp/sums-a.parquet"),
    ).add(TMP, path="/tmp/sums-b.parquet", operation="create")
    assert paths(learnt(log)) == [
        "/tmp/shop-*.csv",
        "/tmp/shop-*.csv.????????",
        "/tmp/sums-*.parquet",
        "/tmp/tmp_sums-*.parquet",
    ]


def test_what_becomes_a_file_with_a_name_of_its_own_keeps_its_own() -> None:
    log = renames(("/tmp/openpyxl.q8_x2k9d", "/tmp/book.xlsx"), ("/tmp/a.part", "/tmp/part"))
    assert paths(learnt(log)) == [
        "/tmp/a.part",
        "/tmp/book.xlsx",
        "/tmp/openpyxl.????????",
        "/tmp/part",
    ]


def test_one_name_of_an_older_layer_is_noted() -> None:
    def noted(log: Log) -> list[str]:
        return [note for note in notes(learnt(log)) if "renamed" in note]

    assert noted(renames(("/tmp/a.part", "/tmp/final"))) == []
    (note,) = noted(renames(("/tmp/a.part", "")))
    assert note.startswith("/tmp/a.part: renamed,")
    # A newer layer reported the same path with its other name as well.
    assert noted(renames(("/tmp/a.part", ""), ("/tmp/a.part", "/tmp/final"))) == []
    (note,) = noted(renames(("/tmp/a.part", "/tmp/final"), ("/tmp/b.part", "")))
    assert note.startswith("/tmp/b.part: renamed,")


@pytest.mark.parametrize(
    ("allowed", "written"),
    [
        ((), ["/tmp/a.part", "/tmp/final"]),
        (("/tmp/a.part",), ["/tmp/final"]),
        (("/tmp/final",), ["/tmp/a.part"]),
    ],
)
def test_fix_writes_what_is_missing(
    allowed: tuple[str, ...], written: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(policy(*allowed))
    evidence = renames(("/tmp/a.part", "/tmp/final"), mode="block").evidence()
    found = fix(path, evidence)
    assert [line.value for line in found.lines] == written
    path.write_text(found.changed)
    assert fix(path, evidence).lines == []


def test_replay_counts_one_act_where_either_is_refused() -> None:
    evidence = one().evidence()

    def found(*allowed: str) -> dict[str, tuple[Mode, int, bool]]:
        return {key: met[:3] for key, met in replayed(evidence, *allowed).items()}

    assert found() == {"/tmp/a.part": (Mode.BLOCK, 4, True)}
    assert found("/tmp/final") == {"/tmp/a.part": (Mode.BLOCK, 4, True)}
    assert found("/tmp/a.part") == {
        "/tmp/a.part": (Mode.ALLOW, 2, False),
        "/tmp/final": (Mode.BLOCK, 2, True),
    }
    assert found("/tmp/a.part", "/tmp/final") == {"/tmp/a.part": (Mode.ALLOW, 4, False)}


def test_replay_of_a_blocked_rename_passes_where_both_do() -> None:
    evidence = renames(("/tmp/a.part", "/tmp/final"), mode="block").evidence()
    assert not any(met[3] for met in replayed(evidence).values())
    assert not any(met[3] for met in replayed(evidence, "/tmp/a.part").values())
    assert not any(met[3] for met in replayed(evidence, "/tmp/final").values())
    assert replayed(evidence, "/tmp/*") == {"/tmp/a.part": (Mode.ALLOW, 1, False, True)}


def test_replay_as_a_command(tmp_path: Path) -> None:
    log = one().write(tmp_path / "log")
    path = tmp_path / "p.yaml"
    for allowed, code in ((("/tmp/a.part",), 1), (("/tmp/a.part", "/tmp/final"), 0)):
        path.write_text(policy(*allowed))
        done = run("replay", "-p", path, log)
        assert done.exit_code == code, done.output
        assert ("/tmp/final" in done.output) == bool(code)


def test_a_report_counts_the_act_once(tmp_path: Path) -> None:
    evidence: Touched = read(one())
    (dependency,) = dependencies(evidence)
    assert dependency.done == Counter(alert=4)
    assert {touch.act.target: touch.tally.done.total() for touch in dependency.touches} == {
        "/tmp/a.part": 4,
        "/tmp/final": 2,
    }
    found = report(tmp_path, one())
    (own,) = found["dependencies"]
    assert own["done"] == {"alert": 4}
    assert "/tmp/final" in json.dumps(own)


def test_a_function_of_a_fleet_counts_it_once() -> None:
    evidence: Touched = read(one(function="orders"))
    (inside,) = evidence.fleet.values()
    assert inside.rules == {TMP: Counter(alert=4)}


def test_ready_knows_the_second_name_and_counts_once() -> None:
    reader = EventReader()
    log = renames(("/tmp/a.part", "/tmp/final"), ("/tmp/a.part", "/tmp/other"), count=3)
    seen = seen_in(record for line in log.lines for record in reader.line(line))
    found = {kind.target: (kind.count, kind.times) for kind in kinds_of(seen)}
    assert found == {"/tmp/a.part": (6, 6), "/tmp/final": (3, 0), "/tmp/other": (3, 0)}
    last = max(kind.first for kind in kinds_of(seen))
    figures = {check.name: check.found for check in checks(seen, Wanted(), last)}
    assert figures["would have been blocked"] == "3 kinds of acts, ×6"


def test_tail_shows_both(tmp_path: Path) -> None:
    log = renames(("/tmp/a.part", "/tmp/final"), message="")
    done = run("tail", log.write(tmp_path / "log"))
    assert "to=/tmp/final" in done.output


def test_a_temporary_name_is_told_by_the_name_it_was_renamed_to() -> None:
    """Jinja2's cache of bytecode, and eight characters directly after a word."""
    digest = "/tmp/__jinja2_4dc7c9ec434ed06502767136789763ec11d2c4b7.cache"
    for made, final in (("xi4dh52r.tmp", digest), ("opmoqkaq", "/tmp/report.json")):
        log = Log().add(TMP, path=final + made, operation="create")
        log.add(TMP, path=final + made, operation="rename", to=final)
        pattern = paths(learnt(log))[-1]
        assert pattern.endswith(".cache????????.tmp" if "." in made else ".json????????")


@pytest.mark.parametrize("word", ["_partial", "download", ".partial", "_working", "-tempory"])
def test_a_word_after_the_final_name_is_not_taken_for_tempfile_s(word: str) -> None:
    log = renames((f"/tmp/data{word}", "/tmp/data"))
    assert paths(learnt(log)) == ["/tmp/data", f"/tmp/data{word}"]


def test_replay_says_how_many_kinds_passed(tmp_path: Path) -> None:
    """Blocked acts do not count as acts that passed."""
    strict = tmp_path / "p.yaml"
    strict.write_text(policy("/tmp/a.part"))
    log = Log().add(TMP, path="/tmp/b", operation="create", mode="block", policy_mode="block")
    done = run("replay", "-p", strict, log.write(tmp_path / "log"))
    assert "no act of the log passed" in done.stdout and done.exit_code == 0
    log.add(TMP, path="/tmp/a.part", operation="create")
    done = run("replay", "-p", strict, log.write(tmp_path / "log"))
    assert "none of 1 kind of act that passed would be blocked under p" in done.stdout
    log.add(TMP, path="/tmp/c", operation="create")
    done = run("replay", "-p", strict, log.write(tmp_path / "log"))
    assert "1 of 2 kinds of acts that passed would be blocked under p" in done.stdout
