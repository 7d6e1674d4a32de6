"""What the command line costs: the CPU time of ``fshield --help`` and ``fshield check``, beyond
that of the libraries they need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from measures import Bench, Figure, interleaved

_FLOOR = [sys.executable, "-c", "import typer, rich.console, yaml"]
_POLICY = Path(__file__).resolve().parent.parent / "policies" / "strict.yaml"


def command_line(bench: Bench) -> Iterator[Figure]:
    """``--help``, and ``check`` of a small policy, in ms of CPU time."""
    for key, arguments in (("help", ["--help"]), ("check", ["check", str(_POLICY)])):
        command = [sys.executable, "-m", "fshield", *arguments]
        found = interleaved(
            bench.samples(30), {"bare": partial(_cpu, _FLOOR), "guarded": partial(_cpu, command)}
        )
        yield Figure(key, f"fshield {arguments[0]}, CPU time", "ms", found)


def _cpu(command: list[str]) -> float:
    """The user and system time of one run, in ms."""
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = os.times()
    return 1000 * (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
