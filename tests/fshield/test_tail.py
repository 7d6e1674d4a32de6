"""Tailing shows an event as soon as it arrives, once, and only if it was asked for."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence import tail as tailing
from fshield.evidence.cloudwatch import Window
from fshield.evidence.tail import growing
from tests.fshield.recorded import Log, stack
from tests.support import clean_environment

START = datetime(2026, 11, 24, 6, tzinfo=timezone.utc)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = Log().host("api.rates.example", *stack("requests"), message="one")
    log.host("collector.evil.example", *stack("tintkit"), mode="block", message="two")
    log.add("read_write_tmp", *stack("tintkit"), path="/tmp/x", message="three")
    log.lines.append(
        '{"function_shield":true,"event":"armed","policy_name":"monitor","message":"four"}'
    )
    log.lines.append("the function's own words")
    return log.write(tmp_path / "events.log")


def shown(*arguments: str | Path) -> list[str]:
    done = CliRunner().invoke(app, ["tail", "--json", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return [json.loads(line)["message"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["one", "two", "three", "four"]),
        (("--rule", "read_write_tmp"), ["three"]),
        (("--rule", "read_write_tmp", "--rule", "outbound_connectivity"), ["one", "two", "three"]),
        (("--mode", "block"), ["two"]),
        (("--dependency", "tintkit"), ["two", "three"]),
        (("--dependency", "requests"), ["one"]),  # not the innermost frame, but on the stack
        (("--dependency", "tintkit", "--mode", "alert"), ["three"]),
        (("--dependency", "nobody"), []),
    ],
)
def test_filters(log: Path, options: tuple[str, ...], expected: list[str]) -> None:
    assert shown(log, *options) == expected


def test_what_was_cut_short_is_shown_whatever_was_asked_for(log: Path) -> None:
    with log.open("a") as stream:
        stream.write('{"function_shield":true,"event":"viol\n')
    assert len(shown(log, "--mode", "block")) == 2


def test_an_event_is_shown_before_the_pipe_ends() -> None:
    command = [sys.executable, "-m", "fshield", "tail", "--json"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(Log().host("x.example", message="now").lines[0].encode() + b"\n")
        process.stdin.flush()
        # This would block forever if it waited for the end of the file.
        assert json.loads(process.stdout.readline())["message"] == "now"
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_reader_that_has_seen_enough_ends_it_without_a_word(tmp_path: Path) -> None:
    log = Log()
    for _ in range(3000):
        log.host("x.example", message="m" * 200)
    command = f'"{sys.executable}" -m fshield tail {log.write(tmp_path / "events.log")} | head -1'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 0 and done.stderr == "" and done.stdout.count("\n") == 1


def test_a_terminal_gets_colours_and_no_escapes_of_a_log(tmp_path: Path) -> None:
    log = Log().host("x.example", mode="block", message="\x1b]0;owned\x07 \u202e tried")
    path = log.write(tmp_path / "events.log")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fshield", "tail", str(path)]
    subprocess.run(
        command, stdout=theirs, stdin=subprocess.DEVNULL, env=clean_environment(), check=True
    )
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[1;31mblock" in text
    assert "\x1b]" not in text and "\u202e" not in text and "\\x1b]0;owned" in text


# ---- a log group ----


class Group:
    """Answers each question with the next prepared answer."""

    def __init__(self, *answers: list[Mapping[str, Any]]) -> None:
        self.answers = list(answers)
        self.asked: list[Window] = []

    def messages(self, window: Window) -> Iterator[Mapping[str, Any]]:
        self.asked.append(window)
        yield from self.answers.pop(0)


class Enough(Exception):
    pass


def follow(group: Group, times: int) -> list[str]:
    now = [START]

    def sleep(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)
        if len(group.asked) == times:
            raise Enough

    found = []
    with pytest.raises(Enough):
        begin = START - timedelta(minutes=10)
        for message in growing(group, begin, 5, lambda: now[0], sleep):  # type: ignore[arg-type]
            found.append(message["eventId"])
    return found


def message(name: str) -> Mapping[str, Any]:
    return {"eventId": name, "message": name, "timestamp": 1}


def test_following_shows_late_events_and_each_once() -> None:
    group = Group(
        [message("a"), message("b")],
        [message("a"), message("late"), message("b"), message("c")],
        [],
    )
    assert follow(group, 3) == ["a", "b", "late", "c"]
    assert group.asked[0].since == START - timedelta(minutes=10)
    # Each question goes back before the first one's time by as much as an event may be late, but
    # never over the whole window again.
    assert group.asked[1].since == START - tailing.LATE
    assert group.asked[2].since == START + timedelta(seconds=5) - tailing.LATE


def test_what_was_shown_is_remembered_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "MAX_SHOWN", 2)
    group = Group([message(name) for name in "abcd"], [message("d"), message("c"), message("e")])
    assert follow(group, 2) == ["a", "b", "c", "d", "e"]


def test_a_log_group_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("logs", region_name="eu-central-1")
        client.create_log_group(logGroupName="/aws/lambda/f")
        client.create_log_stream(logGroupName="/aws/lambda/f", logStreamName="s")
        at = int(datetime.now(timezone.utc).timestamp() * 1000)
        old, new = (
            Log().host("x.example", message=text, nonce=text * 4).lines[0]
            for text in ("older", "newer")
        )
        for when, line in ((at - 3_600_000, old), (at - 60_000, new), (at - 50_000, "START")):
            client.put_log_events(
                logGroupName="/aws/lambda/f",
                logStreamName="s",
                logEvents=[{"timestamp": when, "message": line}],
            )
        group = ("--log-group", "/aws/lambda/f", "--region", "eu-central-1")
        assert shown(*group) == ["newer"]
        assert shown(*group, "--since", "2h") == ["older", "newer"]
        assert shown(*group, "--function", "f") == ["newer"]
        assert shown(*group, "--function", "g") == []


@pytest.mark.parametrize(
    "arguments",
    [["--follow", "x"], ["x", "--log-group", "g"], ["--since", "soon", "--log-group", "g"]],
)
def test_what_cannot_be_ends_with_2_and_a_mend(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["tail", *arguments])
    assert done.exit_code == 2 and "fix:" in done.output


def test_what_says_the_same_one_after_the_other_is_one_line(tmp_path: Path) -> None:
    log = Log()
    for number in range(5):
        log.host("a.example", message="reach a", count=2 if number == 1 else 1)
    log.host("b.example", message="reach b").host("a.example", message="reach a")
    log.host("a.example", message="reach a", repeats=True, count=3)
    file = str(log.write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["tail", file])
    lines = [line for line in done.stdout.splitlines() if "reach" in line]
    assert len(lines) == 3 and "×6" in lines[0] and "×" not in lines[1] and "×4" in lines[2]
    piped = CliRunner().invoke(app, ["tail", "-"], input=Path(file).read_text())
    assert piped.stdout.count("reach") == 8 and "×3 more" in piped.stdout
