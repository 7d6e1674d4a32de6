"""DuckDB makes the same table as the plain fold, whatever a log holds."""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.errors import CouldNotRun
from fshield.evidence.cloudwatch import Connection
from fshield.evidence.stream import EventReader
from fshield.evidence.tables import batches, engine, kinds, lane, lanes, places
from fshield.evidence.tables.engine import Table
from fshield.evidence.tables.lane import Lane
from fshield.evidence.tables.rows import LATER, Row, Stamp, folded
from tests.evidence.lines import filtered, logs, processes, subscription
from tests.fshield.recorded import Log, stack
from tests.support import run_guarded

FOR_SOME = """version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - {host: api.stripe.com, only_for: [stripe, redis]}
"""
EXAMPLES = int(os.environ.get("EVIDENCE_CASES", "15"))
#: Without shrinking: a failing log is small enough to read, and shrinking takes minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
_FOLLOWED = (
    "events", "cut", "too_long", "not_ours", "newer", "repeated", "unnumbered", "missing", "lost",
    "clock_back", "untimed", "unreadable_files",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


def fshield(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def by_sql(files: list[str], stamp: Stamp | None = None) -> tuple[list[Row], dict[str, int]]:
    with Table(stamp or Stamp()) as table:
        rows = list(table.read(files).finish())
        return rows, {name: getattr(table.counts, name) for name in _FOLLOWED}


def by_fold(files: list[str]) -> tuple[list[Row], dict[str, int]]:
    reader = EventReader()
    rows = folded(reader.files(files))
    return rows, {name: getattr(reader.counts, name) for name in _FOLLOWED}


def written(folder: Path, contents: list[bytes], packed: bool = False) -> list[str]:
    names = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.log"
        path.write_bytes(gzip.compress(content) if packed else content)
        names.append(str(path))
    return names


@settings(
    max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
@given(st.one_of(logs(), processes()), st.booleans(), st.sampled_from(["one", "batches", "lanes"]))
def test_sql_makes_the_table_of_the_plain_fold(
    folder: Path, contents: list[bytes], packed: bool, how: str
) -> None:
    files = written(folder, contents, packed)
    with pytest.MonkeyPatch.context() as patched:
        if how != "one":
            patched.setattr(batches, "_SIZE", 0)
        if how == "lanes":
            force_lanes(patched)
        found = by_sql(files)
    wanted = by_fold(files)
    assert found[1] == wanted[1]
    differing = [row for row in found[0] if row not in wanted[0]]
    assert (differing, [row for row in wanted[0] if row not in found[0]]) == ([], [])
    assert found == wanted


def force_lanes(patched: pytest.MonkeyPatch) -> None:
    """Make the reader split even a small log into lanes, however many cores there are."""
    patched.setattr(engine, "_SAMPLED", 1)
    patched.setattr(lanes, "_MOST", 3)


def repeated(logs: tuple[list[bytes], list[bytes]]) -> list[bytes]:
    """Two logs of the same processes, one after the other, and then the first again."""
    return [*logs[0], *logs[1], *logs[0]]


@settings(
    max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
@given(
    st.tuples(processes(), processes()).map(repeated),
    st.sampled_from([1, 2, 1000]),
    st.booleans(),
)
def test_what_a_batch_knows_of_those_before_it_changes_nothing(
    folder: Path, contents: list[bytes], kinds: int, beside: bool
) -> None:
    files = written(folder, contents)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batches, "_SIZE", 0)
        if beside:
            force_lanes(patched)
        patched.setattr(lane, "_KINDS", kinds)
        assert by_sql(files) == by_fold(files)


#: What to insert into a line: delimiters, and keys at places where the engine does not write them.
_PIECES = (
    "", "x", " ", '"', "\\", "7", "0", "-", ",", "}", "\r", "\u00fc", "null", 'Id":', ',"ring":"',
    ',"pid":', '"nonce":"', ',"lost":3', ',"tenantId":"t"', "T", ":", ".", "e1", "f", "F",
)  # fmt: skip


@settings(
    max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_lines_that_are_nearly_of_a_known_kind_mean_what_they_say(
    folder: Path, data: st.DataObject
) -> None:
    """Changes the parts of a line that differ between lines of one kind: there a change is easiest
    to miss."""
    log = Log()
    for host in ("a.example", "b.example"):
        log = log.host(host).host(host)
    lines = []
    for text in log.lines:
        event = json.loads(text)
        event["event"] = data.draw(st.sampled_from(["violation", "allowed"]))
        event["requestId"] = data.draw(st.sampled_from([None, "169c17aa", "b-3"]))
        lines.append(json.dumps(event, separators=(",", ":")))
    changed = []
    for line in lines * 2:
        own = ('"timestamp":', '"requestId":', '"ring":', ',"pid":', '"nonce":', '"seq":')
        begin = line.index(data.draw(st.sampled_from(own))) + data.draw(st.integers(-2, 34))
        end = begin + data.draw(st.sampled_from([0, 0, 1, 2, 9]))
        changed.append(line[:begin] + data.draw(st.sampled_from(_PIECES)) + line[end:])
    files = written(folder, ["\n".join(text).encode() for text in (lines * 2, changed, lines)])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batches, "_SIZE", 0)
        assert by_sql(files) == by_fold(files)


def test_lines_of_a_known_kind_are_not_taken_apart_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log().host("a.example").host("a.example").host("b.example")
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    files = written(folder, ["\n".join(lines).encode()] * 2)
    apart: list[int] = []
    learn = Lane._learn_templates

    def counted(lane: Lane) -> bool:
        apart.append(lane._number("SELECT count(*) FROM alike"))
        return learn(lane)

    monkeypatch.setattr(Lane, "_learn_templates", counted)
    monkeypatch.setattr(batches, "_SIZE", 0)
    assert by_sql(files) == by_fold(files)
    assert apart == [2, 1]


def test_a_moment_is_the_one_that_the_reader_finds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Log().host("a.example").host("a.example").lines
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in lines]
    moments = (
        "2026-11-24T06:00:00.00000 Z", "2026-1-24T06:00:00.0000000Z", " 2026-11-24T06:00:00.00000Z",
        "2026-11-24T06:00:0 .000000Z", "2026-11-24 06:00:00.000000Z", "2026-11-24T06:00:00,000000Z",
        "2026-02-30T06:00:00.000000Z", "2026-11-24T24:00:00.000000Z", "2026-11-24T06:00:60.000000Z",
        "1926-11-24T06:00:00.000000Z", "2226-11-24T06:00:00.000000Z", "2099-11-24T06:00:00.000000z",
        "2026-11-24T06:00:00.0+0100Z", "2026-11-24T06:00:00.00000\u0660Z",
    )  # fmt: skip
    changed = [
        line.replace(str(json.loads(line)["timestamp"]), moment)
        for moment in moments
        for line in lines
    ]
    files = written(folder, ["\n".join(text).encode() for text in (lines, changed, lines)])
    monkeypatch.setattr(batches, "_SIZE", 0)
    assert by_sql(files) == by_fold(files)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_process_is_the_one_that_the_reader_finds(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Lines of a known kind are read without looking up the process of each."""
    log = Log().host("a.example").host("a.example").host("a.example")
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    nonce = str(json.loads(lines[0])["nonce"])
    escaped = f"\\u{ord(nonce[0]):04x}{nonce[1:]}"
    old, new = (
        ('"pid":', '"pid":0'),
        (nonce, escaped),
        (',"nonce"', ',"seq":7,"nonce"'),
    )[number]
    changed = [line.replace(old, new) for line in lines]
    files = written(folder, ["\n".join(text).encode() for text in (lines, changed, lines)])
    monkeypatch.setattr(batches, "_SIZE", 0)
    assert by_sql(files) == by_fold(files)


def test_a_function_that_a_line_names_is_its_process_s(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of a known kind are read without asking for it."""
    log = Log().host("a.example").host("a.example").host("a.example")
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    named = [line.replace('"policy_name":', '"function":"orders","policy_name":') for line in lines]
    nonce = str(json.loads(lines[0])["nonce"])
    others = [line.replace(nonce, "f" * 16) for line in (lines[0], *named[1:])]
    contents = (lines, [lines[0], *named[1:]], others)
    files = written(folder, ["\n".join(text).encode() for text in contents])
    monkeypatch.setattr(batches, "_SIZE", 0)
    wanted = by_fold(files)
    assert {row.key.function for row in wanted[0]} == {"", "orders"}
    assert by_sql(files) == wanted


def test_lines_of_known_kinds_follow_each_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Log().host("a.example").host("a.example").host("a.example").lines
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in lines]
    nonce = str(json.loads(lines[0])["nonce"])
    others = [line.replace(nonce, "f" * 16) for line in lines]
    again = [others[number] for number in (0, 2, 1, 2)]
    # A process's first line may come without a name, and the next one with it.
    named = subscription(lines[:1], "/other") + b"\n" + subscription(lines[1:])
    monkeypatch.setattr(batches, "_SIZE", 0)
    for contents in (
        ["\n".join(text).encode() for text in (lines, again)],
        [named, named.replace(nonce.encode(), b"f" * 16)],
    ):
        files = written(folder, contents)
        assert by_sql(files) == by_fold(files)


def test_a_line_behind_one_that_is_left_over_has_its_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Log().host("a.example").host("a.example").host("a.example").lines
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in lines]
    nonce = str(json.loads(lines[0])["nonce"])
    others = [line.replace(nonce, "f" * 16) for line in lines]
    # The reader reads what has an escape in its object.
    others[0] = others[0].replace("a.example", "\\u0061.example")
    contents = (lines, lines[:1] + others, others[1:])
    files = written(folder, ["\n".join(text).encode() for text in contents])
    monkeypatch.setattr(batches, "_SIZE", 0)
    assert by_sql(files) == by_fold(files)


@settings(
    max_examples=EXAMPLES // 3,
    deadline=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
@given(logs(), logs())
def test_tables_merge_to_the_table_of_both(
    folder: Path, first: list[bytes], second: list[bytes]
) -> None:
    parts: list[Row] = []
    for name, contents in (("a", first), ("b", second)):
        with Table() as table:
            table.read(written(folder, contents)).finish().write(folder / f"{name}.parquet")
            parts += list(table)
    with Table() as table:
        table.read([str(folder / "a.parquet"), str(folder / "b.parquet")]).finish()
        found = list(table)
        assert table.events == sum(row.events for row in parts)
    with Table() as again:
        assert list(again.add(parts).finish()) == found
    assert sum(row.times for row in found) == sum(row.times for row in parts)


def test_rows_that_are_not_in_order_are_sorted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log().host("a.example").host("b.example").host("a.example")
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    files = written(folder, ["\n".join([*lines, lines[1]]).encode()])
    wanted = by_fold(files)
    assert wanted[1]["repeated"] == 1 and wanted[1]["missing"] == 0
    monkeypatch.setattr(kinds, "TAKEN", f"SELECT * FROM ({kinds.TAKEN}) ORDER BY ord DESC")
    assert by_sql(files) == wanted


def for_a_tenant(lines: bytes) -> bytes:
    """The same events, from invocations for a tenant."""
    changed = lines.replace(b',"ring":"', b',"tenantId":"blue team/7","ring":"')
    assert changed != lines
    return changed


def written_by_the_engine(folder: Path) -> Path:
    """Events of a real guarded run."""
    program = folder / "app.py"
    program.write_text(
        "import socket, subprocess\n"
        "def act(what, *arguments):\n"
        "    try: what(*arguments)\n"
        "    except OSError: pass\n"
        "for name in ('a', 'b', 'a'): act(open, f'/tmp/{name}', 'w')\n"
        "act(socket.create_connection, ('127.66.66.66', 81), 1)\n"
        "act(subprocess.run, ['/bin/ls'])\n"
    )
    events = folder / "events.log"
    guarded = run_guarded(
        [sys.executable, program], policy="default", env={"FUNCTION_SHIELD_EVENTS": str(events)}
    )
    assert guarded.returncode == 0, guarded.stderr
    return events


@pytest.mark.parametrize("tenant", [False, True])
def test_sql_takes_every_line_of_the_engine_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tenant: bool
) -> None:
    events = written_by_the_engine(folder)
    wanted = by_fold([str(events)])
    if tenant:
        events.write_bytes(for_a_tenant(events.read_bytes()))
        assert by_fold([str(events)]) == wanted
    # Every line must be read by SQL, none by EventReader.
    monkeypatch.setattr(
        EventReader, "_events", lambda *_: pytest.fail("a line was not read by SQL")
    )
    found = by_sql([str(events)])
    assert found == wanted
    assert {row.key.event for row in found[0]} == {"armed", "violation"}
    assert all(row.key.runtime.startswith("python3") for row in found[0])
    assert all(len(row.key.policy_sha256) == 64 for row in found[0])


def test_sql_unwraps_what_cloudwatch_wraps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written_by_the_engine(folder).read_text().splitlines()
    for content in (subscription(lines, each=4), filtered(lines)):
        files = written(folder, [content])
        wanted = by_fold(files)
        with monkeypatch.context() as patched:
            # Every line must be read by SQL, none by EventReader.
            patched.setattr(
                EventReader, "_events", lambda *_: pytest.fail("a line was not unwrapped by SQL")
            )
            found = by_sql(files)
        assert found == wanted
        assert found[1]["events"] == len(lines)


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_the_first_lines_of_a_large_log_teach_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    lines = written_by_the_engine(tmp_path).read_text().splitlines() * 3
    content = subscription(lines, each=4) if wrapped else "\n".join(lines).encode()
    files = written(tmp_path, [content, content])
    monkeypatch.setattr(engine, "_SAMPLED", 1)
    known: list[int] = []
    place = Lane._place

    def placed(lane: Lane, batch: batches.Batch) -> None:
        place(lane, batch)
        if not batch.limit:
            known.append(lane._number("SELECT count(*) FROM placed WHERE act IS NOT NULL"))

    monkeypatch.setattr(Lane, "_place", placed)
    assert by_sql(files) == by_fold(files)
    assert known == [2 * sum('"event":"violation"' in line for line in lines)]


def test_a_line_that_is_not_surely_wrapped_is_left_to_the_reader(folder: Path) -> None:
    line = json.dumps(json.loads(Log().host("a.example").lines[0]), separators=(",", ":"))
    wrapped = json.dumps(line)
    others = (line, json.dumps(wrapped), wrapped[:-40], json.dumps(line + "\t"), "function_shield")
    for other in others:
        files = written(folder, [f"{wrapped} {other} {wrapped}".encode()])
        assert by_sql(files) == by_fold(files)
    # Cut after the string's escapes, before the closing brace.
    for cut in (wrapped[:-2], f"{wrapped} {wrapped[:-2]}", f"{wrapped[:-2]} {wrapped}"):
        files = written(folder, [cut.encode()])
        assert by_sql(files) == by_fold(files)


@pytest.mark.parametrize("plain", [False, True])
def test_no_line_brings_holes_of_its_own(folder: Path, plain: bool) -> None:
    """A forged line holds the marks that templates use for their variable parts. If they were taken
    for such parts, the line could end early and hide what follows."""
    line = json.dumps(json.loads(Log().host("a.example").lines[0]), separators=(",", ":"))
    before, behind = line.split(',"requestId":')
    ring = behind[behind.index(',"ring":') : behind.index(',"pid":')]
    forged = f'{before}\x01"\x01{ring}\x01,"requestId":{behind}'
    lines = [line if plain else json.dumps(line), forged if plain else json.dumps(forged)]
    files = written(folder, ["\n".join(lines * 2).encode()])
    wanted = by_fold(files)
    assert wanted[1]["cut"] == 2
    assert by_sql(files) == wanted


@pytest.mark.parametrize("size", [3 << 20, 5 << 20, 33 << 20])
def test_lines_of_any_length_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    log = Log().host("a.example").host("b.example").host("a.example")
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in log.lines]
    lines.insert(1, f"function_shield {'x' * size}")
    one_by_one: list[str] = []
    read = Lane._one_by_one

    def counted(lane: Lane, name: str) -> None:
        one_by_one.append(name)
        read(lane, name)

    monkeypatch.setattr(Lane, "_one_by_one", counted)
    files = written(folder, ["\n".join(lines).encode()] * 2)
    assert by_sql(files) == by_fold(files)
    assert one_by_one == (files if size > 32 << 20 else [])


def test_learn_and_report_say_the_same_however_events_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table, a log, which is read as one, and single lines, where there is no DuckDB."""
    log = Log().host("api.example").host("api.example", *stack("tintkit")).host("b.example")
    log.add("read_write_tmp", path="/tmp/tmpk3v9_x2q", operation="create")
    for asker in ("tintkit", "function"):
        log.host(
            "api.stripe.com",
            *stack("tintkit"),
            reason="only_for",
            entry_source="own.yaml:6",
            only_for="stripe redis",
            asker=asker,
        )
    policy = tmp_path / "own.yaml"
    policy.write_text(FOR_SOME)
    plain, table = log.write(tmp_path / "events.log"), tmp_path / "table.parquet"
    assert fshield("evidence", plain, "-o", table).exit_code == 0
    answers = {}
    for words in (
        ("learn",),
        ("learn", "--by-dependency"),
        ("report",),
        ("report", "--policy", policy, "--against", policy),
        ("replay", "--policy", policy),
        ("fix", "--policy", policy),
    ):
        of_log, of_table = (
            json.loads(fshield(*words, "--json", source).stdout) for source in (plain, table)
        )
        with monkeypatch.context() as patched:
            patched.setattr(engine, "available", lambda: False)
            of_lines = json.loads(fshield(*words, "--json", plain).stdout)
        for answer in (of_log, of_table, of_lines):
            for key in ("lines", "others", "bytes"):
                answer.get("skipped", {}).pop(key, None)
        assert of_table == of_log == of_lines, words
        answers[words] = json.dumps(of_table)
    assert "allowed for stripe, redis; asked by function" in answers["report",]


def test_a_log_of_one_line_is_read_as_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventReader, "files", lambda *_: pytest.fail("read line by line"))
    plain = Log().host("api.example").write(tmp_path / "events.log")
    assert json.loads(fshield("report", "--json", plain).stdout)["events"] == 1


@pytest.mark.parametrize("command", ["report", "evidence"])
def test_no_line_of_a_pipe_is_lost(tmp_path: Path, command: str) -> None:
    """`fshield report <(zcat log.gz)`: what is read of a pipe to see what it is cannot be read
    again."""
    log = Log()
    for number in range(40):
        log.host(f"h{number}.example")
    reading, writing = os.pipe()
    content = log.write(tmp_path / "events.log").read_bytes()
    assert os.write(writing, content) == len(content)
    os.close(writing)
    out = ("-o", f"{tmp_path}/t.parquet") if command == "evidence" else ()
    found = fshield(command, "--json", f"/dev/fd/{reading}", *out)
    os.close(reading)
    assert json.loads(found.stdout)["events"] == 40, found.stdout


def test_a_table_without_later_columns_is_read(tmp_path: Path) -> None:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    plain = Log().host("api.example", count=3).write(tmp_path / "events.log")
    assert fshield("evidence", plain, "-o", new).exit_code == 0
    with engine.connect(str(tmp_path)) as to:
        later = ", ".join(LATER)
        to.execute(f"COPY (SELECT * EXCLUDE ({later}) FROM '{new}') TO '{old}' (FORMAT parquet)")
    assert by_sql([str(old)])[0] == by_sql([str(new)])[0]
    with engine.connect(str(tmp_path)) as to:
        to.execute(f"COPY (SELECT * EXCLUDE (reason) FROM '{new}') TO '{old}' (FORMAT parquet)")
    assert fshield("report", "--json", old).exit_code == 2


def test_folders_and_patterns_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in (1, 2):
        Log().host(f"h{number}.example").write(tmp_path / f"{number}.log")
    (tmp_path / ".hidden").write_text("no")
    for source in (tmp_path, tmp_path / "*.log"):
        with places.at_hand([str(source)], Connection()) as files:
            assert list(files) == [str(tmp_path / "1.log"), str(tmp_path / "2.log")]
    with pytest.raises(CouldNotRun, match="no file is there"):
        places.local(str(tmp_path / "*.json"))


def test_add_reads_only_what_is_new(tmp_path: Path) -> None:
    table, first, second = (tmp_path / name for name in ("t.parquet", "1.log", "2.log"))
    Log().host("a.example").write(first)
    for events in (1, 1, 3):
        if events == 3:
            Log().host("b.example").host("b.example").write(second)
        found = fshield("evidence", "--add", "--json", tmp_path / "*.log", "-o", table)
        assert json.loads(found.stdout)["events"] == events, found.stdout


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.parquet"
    wrong.write_bytes(b"PAR1 and nothing else")
    found = fshield("report", "--json", wrong)
    assert found.exit_code == 2
    assert "is not a table of evidence" in found.stdout


def test_events_say_their_account_and_region_or_the_option_does(tmp_path: Path) -> None:
    log = (
        Log()
        .host("a.example")
        .host("b.example", function_arn="arn:aws:lambda:eu-west-1:123456789012:function:orders:7")
    )
    files = [str(log.write(tmp_path / "events.log"))]
    first, second = by_sql(files, Stamp("000000000000", "us-east-1"))[0]
    assert first.key[:4] == ("000000000000", "us-east-1", "", "")
    assert second.key[:4] == ("123456789012", "eu-west-1", "", "7")
    assert folded(EventReader().files(files), Stamp("000000000000", "us-east-1")) == [first, second]
