"""fshield run and fshield invoke, as a person types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fshield.cli import local
from tests import forked
from tests.support import LAYER, ROOT, clean_environment

FUNCTION = """
    import os

    def handler(event, context):
        print("hello \\x1b[2J")
        try:
            open("/tmp/function-shield-test-command")
        except PermissionError:
            pass
        return {"got": event, "colour": os.environ.get("COLOUR")}
"""


def fshield(*arguments: str | Path, layer: Path = LAYER) -> subprocess.CompletedProcess[str]:
    environment = clean_environment({"FSHIELD_LAYER": str(layer), "PYTHONPATH": str(ROOT)})
    return forked.fshield(*arguments, env=environment, cwd=ROOT, timeout=120)


def test_run_passes_status_and_arguments_on() -> None:
    program = "import sys; print(sys.argv[1:]); sys.exit(7)"
    done = fshield(
        "run",
        "--policy",
        "default",
        "--",
        os.path.realpath(sys.executable),
        "-c",
        program,
        "--policy",
        "x",
    )
    assert done.returncode == 7
    assert done.stdout == "['--policy', 'x']\n"
    assert '"event":"armed"' in done.stderr


def test_run_blocks() -> None:
    program = "import os; os.listdir('/tmp')"
    done = fshield(
        "run",
        "--policy",
        ROOT / "policies" / "default.yaml",
        "--",
        os.path.realpath(sys.executable),
        "-c",
        program,
    )
    assert done.returncode == 1
    assert "read_write_tmp" in done.stderr


def test_run_says_what_is_missing(tmp_path: Path) -> None:
    assert "no such program" in fshield("run", "--", "no-such-program").stderr
    assert "no policy 'nix'" in fshield("run", "--policy", "nix", "--", "true").stderr
    assert "no layer with an executable" in fshield("run", "--", "true", layer=tmp_path).stderr
    assert fshield("run", "--", "no-such-program").returncode == 2


def test_invoke_shows_events_apart(tmp_path: Path, function_folder: Callable[[str], Path]) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"n": 1}')
    folder = function_folder(FUNCTION)
    arguments: list[str | Path] = [
        "invoke",
        folder,
        "--handler",
        "app.handler",
        "--event",
        event,
        "--policy",
        "default",
        "--env",
        "COLOUR=red",
    ]
    done = fshield(*arguments, "--count", "2")
    assert done.returncode == 0, done.stderr
    assert "\x1b[2J" not in done.stdout
    first, second = done.stdout.split("invocation 2")
    own, events = first.split("  events\n")
    assert "hello \\x1b[2J" in own
    assert "armed" in events
    assert "block" in events
    assert "app.py:7" in events
    assert '"colour": "red"' in second

    document = json.loads(fshield(*arguments, "--json").stdout)
    (invocation,) = document["invocations"]
    assert document["ok"]
    assert invocation["response"] == {"got": {"n": 1}, "colour": "red"}
    assert invocation["stdout"] == "hello \x1b[2J\n"
    assert [each["event"] for each in invocation["events"]] == ["armed", "violation"]


def test_invoke_unguarded_and_failing(
    tmp_path: Path, function_folder: Callable[[str], Path]
) -> None:
    event = tmp_path / "event.json"
    event.write_text("{}")
    folder = function_folder("def handler(event, context):\n    raise KeyError('x')\n")
    done = fshield("invoke", folder, "--handler", "app.handler", "--event", event, "--unguarded")
    assert done.returncode == 1
    assert "KeyError" in done.stdout
    assert "armed" not in done.stdout


def test_invoke_names_the_place_of_a_bad_event(
    tmp_path: Path, function_folder: Callable[[str], Path]
) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"n":\n 1,}')
    done = fshield(
        "invoke", function_folder(FUNCTION), "--handler", "app.handler", "--event", event
    )
    assert done.returncode == 2
    assert f"{event}:2:" in done.stderr


def test_events_in_a_file_are_what_learn_reads(
    tmp_path: Path, function_folder: Callable[[str], Path]
) -> None:
    event = tmp_path / "event.json"
    event.write_text("{}")
    code = (
        "def handler(event, context):\n"
        "    with open('/tmp/learnt.txt', 'w') as file:\n"
        "        file.write('x')\n"
    )
    written = tmp_path / "events.jsonl"
    folder = function_folder(code)
    words: list[str | Path] = ["invoke", folder, "--handler", "app.handler", "--event", event]
    done = fshield(*words, "--policy", "monitor", "--events", written)
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line)["function_shield"] for line in written.read_text().splitlines())
    learnt = fshield("learn", written)
    assert learnt.returncode == 0 and "- /tmp/learnt.txt" in learnt.stdout, learnt.stderr
    printed = fshield(*words, "--policy", "monitor", "--json")
    (tmp_path / "printed.json").write_text(printed.stdout)
    assert "- /tmp/learnt.txt" in fshield("learn", tmp_path / "printed.json").stdout


def test_events_in_a_file_are_as_on_lambda(
    tmp_path: Path, function_folder: Callable[[str], Path]
) -> None:
    """Where a module lies in the function tells its package: `replay` asks the engine by that."""
    event = tmp_path / "event.json"
    event.write_text("{}")
    folder = function_folder("import numpy.core.base\n\ndef handler(event, context):\n    pass\n")
    for name, text in {
        "numpy/core/base.py": "import _ctypes\n",
        "numpy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n",
        "numpy-1.0.dist-info/RECORD": "numpy/core/base.py,,\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    written, policy = tmp_path / "events.jsonl", tmp_path / "learnt.yaml"
    words: list[str | Path] = ["invoke", folder, "--handler", "app.handler", "--event", event]
    done = fshield(*words, "--policy", "monitor", "--events", written)
    assert done.returncode == 0, done.stderr
    (act,) = (
        one
        for one in map(json.loads, written.read_text().splitlines())
        if one["event"] == "violation"
    )
    assert act["origin"]["file"] == "/var/task/numpy/core/base.py"
    assert fshield("learn", written, "-o", policy).returncode == 0
    replayed = fshield("replay", "-p", policy, written)
    assert replayed.returncode == 0, replayed.stdout


def test_the_folder_s_name_in_another_path_stays() -> None:
    lines = '{"path":"/srv/app/m.py","file":"file:///srv/app/m.mjs","to":"/tmp/srv/app/x"}'
    assert local._as_on_lambda(lines, Path("/srv/app")) == (
        '{"path":"/var/task/m.py","file":"file:///var/task/m.mjs","to":"/tmp/srv/app/x"}'
    )
    assert local._as_on_lambda(lines, Path("/")) == lines
