"""Where events go: stderr, stdout or a path, whatever the function and the reader do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.contract.acting import attempt, python
from tests.contract.helpers import (
    PYTHON,
    launch,
)
from tests.support import (
    LAUNCHER,
    clean_environment,
)


def test_stderr_stdout_and_path(tmp_path: Path) -> None:
    code = "print('out'); import sys; print('err', file=sys.stderr)"
    for sink in ("", "stderr"):
        result = python(code, env={"FUNCTION_SHIELD_EVENTS": sink})
        assert (result.stdout, result.stderr, len(result.events)) == ("out\n", "err\n", 1)
    result = python(code, env={"FUNCTION_SHIELD_EVENTS": "stdout"})
    assert (
        result.stderr == "err\n"
        and result.stdout.startswith('{"function_shield":true')
        and "\nout\n" in result.stdout
    )
    log = tmp_path / "a log: with, odd name"
    for _ in range(2):
        result = python(code, env={"FUNCTION_SHIELD_EVENTS": str(log)})
        assert (result.stdout, result.stderr) == ("out\n", "err\n")
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == [
        "armed",
        "armed",
    ], "appended"
    python(code, env={"FUNCTION_SHIELD_EVENTS": "relative.log"}, cwd=tmp_path)
    assert (tmp_path / "relative.log").exists()


def test_refusals_go_there_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    result = launch(["no-such-command"], env={"FUNCTION_SHIELD_EVENTS": str(log)})
    assert (result.returncode, result.stderr) == (78, "")
    assert json.loads(log.read_text())["event"] == "refused"
    log.unlink()
    env = {"FUNCTION_SHIELD_EVENTS": str(log), "FUNCTION_SHIELD_MODE": "off"}
    assert launch(["/bin/true"], env=env).stderr == ""
    assert json.loads(log.read_text())["event"] == "disabled"


def test_a_path_under_tmp(tmp_name: Path) -> None:
    """/tmp is the only writable place on Lambda. The function itself still cannot reach the
    file."""
    code = attempt(f"open({str(tmp_name)!r}, 'a')")
    result = python(code, env={"FUNCTION_SHIELD_EVENTS": str(tmp_name)})
    assert result.stdout == "PolicyViolation\n"
    assert [json.loads(line)["event"] for line in tmp_name.read_text().splitlines()] == [
        "armed",
        "violation",
    ]


def test_the_function_redirects_its_own_stderr(tmp_path: Path) -> None:
    """Events still go to where stderr was at the start."""
    code = (
        f"import os\nos.dup2(os.open({str(tmp_path / 'own')!r}, os.O_CREAT | os.O_WRONLY), 2)\n"
        + attempt("os.listdir('/tmp')")
    )
    result = python(code)
    assert len(result.violations) == 1
    assert (tmp_path / "own").read_bytes() == b""
    closed = python("import os; os.close(2)\n" + attempt("os.listdir('/tmp')"))
    assert len(closed.violations) == 1


def test_a_reader_that_went_away_does_not_kill_the_function() -> None:
    with subprocess.Popen(
        [LAUNCHER, PYTHON, "-c", "import sys; sys.stdin.read(1)\n" + attempt("os.listdir('/tmp')")],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert (
            process.stderr is not None and process.stdin is not None and process.stdout is not None
        )
        process.stderr.readline()
        process.stderr.close()
        process.stdin.write("x")
        process.stdin.close()
        assert process.stdout.read() == "PolicyViolation\n"
    assert process.returncode == 0


def test_a_reader_that_is_slow() -> None:
    """A full non-blocking pipe delays the function by a bounded time, and lost events are
    counted."""
    code = (
        "import fcntl, os, time\n"
        "fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_NONBLOCK)\n"
        "begin = time.monotonic()\n"
        "for n in range(100):\n"
        "  try: os.mkdir(f'/tmp/function-shield-{n}' + 'x' * 200)\n"
        "  except OSError: pass\n"
        "print('done', time.monotonic() - begin < 20, flush=True)\n"
        "import sys; sys.stdin.read(1)\n"
        "try: os.mkdir('/tmp/function-shield-last')\nexcept OSError: pass\n"
    )
    with subprocess.Popen(
        [LAUNCHER, PYTHON, "-c", code],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert (
            process.stderr is not None and process.stdin is not None and process.stdout is not None
        )
        assert process.stdout.readline() == "done True\n"
        text = os.read(process.stderr.fileno(), 1 << 20).decode()
        process.stdin.write("x")
        process.stdin.close()
        text += process.stderr.read()
    events = [json.loads(line) for line in text.splitlines()]
    lost = sum(event.get("lost", 0) for event in events)
    assert lost > 0 and len(events) + lost == 102
