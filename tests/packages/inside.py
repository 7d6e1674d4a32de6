"""Runs the rows in the namespaces that it was started in: ``python -m tests.packages.inside PYTHON
NAME…``, and prints a JSON line for each run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fshield.local.emulator import Function
from tests import support
from tests.packages.rows import INVOCATIONS, Row, rows
from tests.packages.servers import World

SCRATCH = support.SCRATCH / "packages"
TASKS = SCRATCH / "tasks"
TIMEOUT_S = 60


def folder(row: Row) -> str:
    """The name of the row's function."""
    return re.sub(r"[^a-z0-9]+", "-", row.package.lower())


def lay(chosen: Sequence[Row]) -> None:
    """Write the functions, and leave /tmp the only place that they can write to, as on Lambda."""
    shutil.rmtree(TASKS, ignore_errors=True)
    for row in chosen:
        (TASKS / folder(row)).mkdir(parents=True)
        (TASKS / folder(row) / "app.py").write_text(row.handler())
    subprocess.run(["mount", "--bind", TASKS, TASKS], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", TASKS], check=True)
    for place in ("/var/tmp", "/dev/shm"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", place], check=True)


def run(row: Row, python: Path, policy: str, variables: dict[str, str]) -> dict[str, Any]:
    """One start of the function, invoked twice, under `policy`."""
    for path in Path("/tmp").iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    chosen = policy
    if policy == "needs":
        made = SCRATCH / "needs.yaml"
        made.write_text(json.dumps(row.policy(SCRATCH)))
        chosen = str(made)
    function = Function(
        TASKS / folder(row),
        "app.handler",
        python=python,
        policy=None if policy == "bare" else chosen,
        guarded=policy != "bare",
        env=variables,
        timeout=TIMEOUT_S,
    )
    answers: list[Any] = []
    with function:
        done = [function.invoke({}) for _ in range(INVOCATIONS)]
    if function.rest:
        done.append(function.rest)
    for one in done[:INVOCATIONS]:
        error = one.error and {key: one.error[key] for key in ("errorType", "errorMessage")}
        answers.append(error or one.response)
    events = [event for one in done for event in one.events]
    return {
        "package": row.package,
        "policy": policy,
        "answers": answers,
        "violations": [event for event in events if event["event"] == "violation"],
        "armed": sum(event["event"] == "armed" for event in events),
        "left": sorted(str(path) for path in Path("/tmp").rglob("*")),
        "output": "\n".join(line for one in done for line in one.output)[-4000:],
    }


def main(python: Path, names: list[str]) -> None:
    chosen = [row for row in rows() if row.package in names]
    world = World(SCRATCH / "world")
    lay(chosen)
    try:
        for row in chosen:
            for policy in ("bare", "monitor", "default", *(["needs"] if row.more() else [])):
                print(json.dumps(run(row, python, policy, world.variables)), flush=True)
    finally:
        world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
