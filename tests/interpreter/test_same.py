"""A guarded interpreter looks, starts and ends like an unguarded one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT, clean_environment, policy_file, rules, run_guarded

STRICT = rules("block", "block", "block", "block")

LOOK = """
import locale, os, sys
print(sys.flags, sys.argv, sys.orig_argv if hasattr(sys, "orig_argv") else "")
print(sys.path, sys.meta_path, sys.path_hooks, sorted(sys.path_importer_cache))
print(sys.prefix, sys.exec_prefix, sys.executable, sys.warnoptions, sys._xoptions)
print(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
print(sys.stdout.encoding, sys.stderr.errors)
print(locale.setlocale(locale.LC_CTYPE), locale.getpreferredencoding(False))
print(sorted(sys.modules))
print(sorted(os.environ.items()), sorted(os.environb.items()))
print(__name__, "sitecustomize" in sys.modules, sorted(os.listdir("/proc/self/fd"))[:3])
raise SystemExit(3)
"""

OPTIONS: list[tuple[list[str], dict[str, str]]] = [
    ([], {}),
    (["-I"], {}),
    (["-S"], {}),
    (["-E"], {}),
    (["-s", "-B"], {}),
    (["-IS"], {}),
    (["-X", "dev"], {}),
    (["-Xdev", "-bb", "-W", "error"], {}),
    (["-X", "utf8"], {}),
    (["-X", "frozen_modules=off"], {}),
    (["-OO"], {}),
    ([], {"PYTHONMALLOC": "debug"}),
    ([], {"PYTHONMALLOC": "malloc"}),
    ([], {"PYTHONDEVMODE": "1"}),
    (["-E"], {"PYTHONMALLOC": "debug", "PYTHONPATH": "/nowhere"}),
    ([], {"PYTHONUTF8": "1"}),
    ([], {"PYTHONUTF8": "0", "LC_ALL": "C"}),
    ([], {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "warn"}),
    ([], {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"}),
    ([], {"LANG": "C.UTF-8"}),
    ([], {"PYTHONPATH": ""}),
    ([], {"PYTHONPATH": "/nowhere"}),
    ([], {"PYTHONPATH": "/nowhere:/elsewhere:"}),
    ([], {"PYTHONHASHSEED": "7"}),
]


def bare(argv: list[str], env: dict[str, str], stdin: str | None) -> tuple[int, str, str]:
    done = subprocess.run(
        argv,
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(STRICT), **env}),
        cwd=ROOT / "build",
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def guarded(argv: list[str], env: dict[str, str], stdin: str | None) -> tuple[int, str, str]:
    done = run_guarded(argv, policy=STRICT, env=env, stdin=stdin, timeout=60)
    assert done.violations == []
    return done.returncode, done.stdout, done.stderr


def addresses_removed(result: tuple[int, str, str]) -> tuple[int, str, str]:
    """The output without what differs between two bare runs."""
    code, out, err = (re.sub(r"0x[0-9a-f]+", "ADDRESS", str(part)) for part in result)
    return int(code), out, err


@pytest.mark.parametrize(
    ("options", "env"), OPTIONS, ids=lambda value: " ".join(map(str, value)) or "-"
)
def test_looks_the_same(python: Path, options: list[str], env: dict[str, str]) -> None:
    argv = [str(python), *options, "-c", LOOK, "argument", "-E"]
    expected = addresses_removed(bare(argv, env, None))
    assert addresses_removed(guarded(argv, env, None)) == expected
    assert expected[0] == 3


def test_scripts_modules_and_stdin(python: Path, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(LOOK)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(LOOK)
    env = {"PYTHONPATH": str(tmp_path)}
    for argv, stdin in (
        ([str(python), str(tmp_path / "script.py"), "x"], None),
        ([str(python), str(tmp_path / "package")], None),
        ([str(python), "-m", "package"], None),
        ([str(python)], LOOK),
        ([str(python), "-"], LOOK),
    ):
        assert addresses_removed(guarded(argv, env, stdin)) == addresses_removed(
            bare(argv, env, stdin)
        )


@pytest.mark.parametrize(
    "argv",
    [
        ["--version"],
        ["-h"],
        ["-X", "nonsense=1", "-c", "pass"],
        ["--no-such-option"],
        ["-c", "1/0"],
        ["-c", "import os; os.kill(os.getpid(), 15)"],
        ["-c", "import os; os._exit(9)"],
        ["/no/such/script.py"],
        ["-m", "no_such_module"],
    ],
    ids=" ".join,
)
def test_ends_the_same(python: Path, argv: list[str]) -> None:
    assert guarded([str(python), *argv], {}, None) == bare([str(python), *argv], {}, None)


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONMALLOC": "nonsense"},
        {"PYTHONUTF8": "nonsense"},
        {"PYTHONHOME": "/nowhere"},
        {"PYTHONHASHSEED": "nonsense"},
    ],
    ids=str,
)
def test_fails_to_start_the_same(python: Path, env: dict[str, str]) -> None:
    argv = [str(python), "-c", "print(1)"]
    assert addresses_removed(guarded(argv, env, None)) == addresses_removed(bare(argv, env, None))


def test_the_next_sitecustomize_loads(python: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.next_one = __file__")
    done = run_guarded(
        [python, "-c", "import sys, sitecustomize; print(sys.next_one, sitecustomize.__file__)"],
        policy=STRICT,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout.split() == [str(tmp_path / "sitecustomize.py")] * 2
    assert done.returncode == 0


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    """3.8 has no frames that the ring could read, and older versions have no audit hooks."""
    root = Path.home() / ".pyenv" / "versions"
    old = [
        path
        for minor in ("2.7", "3.6", "3.7", "3.8")
        for path in sorted(root.glob(f"{minor}.*/bin/python"))
    ]
    if not old:
        pytest.skip("no old Python here")
    for python in old:
        for options in ([], ["-S"], ["-E"]):
            done = run_guarded([python, *options, "-c", "print('ran')"], policy=STRICT)
            assert (done.returncode, done.stdout) == (78, ""), python
            assert [event["event"] for event in done.events] == ["refused"]


EMBEDDER = """
extern void Py_InitializeEx(int);
extern int PyRun_SimpleString(const char *);
int main(void) { Py_InitializeEx(0); return PyRun_SimpleString("print('ran')"); }
"""


def test_a_program_that_embeds_python_is_refused(python: Path, tmp_path: Path) -> None:
    """Its interpreter has no hook, so the witness ends it before the first line."""
    library = next(iter(python.resolve().parent.parent.glob("lib/libpython3.*.so.1.0")), None)
    compiler = shutil.which("cc")
    if library is None or compiler is None or python.resolve().parent.parent == Path("/usr"):
        pytest.skip("needs a compiler and a shared libpython")
    (tmp_path / "embed.c").write_text(EMBEDDER)
    program = tmp_path / "embed"
    subprocess.run(
        [compiler, tmp_path / "embed.c", library, f"-Wl,-rpath,{library.parent}", "-o", program],
        check=True,
        timeout=60,
    )
    env = {"PYTHONHOME": str(library.parent.parent)}
    assert run_guarded([program], policy=rules(), env=env).returncode == 78
