"""The acts to trace: a refused `open` and an allowed `connect` of a C program under the core, and a
policy's way through fshield from YAML to a verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.core import objects
from tests.core.visits.symbols import Function, functions
from tests.support import ROOT, clean_environment, core_file, policy_file

BUILD = ROOT / "build" / "visits"
HERE = Path(__file__).parent
HOST, ADDRESS, PORT = "api.visits.example", "127.66.66.66", "443"
# /tmp is a separate mount, as on Lambda. A name in /etc/hosts needs no name server. In a separate
# network, nothing else listens on ADDRESS.
PREPARE = (
    f"ip link set lo up && mount -t tmpfs tmpfs /tmp && mount --bind {BUILD}/hosts /etc/hosts"
    ' && exec "$@"'
)
SANDBOX = ["unshare", "-rmn", "sh", "-c", PREPARE, "sh"]
EACCES, ECONNREFUSED = 13, 111


@dataclass(frozen=True)
class Act:
    """An act whose files are listed.

    Args:
        title: its title on the page.
        bound: the largest number of files that it should visit.
        arguments: arguments of act.c; none for the act of fshield.
        allow: the policy's entries for connections.
        result: what the call returns, and its errno.
    """

    title: str
    bound: int
    arguments: tuple[str, ...] = ()
    allow: tuple[dict[str, Any], ...] = ()
    result: tuple[int, int] = (0, 0)


ACTS = {
    "open": Act(
        "A refused `open` under `/tmp` by a C program",
        10,
        ("open", "/tmp/visits"),
        result=(-1, EACCES),
    ),
    "connect": Act(
        "A `connect` to an address of an allowed range",
        12,
        ("connect", ADDRESS, PORT),
        ({"cidr": ADDRESS, "ports": [443]},),
        (-1, ECONNREFUSED),
    ),
    "connect_by_name": Act(
        "A `connect` to an allowed name, whose first bytes will be inspected",
        12,
        ("connect", HOST, PORT),
        ({"host": HOST},),
        (-1, ECONNREFUSED),
    ),
    "policy": Act("A policy with one allowed host, from YAML to a verdict, in `fshield`", 14),
}


def visits(act: Act) -> list[Function]:
    """For each file, in order, the first function that the act enters there."""
    entered = _by_the_core(act) if act.arguments else _by_fshield()
    found: dict[str, Function] = {}
    for function in entered:
        if function.file.startswith(("layer/", "fshield/", "build/")):
            found.setdefault(_unit(function.file), function)
    return list(found.values())


def _unit(path: str) -> str:
    """A header counts as the unit of the same name. Generated doors count as the table that they
    are made from."""
    if path.endswith(".gen.h"):
        return "layer/core/interpose/doors.table"
    return path.rpartition(".")[0] if path.startswith("layer/core/") else path


def _by_the_core(act: Act) -> list[Function]:
    _layer()
    (BUILD / "hosts").write_text(f"{ADDRESS} {HOST}\n")
    policy = policy_file(
        {
            "policy": {
                "outbound_connectivity": {"mode": "block", "allow": list(act.allow)},
                "read_write_tmp": "block",
                "create_child_process": "block",
                "read_handler": "block",
            }
        }
    )
    done = subprocess.run(
        [*SANDBOX, str(BUILD / "layer" / "function-shield"), str(BUILD / "act"), *act.arguments],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy}),
        cwd=BUILD,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result, *offsets = done.stdout.splitlines()
    assert tuple(map(int, result.split())) == act.result, done
    known = _functions_of_the_core()
    return [known[int(offset, 16)] for offset in offsets]


@cache
def _layer() -> Path:
    """A layer whose core notes the functions that are entered, and act.c."""
    folder = BUILD / "layer"
    objects.layer(folder, HERE / "notes.c", ("visits_begin", "visits_end"))
    program = [str(HERE / "act.c"), "-o", str(BUILD / "act")]
    objects.zig.zig(*objects.TARGET, "-Os", "-Wall", "-Wextra", "-Werror", *program)
    return folder


@cache
def _functions_of_the_core() -> dict[int, Function]:
    return functions(BUILD / "layer" / "function-shield.d" / "function-shield.so")


def _by_fshield() -> list[Function]:
    BUILD.mkdir(parents=True, exist_ok=True)
    library = BUILD / "libdecide.so"
    sources = [*(core_file(name) for name in objects.zig.DECIDE), HERE / "notes.c"]
    # libc has a function of the same name.
    exported = ["-fvisibility=default", "-Wl,-Bsymbolic", "-shared", "-o", str(library)]
    objects.zig.zig(*objects.OPTIONS, *map(str, sources), *exported)
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.visits.language"],
        env=clean_environment({"FSHIELD_DECIDE": str(library), "PYTHONPATH": str(ROOT)}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    known = functions(library)
    return [Function(*pair) for pair in answer["python"]] + [known[at] for at in answer["native"]]
