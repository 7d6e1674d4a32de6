"""`read_handler: {also: […], quiet: […]}`: the function's source besides its handler's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import support

SECRET = "the recipe of the house"
PROBE = """
def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__
"""
MAIN = """
import sys
sys.path[:0] = [{task!r}, {site!r}]
import {module}
{module}.handler({{}}, None)
"""
FUNCTION = """
import os
from app import deep, prompts
import sentry_sdk
HERE = os.path.dirname(__file__) + "/"

def handler(event, context):
    import app.late
    print([read(HERE + name) for name in ("app/deep.py", "app/later.py", "app/data.txt")])
    print([read(HERE + name) for name in ("app/prompts.md", "main.py", "beside.py")])
    print(deep.VALUE, app.late.VALUE, sentry_sdk.read(HERE + "app/deep.py"))
"""


def policy(task: Path, mode: str = "block", **more: Any) -> str:
    rule = {"mode": mode, "also": [f"{task}/app/**", f"{task}/app/prompts.md"], **more}
    return yaml.safe_dump({"version": 1, "policy": {"default": mode, "read_handler": rule}})


@pytest.fixture
def task(tmp_path: Path) -> Path:
    (tmp_path / "site" / "sentry_sdk").mkdir(parents=True)
    (tmp_path / "site" / "sentry_sdk" / "__init__.py").write_text(PROBE)
    folder = tmp_path / "task"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "__init__.py").touch()
    for name in ("deep", "late", "later", "prompts"):
        (folder / "app" / f"{name}.py").write_text(f"VALUE = 7  # {SECRET}\n")
    (folder / "app" / "data.txt").write_text("data")
    (folder / "app" / "prompts.md").write_text(SECRET)
    (folder / "beside.py").write_text("beside")
    (folder / "main.py").write_text(PROBE + FUNCTION)
    return folder


def run(task: Path, chosen: str) -> support.Guarded:
    env = {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": "main.handler"}
    code = MAIN.format(task=str(task), site=str(task.parent / "site"), module="main")
    return support.run_guarded([sys.executable, "-c", code], policy=chosen, env=env)


@pytest.mark.parametrize("compiled", [False, True])
def test_modules_are_imported_and_not_read(task: Path, compiled: bool) -> None:
    if compiled:
        subprocess.run([sys.executable, "-m", "compileall", "-q", task], check=True)
    done = run(task, policy(task))
    assert done.stdout.splitlines() == [
        "['PolicyViolation', 'PolicyViolation', 'data']",
        "['PolicyViolation', 'PolicyViolation', 'beside']",
        "7 7 PolicyViolation",
    ], done.stderr
    assert {event["policy"] for event in done.violations} == {"read_handler"}
    assert any(event["origin"]["distribution"] == "sentry_sdk" for event in done.violations)


def test_quiet_readers_make_no_event(task: Path) -> None:
    done = run(task, policy(task, quiet=["Sentry-SDK"]))
    assert done.stdout.splitlines()[2] == "7 7 PolicyViolation"
    assert len(done.violations) == 4
    assert all(event["origin"]["distribution"] != "sentry_sdk" for event in done.violations)


def test_alert_changes_nothing(task: Path) -> None:
    done = run(task, policy(task, "alert"))
    assert done.stdout.count(SECRET) == 4
    assert {event["mode"] for event in done.violations} == {"alert"}
    assert len(done.violations) == 5


def test_a_traceback_is_no_violation(task: Path) -> None:
    (task / "app" / "late.py").write_text(f"raise ValueError('told')  # {SECRET}\n")
    done = run(task, policy(task))
    assert "ValueError: told" in done.stderr
    assert SECRET not in done.stderr
    assert done.violations == []


def guarded(task: Path, code: str, *options: str, mode: str = "block") -> support.Guarded:
    env = {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": "main.handler", "PYTHONPATH": str(task)}
    command: list[str | Path] = [sys.executable, *options, *(["-c", code] if code else [])]
    return support.run_guarded(command, policy=policy(task, mode), env=env)


def test_a_module_or_a_script_is_run(task: Path) -> None:
    """`python -m` of a listed module, and a listed script: a container or a child starts them this
    way."""
    (task / "app" / "tool.py").write_text(f"print('ran')  # {SECRET}\n")
    for options in (["-m", "app.tool"], [str(task / "app" / "tool.py")]):
        done = guarded(task, "", *options)
        assert (done.stdout, done.violations) == ("ran\n", []), done.stderr


def test_a_module_without_source_is_read_once(task: Path, tmp_path: Path) -> None:
    """The module names the folder that it was compiled in."""
    built = tmp_path / "built"
    built.mkdir()
    (built / "bare.py").write_text("VALUE = 7\n")
    subprocess.run([sys.executable, "-m", "compileall", "-b", "-q", built], check=True)
    (task / "app" / "bare.pyc").write_bytes((built / "bare.pyc").read_bytes())
    code = (
        "import importlib, app.bare\n"
        "print(app.bare.VALUE)\n"
        "try: importlib.reload(app.bare)\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    assert guarded(task, code).stdout.splitlines() == ["7", "PolicyViolation"]


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_a_callback_in_c_reads_nothing_unseen(task: Path, mode: str) -> None:
    """An atexit callback has no Python code on its stack. A read from there that returns source is
    reported."""
    (task / "main.py").write_text("VALUE = 7\n\ndef handler(event, context): pass\n")
    code = (
        "import atexit, main\n"
        "got = []\n"
        "atexit.register(lambda: print([file.read(9) for file in got]))\n"
        "atexit.register(got.extend, map(open, [main.__file__]))\n"
    )
    done = guarded(task, code, mode=mode)
    assert ("VALUE" in done.stdout) == (mode == "alert")
    assert len(done.violations) == (mode == "alert")


LOADS = {
    "both.js": "exports.VALUE = 7; // {secret}\n",
    "app.js": "module.exports = { VALUE: 7 }; // {secret}\n",
    "late.js": "module.exports = { VALUE: 7 }; // {secret}\n",
    "later.js": "// {secret}\n",
    "deep.mjs": "export const VALUE = 7; // {secret}\n",
    "late.mjs": "export const VALUE = 7; // {secret}\n",
}
NODE = """
const fs = require('fs'), here = __dirname + '/app/';
const read = (name) => { try { return fs.readFileSync(here + name, 'utf8'); }
    catch (error) { return error.code; } };
const app = require('./app/app.js');
exports.handler = async () => {
    const deep = await import('./app/deep.mjs'), late = await import('./app/late.mjs');
    const both = await import('./app/both.js');
    console.log([app, require('./app/late.js'), deep, late, both].map((one) => one.VALUE).join());
    delete require.cache[here + 'app.js'];
    let again; try { again = require('./app/app.js').VALUE; } catch (error) { again = error.code; }
    console.log(['app.js', 'late.js', 'later.js', 'deep.mjs', 'late.mjs'].map(read).join(), again);
    const { Worker } = require('worker_threads');
    const worker = new Worker(__filename);
    worker.on('message', (value) => console.log(value));
};
const { isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) parentPort.postMessage(`worker ${app.VALUE}`);
"""


@pytest.mark.parametrize("node", support.nodes())
def test_node_loads_modules(task: Path, node: Path) -> None:
    for name, text in LOADS.items():
        (task / "app" / name).write_text(text.replace("{secret}", SECRET))
    (task / "main.js").write_text(NODE)
    env = {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": "main.handler"}
    code = f"require('{task}/main.js').handler()"
    done = support.run_guarded([node, "-e", code], policy=policy(task), env=env)
    assert done.stdout.splitlines() == [
        "7,7,7,7,7",
        "EACCES,EACCES,EACCES,EACCES,EACCES EACCES",
        "worker 7",
    ], done.stderr + str(done.violations)
    assert {event["policy"] for event in done.violations} == {"read_handler"}


@pytest.mark.parametrize("node", support.nodes())
def test_node_asks_for_source_maps_quietly(task: Path, node: Path) -> None:
    """With --enable-source-maps, as TypeScript's tools recommend."""
    (task / "main.js").write_text(
        "exports.handler = () => {\n"
        "  const map = require('module').findSourceMap(__filename);\n"
        "  console.log(map && map.payload.sourcesContent); };\n"
        "//# sourceMappingURL=main.js.map\n"
    )
    (task / "main.js.map").write_text(
        '{"version":3,"sources":["main.ts"],"sourcesContent":["secret"],'
        '"mappings":"AAAA","names":[]}'
    )
    env = {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": "main.handler"}
    code = f"require('{task}/main.js').handler()"
    command: list[str | Path] = [node, "--enable-source-maps", "-e", code]
    done = support.run_guarded(command, policy="default", env=env)
    assert "secret" not in done.stdout, done.stderr
    assert (done.returncode, done.violations) == (0, [])
