"""Runs the command line's tests with the oldest and with the newest packages that pyproject.toml
permits: ``make bounds``.

The resolver is uv, of release/requirements.lock. Each set is an environment in build/bounds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / "build" / "release-tools" / "bin" / "uv"
# The tests' own tools, at whatever version fits beside.
TOOLS = ("hypothesis", "jsonschema", "moto[athena,logs,server]", "pytest", "requests")
# All extras that users can install.
EXTRAS = ("aws", "evidence")
# The tests of the command line and of its calls to AWS, without those that start guarded programs.
TESTS = (
    "tests/evidence",
    "tests/fshield/test_bundle.py",
    "tests/fshield/test_cloudwatch.py",
    "tests/fshield/test_commands.py",
    "tests/fshield/test_help.py",
    "tests/fshield/test_learn.py",
    "tests/fleet/test_attach.py",
)
# pydantic writes a constant's schema in another way in each of its versions, and old click does not
# take a NUL in a name, which no command line can hold.
LEFT_OUT = (
    "tests/fshield/test_commands.py::test_the_schema_is_in_step",
    "tests/fshield/test_commands.py::test_check_of_odd_names",
)


def oldest_python() -> str:
    """The oldest interpreter here that fshield supports, else this one."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.10.*/bin/python"))
    return str(pyenv[0]) if pyenv else shutil.which("python3.10") or sys.executable


def run(*command: str | Path, **environment: str) -> None:
    subprocess.run(
        [str(word) for word in command], cwd=ROOT, env={**os.environ, **environment}, check=True
    )


def tested(resolution: str, python: str) -> None:
    """Install with `resolution`, say what that is, and run the tests."""
    folder = ROOT / "build" / "bounds" / resolution
    run(UV, "venv", "--quiet", "--clear", "--python", python, folder)
    inside = folder / "bin" / "python"
    # fshield's direct requirements are the oldest (or newest) that it permits, their own
    # requirements the newest.
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    asked = ("--resolution", resolution, "--requirement", "pyproject.toml", *extras)
    run(UV, "pip", "install", "--quiet", "--python", inside, *asked)
    frozen = folder / "constraints.txt"
    answer = subprocess.run(
        [str(UV), "pip", "freeze", "--quiet", "--python", str(inside)],
        capture_output=True,
        text=True,
        check=True,
    )
    frozen.write_text(answer.stdout)
    print(f"{resolution}: {' '.join(answer.stdout.split())}", flush=True)
    run(UV, "pip", "install", "--quiet", "--python", inside, "--constraint", frozen, *TOOLS)
    skipped = [word for test in LEFT_OUT for word in ("--deselect", test)]
    base = f"--basetemp=build/pytest-{resolution}"
    command: tuple[str | Path, ...] = (
        inside,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        base,
        *skipped,
        *TESTS,
    )
    run(*command, PYTHONPATH=str(ROOT), FSHIELD_TEST_BUILDER=sys.executable)


def main() -> None:
    tested("lowest-direct", oldest_python())
    tested("highest", sys.executable)


if __name__ == "__main__":
    main()
