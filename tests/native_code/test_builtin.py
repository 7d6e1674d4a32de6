"""A Python with a built-in ctypes, like uv's: the module is created without an event."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support import rules, run_bare, run_guarded

HERE = Path(__file__).parent
# Creates the module without `import`, and changes an object through operations of ctypes that raise
# no event.
ACT = """
import _imp, importlib.machinery
spec = importlib.machinery.ModuleSpec("_ctypes", None)
ctypes = _imp.create_builtin(spec)
_imp.exec_builtin(ctypes)
class Char(ctypes._SimpleCData): _type_ = "c"
class Address(ctypes._SimpleCData): _type_ = "P"
class Pointer(ctypes._Pointer): _type_ = Char
class Both(ctypes.Union): _fields_ = [("address", Address), ("pointer", Pointer)]
text, both = b"some bytes", Both()
both.address = id(text) + 32
both.pointer[0] = b"S"
print(text)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that embeds Python, with this Python's _ctypes in its table of built-in modules."""
    library = sysconfig.get_config_var("INSTSONAME") or ""
    folder = sysconfig.get_config_var("LIBDIR")
    extension = f"_ctypes.{sysconfig.get_config_var('SOABI')}.so"
    found = Path(sysconfig.get_config_var("DESTSHARED") or "", extension)
    if ".so" not in library or not found.exists() or not shutil.which("gcc"):
        pytest.skip("gcc or a shared libpython is not here")
    made = tmp_path_factory.mktemp("builtin")
    shutil.copy(found, made / "built.so")
    subprocess.run(
        [
            *("gcc", "-o", made / "python", HERE / "builtin.c", made / "built.so"),
            *(f"{folder}/{library}", f"-Wl,-rpath,{folder}", f"-Wl,-rpath,{made}"),
        ],
        check=True,
    )
    return made / "python"


@pytest.fixture
def home() -> dict[str, str]:
    return {"PYTHONHOME": sys.base_prefix}


def test_bare(program: Path, home: dict[str, str]) -> None:
    assert run_bare([program, "-c", ACT], env=home).stdout == "b'Some bytes'\n"


def test_it_is_refused(program: Path, home: dict[str, str]) -> None:
    done = run_guarded([program, "-c", ACT], policy=rules(native_code="block"), env=home)
    assert "Some bytes" not in done.stdout
    assert [event["details"]["path"] for event in done.violations] == ["_ctypes"]
    assert "PolicyViolation" in done.stderr


def test_it_is_reported(program: Path, home: dict[str, str]) -> None:
    done = run_guarded([program, "-c", ACT], policy=rules(native_code="alert"), env=home)
    assert done.stdout == "b'Some bytes'\n"
    assert [event["details"]["path"] for event in done.violations] == ["_ctypes"]
