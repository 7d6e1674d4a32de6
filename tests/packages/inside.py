"""Runs rows in the namespaces that it was started in, and prints one JSON line for each run:
``python -m tests.packages.inside PYTHON NAME…``."""

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
from tests.packages.servers import REGION, World

SCRATCH = support.SCRATCH / "packages"
TASKS = SCRATCH / "tasks"
TIMEOUT_S = 60


def folder(row: Row) -> str:
    """The folder of the row's function."""
    return re.sub(r"[^a-z0-9]+", "-", row.package.lower())


def write_functions(chosen: Sequence[Row]) -> None:
    """Write the functions. As on Lambda, only /tmp stays writable for them."""
    shutil.rmtree(TASKS, ignore_errors=True)
    for row in chosen:
        (TASKS / folder(row)).mkdir(parents=True)
        (TASKS / folder(row) / "app.py").write_text(row.handler())
    subprocess.run(["mount", "--bind", TASKS, TASKS], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", TASKS], check=True)
    for writable in ("/var/tmp", "/dev/shm"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", writable], check=True)


def run(row: Row, python: Path, policy: str, variables: dict[str, str]) -> dict[str, Any]:
    """Start the function under `policy`, and invoke it twice."""
    for path in Path("/tmp").iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    chosen = policy
    if policy in {"needs", "learnt"}:
        made = SCRATCH / f"{policy}.yaml"
        if policy == "needs":
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


def learn(row: Row, events: Sequence[support.Event]) -> None:
    """Learn a policy from the events under `monitor`, and write it to learnt.yaml."""
    log, made = SCRATCH / "monitor.log", SCRATCH / "learnt.yaml"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    made.unlink(missing_ok=True)
    command = [sys.executable, "-m", "fshield", "learn", str(log), "--region", REGION, "--json"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    accepted = [
        each["what"]
        for each in answer["held"]
        if any(re.fullmatch(one, each["what"]) for one in row.accept)
    ]
    command += ["-o", str(made), *(word for each in accepted for word in ("--accept", each))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not made.exists():
        # Everything was held back.
        made.write_text(json.dumps({"version": 1, "default": "block"}))
    for each in json.loads(done.stdout)["held"]:
        print(f"{row.package}: learn held back {each['what']}: {each['why']}", file=sys.stderr)


def main(python: Path, names: list[str]) -> None:
    chosen = [row for row in rows() if row.package in names]
    world = World(SCRATCH / "world")
    write_functions(chosen)
    try:
        for row in chosen:
            for policy in row.runs():
                done = run(row, python, policy, world.variables)
                print(json.dumps(done), flush=True)
                if policy == "monitor" and row.is_learnt():
                    learn(row, done["violations"])
    finally:
        world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
