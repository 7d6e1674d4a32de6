"""What turns Python code into machine code, as the interpreter ring sees it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import Guarded, rules, run_guarded

BLOCK = rules(native_code="block")
ALERT = rules(native_code="alert")

CRAFT = "def f(): return 'one'\nf.__code__.replace(co_consts=())"
ACTS = {
    "replace": (CRAFT, "code.__new__"),
    "type": (
        (
            "def f(): pass\nc = f.__code__\nnew = [c.co_argcount, c.co_posonlyargcount,"
            " c.co_kwonlyargcount, c.co_nlocals, c.co_stacksize, c.co_flags,\n       c.co_code,"
            " c.co_consts, c.co_names, c.co_varnames, c.co_filename, c.co_name,"
            " c.co_firstlineno]\nmore = [c.co_qualname] if hasattr(c, 'co_qualname') else []\ntable"
            " = [c.co_linetable, c.co_exceptiontable] if more else [getattr(c, 'co_linetable',"
            " c.co_lnotab)]\ntype(c)(*new[:12], *more, new[12], *table)"
        ),
        "code.__new__",
    ),
    "through the library": (
        (
            f"import threading\n{CRAFT.splitlines()[0]}\nimport functools\nmade = []\nrun ="
            " functools.partial(f.__code__.replace, co_consts=())\nthreading.Timer.run(type('T',"
            " (), {'finished': threading.Event(), 'interval': 0, 'function': staticmethod(run),\n"
            "    'args': (), 'kwargs': {}})())"
        ),
        "code.__new__",
    ),
    "as types.py": (
        (
            "import types\nsource = 'def coroutine(func): return"
            " func.__code__.replace(co_consts=())'\nspace = {}\nexec(compile(source,"
            " types.__file__, 'exec'), space)\nspace['coroutine'](lambda: 'one')"
        ),
        "code.__new__",
    ),
    "by types.coroutine": (
        (
            "import types, functools\nclass Code:\n    co_flags = 0x20\ndef f(): return"
            " 'one'\nCode.replace = staticmethod(lambda co_flags,"
            " g=functools.partial(f.__code__.replace, co_consts=()): g())\nclass Function:\n   "
            " __code__ = Code()\n    def __call__(self): pass\ntypes.FunctionType, types.CodeType ="
            " Function, Code\ntypes.coroutine(Function())"
        ),
        "code.__new__",
    ),
    "by types.coroutine without a frame": (
        (
            "import types, functools\ndef f(): return 'one'\nclass Code:\n    co_flags = 0x20\n   "
            " replace = staticmethod(functools.partial(f.__code__.replace, co_consts=()))\n"
            "class Function:\n    __code__ = Code()\n    def __call__(self): pass\n"
            "types.FunctionType, types.CodeType = Function, Code\ntypes.coroutine(Function())"
        ),
        "code.__new__",
    ),
    "loads": (
        "import marshal\nmarshal.loads(marshal.dumps(compile('1', 'x', 'exec')))",
        "marshal.loads",
    ),
    "load": (
        "import io, marshal\nmarshal.load(io.BytesIO(marshal.dumps(compile('1', 'x', 'exec'))))",
        "marshal.loads",
    ),
    "as importlib": (
        (
            "import marshal\ndata = marshal.dumps(compile('1', 'x', 'exec'))\nsource = 'import"
            " marshal\\ndef _compile_bytecode(data, bytecode_path, source_path):"
            " marshal.loads(data)'\nspace = {}\nexec(compile(source, '<frozen"
            " importlib._bootstrap_external>', 'exec'), space)\nspace['_compile_bytecode'](data,"
            " __file__, __file__)"
        ),
        "marshal.loads",
    ),
    "by importlib": (
        (
            "import importlib._bootstrap_external as outer,"
            " marshal\nouter._compile_bytecode(marshal.dumps(compile('1', 'x', 'exec')), 'x',"
            " marshal.__name__, __file__)"
        ),
        "marshal.loads",
    ),
    "by a loader": (
        (
            "import importlib.util, importlib.machinery as machinery, marshal, colorsys\ndata ="
            " importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(compile('1', 'x',"
            " 'exec'))\nclass Loader(machinery.SourcelessFileLoader):\n    def get_data(self,"
            " path): return data\nLoader('colorsys', colorsys.__spec__.cached).get_code('colorsys')"
        ),
        "marshal.loads",
    ),
    "without a frame": (
        (
            "import _thread, functools, marshal, sys, time\nmade, failed = [], []\n"
            "data = marshal.dumps(compile('1', 'x', 'exec'))\nsys.unraisablehook = failed.append\n"
            "loaded = map(marshal.loads, [data])\n"
            "_thread.start_new_thread(functools.partial(made.extend, loaded), ())\n"
            "while not made and not failed: time.sleep(0.01)\nif not made: raise PermissionError"
        ),
        "marshal.loads",
    ),
    "import": ("import ctypes", "_ctypes"),
    "import of PyMuPDF's library": ("try: import _mupdf\nexcept ModuleNotFoundError: 0", "_mupdf"),
    "import of lupa before 2.0": ("try: import _lupa\nexcept ModuleNotFoundError: 0", "_lupa"),
    "import of the library's name": (
        (
            "import importlib.util, importlib.machinery as machinery, sys\npath ="
            " importlib.util.find_spec('_ctypes').origin\nloader ="
            " machinery.ExtensionFileLoader('x._ctypes',"
            " path)\nloader.create_module(importlib.util.spec_from_file_location('x._ctypes', path,"
            " loader=loader))"
        ),
        "_ctypes",
    ),
}

PROGRAM = """
import sys
try:
    exec(compile({act!r}, __file__, "exec"))
except PermissionError as error:
    print(type(error).__name__, getattr(error, "policy", None))
else:
    print("done")
"""


def run(python: Path, folder: Path, act: str, policy: object) -> Guarded:
    script = folder / "app.py"
    script.write_text(PROGRAM.format(act=act))
    return run_guarded([python, script], policy=policy)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ACTS)
def test_block(python: Path, tmp_path: Path, name: str) -> None:
    act, word = ACTS[name]
    done = run(python, tmp_path, act, BLOCK)
    assert done.stdout in ("PolicyViolation native_code\n", "PermissionError None\n"), done
    assert [event["details"]["path"] for event in done.violations] == [word], done
    (event,) = done.violations
    assert (event["policy"], event["mode"], event["ring"]) == (
        "native_code",
        "block",
        "interpreter",
    )
    assert event["rule"] is None


@pytest.mark.parametrize("name", ACTS)
def test_alert_is_one_event(python: Path, tmp_path: Path, name: str) -> None:
    act, word = ACTS[name]
    done = run(python, tmp_path, act, ALERT)
    assert done.stdout == "done\n", done
    assert [
        (event["details"]["path"], event["mode"], event["count"]) for event in done.violations
    ] == [(word, "alert", 1)]


@pytest.mark.parametrize("name", ACTS)
def test_allow_is_no_event(python: Path, tmp_path: Path, name: str) -> None:
    done = run(python, tmp_path, ACTS[name][0], rules(outbound="block", native_code="allow"))
    assert (done.stdout, done.violations) == ("done\n", []), done


HONEST = """
import asyncio, collections, colorsys, dataclasses, decimal, email.message, enum, json
import logging.config, mmap, select, sqlite3, ssl, threading, types, typing, unittest.mock
import urllib.request, xml.dom.minidom, zoneinfo
import runpy, importlib.util

@types.coroutine
def old():
    yield

async def new():
    await asyncio.sleep(0)

@dataclasses.dataclass
class Point:
    x: int = 0

asyncio.run(new())
mmap.mmap(-1, 4096).write(b"x")
print(Point(1), typing.NamedTuple("N", [("a", int)])(1))
"""


def test_honest_code_is_none(python: Path, tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(HONEST)
    done = run_guarded([python, script], policy=BLOCK)
    assert done.returncode == 0, done
    assert done.violations == []


def test_own_modules_are_cached_and_read(python: Path, tmp_path: Path) -> None:
    """A .pyc file beside its source passes, even one that was written a moment ago."""
    (tmp_path / "helper.py").write_text("def f(): return 'one'\n")
    (tmp_path / "app.py").write_text(
        "import helper, importlib; importlib.reload(helper); print(helper.f())"
    )
    for _ in range(2):
        done = run_guarded(
            [python, tmp_path / "app.py"], policy=BLOCK, env={"PYTHONDONTWRITEBYTECODE": ""}
        )
        assert (done.stdout, done.violations) == ("one\n", []), done
    assert list((tmp_path / "__pycache__").glob("helper.*.pyc"))


def sourceless(python: Path, folder: Path) -> Path:
    source = folder / "hidden.py"
    source.write_text("print('ran')\n")
    code = f"import py_compile; py_compile.compile({str(source)!r}, {str(folder / 'hidden.pyc')!r})"
    subprocess.run([python, "-I", "-c", code], check=True)
    source.unlink()
    (folder / "app.py").write_text("import hidden\n")
    return folder / "app.py"


def test_sourceless(python: Path, tmp_path: Path) -> None:
    script = sourceless(python, tmp_path)
    done = run_guarded([python, script], policy=BLOCK)
    assert done.returncode == 1 and "PolicyViolation: [Errno 13] native_code" in done.stderr, done
    (event,) = done.violations
    assert event["details"]["path"] == str(tmp_path / "hidden.pyc")
    done = run_guarded([python, script], policy=ALERT)
    assert (done.stdout, len(done.violations)) == ("ran\n", 1)
    by_path = rules(native_code={"mode": "block", "allow": [f"{tmp_path}/*.pyc"]})
    done = run_guarded([python, script], policy=by_path)
    assert (done.stdout, done.violations) == ("ran\n", []), done


@pytest.mark.parametrize("name", ["bridge", "bridge.inner"])
def test_exception_by_module(python: Path, tmp_path: Path, name: str) -> None:
    """The entry covers the module that imports ctypes, and no other."""
    package = tmp_path / "site-packages" / "bridge"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(
        "import ctypes\nprint(ctypes.CFUNCTYPE(ctypes.c_int) is not None)\n"
    )
    (package / "other.py").write_text(
        "import marshal\nmarshal.loads(marshal.dumps(compile('1', 'x', 'exec')))\n"
    )
    policy = rules(native_code={"mode": "block", "allow": [name]})
    script = tmp_path / "app.py"
    script.write_text("import bridge.inner\nimport bridge.other\n")
    env = {"PYTHONPATH": str(tmp_path / "site-packages")}
    done = run_guarded([python, script], policy=policy, env=env)
    assert done.stdout == "True\n", done
    assert len(done.violations) == (0 if name == "bridge" else 1), done
    script.write_text("import ctypes\n")
    done = run_guarded([python, script], policy=policy, env=env)
    assert done.returncode == 1
    (event,) = done.violations
    assert "native_code: {allow: [" in event["message"]


INSIDE = f"""
import asyncio, colorsys, types
{CRAFT.splitlines()[0]}
try:
    f.__code__.replace(co_consts=())
except PermissionError as error:
    print(type(error).__name__, flush=True)
"""
RUN = f"""
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    run = interpreters.exec
else:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
for _ in range(3):
    one = interpreters.create()
    run(one, {INSIDE!r})
    interpreters.destroy(one)
"""


def test_subinterpreter(python: Path) -> None:
    """What the guard knows of one interpreter holds for all."""
    done = run_guarded([python, "-c", RUN], policy=BLOCK)
    # Not checked: the exit status. 3.12.1 crashes by itself with interpreters of their own GIL.
    assert done.stdout == "PolicyViolation\n" * 3, done
    assert [event["count"] for event in done.violations] == [1]
