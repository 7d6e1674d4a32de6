"""The handler's source is sealed before its first line runs."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import Guarded, rules, run_bare, run_guarded

BLOCK = rules(handler="block")
ALERT = rules(handler="alert")

HANDLER = """
import evil
import json, decimal, string

def handle():
    return "SECRET-SOURCE" * 0 + "answer"

def fail():
    raise ValueError("on purpose")
"""

# Imported by the handler, and by programs that try again later.
EVIL = """
import importlib.util, inspect, io, linecache, os, sys, zipimport
SOURCE = os.environ["SOURCE"]

def attempts():
    handler = sys.modules["{name}"]
    yield lambda: open(SOURCE).read()
    yield lambda: open(os.path.relpath(SOURCE)).read()
    folder, name = os.path.split(SOURCE)
    yield lambda: open(folder + "/../" + os.path.basename(folder) + "/" + name).read()
    yield lambda: io.open_code(SOURCE).read().decode()
    yield lambda: os.read(os.open(SOURCE, os.O_RDONLY), 1000).decode()
    yield lambda: "".join(linecache.getlines(SOURCE))
    yield lambda: handler.__loader__.get_data(SOURCE).decode()
    yield lambda: handler.__loader__.get_source("{name}") or ""
    yield lambda: inspect.getsource(handler)
    yield lambda: open(handler.__spec__.cached, "rb").read().decode("latin-1")

def read():
    for number, attempt in enumerate(attempts()):
        try:
            text = attempt()
        except Exception:
            continue
        if "SECRET" in text:
            print("stolen by", number)
read()
"""

START = """
import sys, os
sys.path.insert(0, sys.argv[1])
import importlib
module = importlib.import_module(os.environ["MODULE"])
print(module.handle())
import evil; evil.read()
import http.client, csv, html
try:
    module.fail()
except ValueError:
    import traceback; traceback.print_exc()
"""


def write(folder: Path, name: str) -> Path:
    source = folder / (name.replace(".", "/") + ".py")
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(HANDLER)
    (folder / "evil.py").write_text(EVIL.replace("{name}", name))
    (folder / "start.txt").write_text(START)
    return source


def run(
    python: Path,
    folder: Path,
    source: Path,
    name: str,
    policy: Mapping[str, Any],
    handler: str | None = None,
) -> Guarded:
    return run_guarded(
        [python, folder / "start.txt", folder],
        policy=policy,
        env={
            "_HANDLER": handler or f"{name.replace('.', '/')}.handle",
            "LAMBDA_TASK_ROOT": str(folder),
            "MODULE": name,
            "SOURCE": str(source),
            "PYTHONDONTWRITEBYTECODE": "",
        },
        cwd=folder,
    )


@pytest.mark.parametrize(
    ("name", "handler"), [("app", None), ("pkg.mod", None), ("pkg.mod", "pkg.mod.handle")]
)
def test_sealed(python: Path, tmp_path: Path, name: str, handler: str | None) -> None:
    source = write(tmp_path, name)
    for _ in range(2):  # the second import is from __pycache__
        done = run(python, tmp_path, source, name, BLOCK, handler)
        assert done.returncode == 0, done
        assert done.stdout == "answer\n"
        assert "ValueError: on purpose" in done.stderr
        assert f'File "{source}", line' in done.stderr
        assert "raise ValueError" not in done.stderr
        assert done.violations
        assert {event["policy"] for event in done.violations} == {"read_handler"}
        assert {event["origin"]["distribution"] for event in done.violations} <= {
            "evil",
            "start.txt",
        }
        assert {event["ring"] for event in done.violations} == {"interpreter"}


def test_alert_changes_nothing(python: Path, tmp_path: Path) -> None:
    source = write(tmp_path, "app")
    done = run(python, tmp_path, source, "app", ALERT)
    assert done.returncode == 0
    assert done.stdout.count("stolen by") >= 12
    assert "raise ValueError" in done.stderr
    assert {event["mode"] for event in done.violations} == {"alert"}


def test_too_many_compiled_forms(python: Path, tmp_path: Path) -> None:
    """A package brings so many compiled forms of the handler that no place is left to protect the
    real one. The function does not start; under alert it does."""
    source = write(tmp_path, "app")
    for i in range(80):
        form = tmp_path / "__pycache__" / f"app.cpython-{i}.pyc"
        form.parent.mkdir(exist_ok=True)
        form.write_bytes(b"")
    done = run(python, tmp_path, source, "app", BLOCK)
    assert done.returncode == 78, done
    assert [event["event"] for event in done.events] == ["armed", "refused"]
    assert "compiled forms of the handler" in done.events[-1]["message"]
    assert run(python, tmp_path, source, "app", ALERT).returncode == 0


def test_compiled_forms_elsewhere_leave_room_for_the_source(python: Path, tmp_path: Path) -> None:
    """Under alert the function starts, and reads of its source are reported."""
    source = write(tmp_path, "app")
    prefix = tmp_path / "cache"
    forms = prefix / tmp_path.relative_to("/")
    forms.mkdir(parents=True)
    for i in range(80):
        (forms / f"app.cpython-{i}.pyc").write_bytes(b"")
    start = tmp_path / "start.txt"
    start.write_text(f"import sys\nsys.pycache_prefix = {str(prefix)!r}\n{start.read_text()}")
    done = run(python, tmp_path, source, "app", ALERT)
    assert done.returncode == 0
    assert str(source) in {event["details"]["path"] for event in done.violations}
    assert run(python, tmp_path, source, "app", BLOCK).returncode == 78


def test_shipped_compiled(python: Path, tmp_path: Path) -> None:
    """A handler without source, compiled in a folder that does not exist here."""
    build = tmp_path / "build"
    write(build, "app")
    task = tmp_path / "task"
    shutil.copytree(build, task)
    subprocess.run(
        [python, "-m", "compileall", "-q", "-b", "-d", "/elsewhere", str(task)],
        check=True,
        timeout=60,
    )
    (task / "app.py").unlink()
    done = run(python, task, task / "app.pyc", "app", BLOCK)
    assert done.stdout == "answer\n", done
    assert {event["policy"] for event in done.violations} == {"read_handler"}


def test_in_a_zip(python: Path, tmp_path: Path) -> None:
    source = write(tmp_path, "app")
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write(source, "app.py")
        zipped.writestr("later.py", "print('later', flush=True)")
    source.unlink()
    start = (tmp_path / "start.txt").read_text()
    (tmp_path / "start.txt").write_text(
        start.replace(
            "import http",
            f"""import later
try:
    import _interpreters as interpreters
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
print(run(interpreters.create(), "import sys; sys.path[:0] = [{str(archive)!r}]; import later"))
try:
    __import__("importlib").reload(module)
    print("stolen")
except ImportError as error:
    print(type(error).__name__)
for attempt in (lambda: open({str(archive)!r}, "rb").read(),
                lambda: module.__loader__.get_source("app"),
                lambda: __import__("zipfile").ZipFile({str(archive)!r}).read("app.py")):
    try:
        print("stolen", attempt())
    except OSError:
        pass
import http""",
        ).replace(
            "sys.path.insert(0, sys.argv[1])",
            f"sys.path[:0] = [{str(archive)!r}, {str(tmp_path)!r}]",
        )
    )
    done = run(python, tmp_path, archive / "app.py", "app", BLOCK)
    assert done.stdout == "answer\nlater\nlater\nNone\nZipImportError\n", done
    assert done.violations


def test_a_namesake_does_not_unseal(python: Path, tmp_path: Path) -> None:
    """Code that claims the handler's file name is stopped like any other, before and after the
    import."""
    source = write(tmp_path, "app")
    (tmp_path / "evil.py").write_text(f"""
code = compile("import sys; print(open({str(source)!r}).read())", {str(source)!r}, "exec")
def read():
    try:
        exec(code)
    except PermissionError:
        print("refused")
read()
""")
    done = run(python, tmp_path, source, "app", BLOCK)
    assert done.stdout == "refused\nanswer\nrefused\n"


READERS = """
import inspect, linecache, traceback
def handler():
    try:
        inspect.getsourcelines(handler)
    except OSError as error:
        print(error)
    print(linecache.getlines(__file__))
    try:
        raise ValueError("a bug")
    except ValueError:
        traceback.print_exc()
"""


def test_a_traceback_makes_no_event(python: Path, tmp_path: Path) -> None:
    """linecache, inspect and traceback get no source, so that an ordinary bug causes no alarm."""
    (tmp_path / "app.py").write_text(READERS)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import app; app.handler()"
    for policy in ("default", "strict"):
        done = run_guarded([python, "-c", program], policy=policy, env={"_HANDLER": "app.handler"})
        assert done.stdout == "could not get source code\n[]\n", done.stderr
        assert "ValueError: a bug" in done.stderr and done.of("read_handler") == []
    env = {"_HANDLER": "app.handler"}
    bare = run_bare([python, "-c", program], env=env)
    done = run_guarded([python, "-c", program], policy="monitor", env=env)
    assert (done.stdout, done.of("read_handler")) == (bare.stdout, [])
