"""``fshield self-test``: whether the guard works here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from fshield import output
from fshield.cli import options
from fshield.errors import CouldNotRun
from fshield.local.layer import Layer, layer_to_run


def self_test(
    deep: Annotated[
        bool, typer.Option("--deep", help="Make one act for each family of doors, and check it.")
    ] = False,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python",
            metavar="PY",
            help="Python for the scratch children. Default: fshield's own.",
            show_default=False,
        ),
    ] = None,
    layer: options.Layer = None,
    as_json: options.Json = False,
) -> None:
    """Load the guard on this machine, and say which rings work; with --deep, try every family of
    doors in scratch children under a policy that blocks all."""
    with output.reporting(as_json):
        found, interpreter = layer_to_run(layer), python or Path(sys.executable)
        answer: dict[str, Any] = {"ok": True, **_rings(found, interpreter)}
        if deep:
            from fshield.selftest.doors import try_doors  # noqa: PLC0415 - only where it is asked

            result = try_doors(found, interpreter)
            answer["ok"] = result.ok
            answer["doors"] = [tried.as_dict() for tried in result.tried]
            answer["happened"] = result.happened
        if as_json:
            output.print_json(answer)
        else:
            _print(answer)
        if not answer["ok"]:
            raise typer.Exit(output.FINDINGS)


def _rings(layer: Layer, python: Path) -> dict[str, Any]:
    """The answer of the launcher's own self-test."""
    try:
        done = subprocess.run(
            [layer.launcher, "--self-test", python],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except OSError as error:
        raise CouldNotRun(f"{layer.launcher}: {error.strerror}", "run ./build.sh again") from error
    lines = (done.stdout or done.stderr).strip().splitlines()
    try:
        event = json.loads(lines[-1])
    except (IndexError, ValueError):
        event = {}
    if event.get("event") != "self_test":
        why = event.get("message", f"the launcher ended with status {done.returncode}")
        raise CouldNotRun(str(why), "attach a whole layer, or run ./build.sh again")
    return {key: event[key] for key in ("version", "rings", "runtime", "policy_name")}


def _print(answer: dict[str, Any]) -> None:
    to = output.console()
    rings = ", ".join(answer["rings"])
    to.print(f"engine {answer['version']} on {answer['runtime']}: rings {rings}", soft_wrap=True)
    if "doors" not in answer:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("ring", "family", "act", "rule", "result"):
        table.add_column(name, no_wrap=name != "result")
    for door in answer["doors"]:
        ok = door["refused"] and door["reported"]
        result = "refused" if ok else door["said"] if not door["refused"] else "not reported"
        style = "" if ok else "bold red"
        cells = (door["ring"], door["family"], door["act"], door["rule"], Text(result, style))
        table.add_row(*cells)
    to.print(table)
    for sentence in answer["happened"]:
        to.print(Text.assemble(("happened: ", "bold red"), sentence), soft_wrap=True)
    held = sum(door["refused"] and door["reported"] for door in answer["doors"])
    to.print(f"{held} of {len(answer['doors'])} refused and reported")
