"""Every CPython of this machine, however it is started: the rules hold, nothing crashes, and output
stays the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.helpers import OUTSIDE, executable
from tests.support import LAYER, clean_environment, policy_file, rules, run_bare, run_guarded

BLOCK = rules("block", "block", "block", "block")
ACTS = f"""
import os, socket, subprocess
def attempt(act):
    try: act()
    except Exception as error: return type(error).__name__
    return "passed"
def everything():
    return [attempt(act) for act in (
        lambda: open("/tmp/function-shield-x", "w"),
        lambda: socket.create_connection(("{OUTSIDE}", 9), 2),
        lambda: socket.getaddrinfo("evil.example", 443), lambda: subprocess.run(["/bin/true"]),
        lambda: os.fork() or os._exit(0))]
"""
HELD = f"{['PolicyViolation'] * 5}\n"
STARTS: list[tuple[list[str], dict[str, str]]] = [
    ([], {}),
    (["-I"], {}),
    (["-S"], {}),
    (["-E"], {}),
    (["-s"], {}),
    (["-I", "-S"], {}),
    (["-B", "-O"], {}),
    (["-X", "dev"], {}),
    (["-X", "dev", "-I"], {}),
    (["-X", "importtime"], {}),
    (["-X", "tracemalloc"], {}),
    (["-X", "faulthandler"], {}),
    (["-X", "frozen_modules=off"], {}),
    (["-W", "error"], {}),
    ([], {"PYTHONMALLOC": "debug"}),
    ([], {"PYTHONMALLOC": "malloc_debug"}),
    ([], {"PYTHONMALLOC": "malloc"}),
    (["-E"], {"PYTHONMALLOC": "debug"}),
    ([], {"PYTHONDEVMODE": "1", "PYTHONPATH": "/nowhere"}),
    ([], {"PYTHONPATH": ""}),
    ([], {"PYTHONNOUSERSITE": "1", "PYTHONOPTIMIZE": "2"}),
    ([], {"PYTHONCASEOK": "1", "PYTHONUTF8": "1", "LC_ALL": "C"}),
]


@pytest.mark.parametrize(
    ("options", "env"), STARTS, ids=lambda value: " ".join(map(str, value)) or "-"
)
def test_held_however_it_is_started(python: Path, options: list[str], env: dict[str, str]) -> None:
    result = run_guarded(
        [python, *options, "-c", ACTS + "print(everything())"], policy=BLOCK, env=env
    )
    assert (result.returncode, result.stdout) == (0, HELD), result
    assert len(result.violations) == 5
    assert [event["rings"] for event in result.events if event["event"] == "armed"] == [
        ["interpreter", "libc"]
    ]


def test_held_in_modules_scripts_zips_and_standard_input(python: Path, tmp_path: Path) -> None:
    text = ACTS + "print(everything())"
    (tmp_path / "script.py").write_text(text)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__main__.py").write_text(text)
    subprocess.run(
        [python, "-m", "zipapp", package, "-o", tmp_path / "app.pyz"], check=True, timeout=30
    )
    env = {"PYTHONPATH": str(tmp_path)}
    for argv in (["script.py"], ["-m", "package"], ["package"], ["app.pyz"], ["-m", "script"]):
        result = run_guarded([python, *argv], policy=BLOCK, cwd=tmp_path, env=env)
        assert (result.returncode, result.stdout) == (0, HELD), (argv, result)
    assert run_guarded([python], policy=BLOCK, stdin=text).stdout == HELD
    assert (
        run_guarded([python, "-i"], policy=BLOCK, stdin=text.replace("\ndef", "\n\ndef")).returncode
        == 0
    )
    executable(tmp_path / "direct", f"#!{python}\n{text}")
    assert run_guarded([tmp_path / "direct"], policy=BLOCK).stdout == HELD


def test_held_before_the_first_line(python: Path, tmp_path: Path) -> None:
    """Code that runs before the program: sitecustomize, usercustomize, .pth files,
    PYTHONSTARTUP."""
    line = (
        "import os\ntry: os.mkdir('/tmp/function-shield-x')\nexcept OSError as e:"
        " print(type(e).__name__)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(line)
    (tmp_path / "usercustomize.py").write_text(line)
    (tmp_path / "startup.py").write_text(line)
    env = {"PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "startup.py")}
    result = run_guarded([python, "-i"], policy=BLOCK, env=env, stdin="")
    bare = run_bare([python, "-c", "import site; print(bool(site.ENABLE_USER_SITE))"])
    assert result.stdout.split() == ["PolicyViolation"] * (2 + bare.stdout.count("True")), result


def test_held_in_threads_finalisers_and_exit_handlers(python: Path) -> None:
    code = (
        ACTS + "import atexit, sys, threading, weakref\n"
        "thread = threading.Thread(target=lambda: print(attempt(lambda: os.listdir('/tmp'))))\n"
        "thread.start(); thread.join()\n"
        "atexit.register(lambda: print(attempt(lambda: os.mkdir('/tmp/function-shield-a'))))\n"
        "class Late:\n"
        "    def __del__(self, mkdir=os.mkdir, write=os.write, refused=PermissionError):\n"
        "        try: mkdir('/tmp/function-shield-b'); write(1, b'passed\\n')\n"
        "        except refused: write(1, b'late\\n')\n"
        "sys.late = Late()\n"
        "sys.stdout.flush()\n"
    )
    result = run_guarded([python, "-u", "-c", code], policy=BLOCK)
    assert result.returncode == 0
    assert result.stdout == "PolicyViolation\nPolicyViolation\nlate\n", result


def test_held_in_subinterpreters(python: Path) -> None:
    """With a shared and with its own GIL. Each interpreter has its own type of the error."""
    inner = ACTS + "print(everything(), flush=True)"
    code = f"""
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
inner = {inner!r}
configs = ["isolated", "legacy"] if hasattr(interpreters, "new_config") else [None]
for config in configs:
    for _ in range(2):
        it = interpreters.create(config) if config else interpreters.create()
        interpreters.run_string(it, inner)
        interpreters.destroy(it)
exec(inner)
"""
    result = run_guarded([python, "-c", code], policy=BLOCK, timeout=60)
    assert result.returncode == 0, result
    lines = result.stdout.splitlines(keepends=True)
    # Python itself does not let an isolated interpreter fork.
    assert lines and lines[-1] == HELD
    assert all("passed" not in line for line in lines), lines
    assert len(lines) in (3, 5)


def test_subinterpreters_with_threads(python: Path) -> None:
    code = """
import threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
inner = (
    "import os\\nfor n in range(50):\\n"
    "  try: os.mkdir('/tmp/function-shield-x')\\n  except PermissionError: pass"
)
def run():
    it = interpreters.create()
    interpreters.run_string(it, inner)
    interpreters.destroy(it)
threads = [threading.Thread(target=run) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
exec(inner)
print("done")
"""
    result = run_guarded([python, "-c", code], policy=BLOCK, timeout=60)
    assert (result.returncode, result.stdout) == (0, "done\n"), result
    assert {event["policy"] for event in result.violations} == {"read_write_tmp"}


def test_held_in_a_virtual_environment(python: Path, tmp_path: Path) -> None:
    subprocess.run(
        [python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=60
    )
    code = ACTS + "import sys; print(everything()); print(sys.prefix)"
    result = run_guarded([tmp_path / "venv" / "bin" / "python", "-c", code], policy=BLOCK)
    assert result.stdout == f"{HELD}{tmp_path / 'venv'}\n", result


def test_nothing_shows(python: Path) -> None:
    code = (
        "import os, sys, threading, gc\nprint(sorted(sys.path), sorted(sys.modules),"
        " sorted(os.environ.items()), sys.flags, sys.argv,\n      sys.orig_argv[1:]\n      if"
        " hasattr(sys, 'orig_argv') else '', sys.meta_path, sys.path_hooks,"
        " threading.active_count())\nprint(sys.executable, sys.prefix, sys.dont_write_bytecode)\n"
    )
    for options, env in (
        ([], {}),
        (["-I"], {}),
        (["-S", "-E"], {"PYTHONPATH": "/nowhere:/else"}),
        ([], {"PYTHONPATH": "/a"}),
    ):
        bare = run_bare(
            [python, *options, "-c", code],
            env={**env, "FUNCTION_SHIELD_POLICY": policy_file(BLOCK)},
        )
        result = run_guarded([python, *options, "-c", code], policy=BLOCK, env=env)
        assert re.sub(r"0x[0-9a-f]+", "", result.stdout) == re.sub(r"0x[0-9a-f]+", "", bare.stdout)
        assert result.stderr == bare.stderr


def test_the_layers_own_python_folder_comes_last(python: Path) -> None:
    """As Lambda places /opt/python: the package is found there, and the function's own modules come
    first."""
    code = "import function_shield, sys; print(function_shield.__file__)"
    result = run_guarded(
        [python, "-c", code], policy=BLOCK, env={"PYTHONPATH": str(LAYER / "python")}
    )
    assert result.stdout == f"{LAYER}/python/function_shield/__init__.py\n"
    result = run_guarded([python, "-c", code], policy=BLOCK)
    assert result.stdout == f"{LAYER}/python/function_shield/__init__.py\n"


def test_an_old_python_or_another_program_is_not_left_unguarded(tmp_path: Path) -> None:
    """The witness, a module of the layer, ends a Python without the hook with status 78."""
    result = subprocess.run(
        ["/usr/bin/python3", "-c", "print('ran')"],
        env=clean_environment({"PYTHONPATH": str(LAYER / "function-shield.d" / "site")}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.count('"event":"refused"') == 1
