"""Runs the rows of address_calls.yaml: which are refused and reported once, which pass, and which
are open."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from fshield.bundle.addresses import takers
from tests import support
from tests.attacks.corpus import PROGRAMS

HERE = Path(__file__).resolve().parent
ROWS: list[dict[str, Any]] = yaml.safe_load((HERE / "address_calls.yaml").read_text())
PYTHON = [row for row in ROWS if row.get("language", "py") == "py"]
NODE = [row for row in ROWS if row.get("language") == "js"]
KEYS = {
    "call",
    "versions",
    "takes",
    "verdict",
    "attack",
    "tries",
    "honest",
    "needs",
    "package",
    "sqlite",
    "why",
    "language",
}
OLD_SQLITE = support.CACHE / "native_code" / "sqlite-3.7.17"
REQUIRED = "native_code" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
BLOCK, ALERT = support.rules(native_code="block"), support.rules(native_code="alert")

PRELUDE = """
import fcntl, mmap, os, signal, socket, struct, sys, time
target = bytes(64)
where = id(target) + 32
pipe = os.pipe()
udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()


def low():
    before = set(open("/proc/self/maps"))
    page = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40)
    for line in set(open("/proc/self/maps")) - before:
        first, last = (int(part, 16) for part in line.split()[0].split("-"))
        if last < 1 << 31 and last - first >= 1 << 20:
            return page, last - (1 << 20)


"""


def program(folder: Path, row: dict[str, Any], code: str) -> Path:
    """A program that runs ``code`` and prints how it ended."""
    if row.get("language") == "js":
        path = folder / "program.js"
        path.write_text(f"try {{\n{code}\n}} catch (error) {{\nconsole.log(error.name);\n}}\n")
        return path
    path = folder / "program.py"
    body = "\n".join("    " + line for line in code.splitlines())
    path.write_text(
        f"{PRELUDE}try:\n{body}\nexcept BaseException as error:\n    print(type(error).__name__)\n"
    )
    return path


def environment(row: dict[str, Any]) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": str(OLD_SQLITE)} if "sqlite" in row else {}


def bare(runner: Path, row: dict[str, Any], path: Path) -> str:
    return support.run_bare([runner, path], env=environment(row), timeout=60).stdout


def guarded(runner: Path, row: dict[str, Any], path: Path, policy: Any) -> support.Guarded:
    return support.run_guarded([runner, path], policy=policy, env=environment(row), timeout=60)


@cache
def runs(runner: Path, code: str, path: str) -> bool:
    option = "-e" if "node" in runner.name else "-c"
    env = support.clean_environment({"LD_LIBRARY_PATH": path} if path else {})
    return (
        runner.exists()
        and subprocess.run(
            [runner, option, code], env=env, capture_output=True, timeout=60, check=False
        ).returncode
        == 0
    )


def lacks(runner: Path, row: dict[str, Any]) -> str:
    """What the row needs and this interpreter lacks; "" if nothing."""
    word = str(row.get("needs", "") or row.get("package", ""))
    code = f"import {word}"
    if row.get("language") == "js":
        code = f"require('{word}')"
    if word == "sqlite_extensions":
        code = "import sqlite3; sqlite3.connect(':memory:').enable_load_extension(True)"
    if "sqlite" in row:
        word = f"SQLite {row['sqlite']}"
        code = "import sqlite3; assert sqlite3.sqlite_version_info < (3, 20); "
        code += "sqlite3.connect(':memory:').execute('SELECT 1').fetchall()"
    return (
        "" if not word or runs(runner, code, environment(row).get("LD_LIBRARY_PATH", "")) else word
    )


def refused(runner: Path, folder: Path, row: dict[str, Any]) -> None:
    path = program(folder, row, row["tries"])
    done = guarded(runner, row, path, BLOCK)
    assert [event["mode"] for event in done.of("native_code")][:1] == ["block"], done
    expected = bare(runner, row, path)
    done = guarded(runner, row, path, ALERT)
    # The libraries that an import loads make their own events.
    imports = row["verdict"] == "import refused"
    counted = [
        event for event in done.of("native_code") if not imports or event["ring"] == "interpreter"
    ]
    assert [event["mode"] for event in counted] == ["alert"], done
    assert done.stdout == expected, done


def passes(runner: Path, folder: Path, row: dict[str, Any]) -> None:
    """Open, as the table says: it works, and no event is made."""
    path = program(folder, row, row["tries"])
    expected = bare(runner, row, path)
    assert expected
    assert "Error" not in expected
    done = guarded(runner, row, path, BLOCK)
    assert done.stdout == expected, done
    assert not done.of("native_code"), done


def honest_code_runs(runner: Path, folder: Path, row: dict[str, Any]) -> None:
    for line in row.get("honest", []):
        path = program(folder, row, line)
        expected = bare(runner, row, path)
        assert "Error" not in expected
        done = guarded(runner, row, path, BLOCK)
        assert not done.of("native_code"), (line, done.violations)
        assert done.stdout == expected, line


def tried(row: dict[str, Any], runners: list[Path]) -> list[Path]:
    """The interpreters that try a row. For a row about a package, the one that has the package."""
    return [support.PACKAGES] if "package" in row else runners


def cases(rows: list[dict[str, Any]], runners: list[Path]) -> list[Any]:
    return [
        pytest.param(runner, row, id=f"{row['call']}-{'-'.join(runner.parts[-4:])}")
        for row in rows
        if "tries" in row
        for runner in tried(row, runners)
    ]


def check(runner: Path, folder: Path, row: dict[str, Any]) -> None:
    lacking = lacks(runner, row)
    if lacking:
        pytest.skip(f"{runner} has no {lacking}")
    if row["verdict"] == "open":
        passes(runner, folder, row)
    else:
        refused(runner, folder, row)
    honest_code_runs(runner, folder, row)


@pytest.mark.parametrize(("runner", "row"), cases(PYTHON, support.interpreters()))
def test_python(runner: Path, row: dict[str, Any], tmp_path: Path) -> None:
    check(runner, tmp_path, row)


@pytest.mark.parametrize(("runner", "row"), cases(NODE, support.nodes()))
def test_node(runner: Path, row: dict[str, Any], tmp_path: Path) -> None:
    check(runner, tmp_path, row)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "tries" in row], ids=lambda row: row["call"]
)
def test_some_interpreter_tries_it(row: dict[str, Any]) -> None:
    runners = support.nodes() if row.get("language") == "js" else support.interpreters()
    lacking = [lacks(runner, row) for runner in tried(row, runners)]
    if lacking and all(lacking):
        reason = f"no interpreter here has {lacking[0]}: run tests/native_code/fetch.sh"
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)


@pytest.mark.skipif(not support.PACKAGES.exists(), reason="run tests/native_code/fetch.sh")
@pytest.mark.parametrize(
    "row", [row for row in PYTHON if "package" in row], ids=lambda row: row["call"]
)
def test_check_function_names_it(row: dict[str, Any]) -> None:
    """If the guard refuses the call itself, `check --function` need not mention it."""
    (site,) = support.PACKAGES.parent.parent.glob("lib/python3.*/site-packages")
    top = row["package"].split(".")[0]
    files = [*site.glob(f"{top}.*.so"), *site.glob(f"{top}/**/*.so")]
    found = [
        taker
        for file in files
        for taker in takers(PurePosixPath(file.relative_to(site)), file.read_bytes())
    ]
    assert files
    if row["verdict"] != "refused":
        assert found
        assert any(taker.refused == (row["verdict"] == "import refused") for taker in found), found


def test_each_row_says_all() -> None:
    for row in ROWS:
        assert {"call", "versions", "takes", "verdict"} <= row.keys() <= KEYS, row
        assert row["verdict"] in ("refused", "import refused", "guarded", "open")
        assert ("why" in row) == (row["verdict"] in ("guarded", "open")), row
        assert "tries" in row or row["verdict"] == "open" or "attack" in row, row
        assert not {"needs", "package"} <= row.keys(), row
        for name in str(row.get("attack", "")).split(", "):
            path = PROGRAMS / "machine_code" / (name if name.endswith(".js") else f"{name}.py")
            assert not name or path.exists(), path
