"""Reads roads.yaml: the roads out, and the runners that can take each of them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from tests import support

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "roads.yaml"
#: With ALL: every CPython and Node.js of this machine. Otherwise the Python that runs the tests and
#: the system's Node.js.
ALL = os.environ.get("FSHIELD_ROADS") == "all"
Arrives = Literal["said", "thief", "wrong", "asked", "heard", "done"]
_TCP_ULP = 31
_KEYS = {"python", "node", "c"}
_KNOWN = _KEYS | {
    *("arrives", "says", "event", "message", "quiet", "open", "since", "needs", "own_run"),
    *("policy", "env", "rare"),
}


@dataclass(frozen=True)
class Runner:
    """An interpreter, or the C compiler."""

    name: str
    language: str
    program: Path
    version: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Road:
    """One road, in one language.

    Args:
        kind: the class of the road.
        code: in Python or Node; for C, the source and the arguments of its program.
        allow: the entries of its policy.
        arrives: how the test sees that the road worked.
        event: details that its event must have.
        message: words that its event's message must have.
        quiet: why a blocked road makes no event; "" if it must make one.
        open: why it works under the guard; "" if it must not.
        since: the first Python version that can take it.
        needs: what the machine must have.
        own_run: whether the road gets an empty /run.
        env: additional environment variables.
        rare: why the race may be lost on a busy machine even without the guard; "" if it is always
            won. A rare road is taken only with ALL.
    """

    name: str
    kind: str
    language: str
    code: tuple[str, ...]
    allow: tuple[Any, ...]
    arrives: Arrives
    event: dict[str, Any]
    message: str
    quiet: str
    open: str
    since: tuple[int, int]
    needs: str
    own_run: bool
    env: dict[str, str]
    rare: str


def read() -> list[Road]:
    """All roads of the table."""
    table = yaml.safe_load(TABLE.read_text())
    found = []
    for kind, group in table["classes"].items():
        shared = {key: value for key, value in group.items() if key not in {"about", "roads"}}
        for name, row in group["roads"].items():
            if unknown := set(row) - _KNOWN:
                raise ValueError(f"{TABLE.name}: {kind}: {name}: unknown: {unknown}")
            given = {**shared, **row}
            event = dict(given.get("event", {}))
            if "says" in given:
                event["first_bytes"] = given["says"]
            found += [
                _road(name, kind, language, given, event, table["policies"])
                for language in sorted(_KEYS & set(row))
            ]
    return found


def _road(
    name: str,
    kind: str,
    language: str,
    given: dict[str, Any],
    event: dict[str, Any],
    policies: dict[str, Any],
) -> Road:
    code = given[language]
    major, _, minor = str(given.get("since", "3.9")).partition(".")
    return Road(
        name=name,
        kind=kind,
        language=language,
        code=tuple(code) if isinstance(code, list) else (code,),
        allow=tuple(policies[given["policy"]]),
        arrives=given["arrives"],
        event=event,
        message=given.get("message", ""),
        quiet=given.get("quiet", ""),
        open=given.get("open", ""),
        since=(int(major), int(minor)),
        needs=given.get("needs", ""),
        own_run=given.get("own_run", False),
        env=given.get("env", {}),
        rare=given.get("rare", ""),
    )


@cache
def runners() -> dict[str, list[Runner]]:
    """The runners for each language."""
    pythons = support.interpreters() if ALL else [Path(sys.executable)]
    nodes = support.nodes() if ALL else support.nodes()[:1]
    compiler = shutil.which("gcc") or shutil.which("clang")
    return {
        "python": _one_each([_versioned(path, "python", "-V") for path in pythons]),
        "node": _one_each([_versioned(path, "node", "-v") for path in nodes]),
        "c": [Runner("c", "c", Path(compiler))] if compiler else [],
    }


def _versioned(path: Path, language: str, flag: str) -> Runner:
    output = subprocess.run([path, flag], capture_output=True, text=True, check=True).stdout
    major, minor = output.split()[-1].lstrip("v").split(".")[:2]
    name = f"{major}.{minor}" if language == "python" else f"node{major}"
    return Runner(name, language, path, (int(major), int(minor)))


def _one_each(found: list[Runner]) -> list[Runner]:
    """One interpreter for each version."""
    return list({runner.name: runner for runner in reversed(found)}.values())[::-1]


def cases() -> list[tuple[Road, Runner]]:
    """Each road with each runner that can take it on this machine."""
    return [
        (road, runner)
        for road in read()
        for runner in runners()[road.language]
        if has(road.needs)
        and (ALL or not road.rare)
        and (road.language != "python" or runner.version >= road.since)
    ]


@cache
def has(needed: str) -> bool:
    """Whether this machine has `needed`."""
    if needed == "vsock":
        try:
            socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
        except OSError:
            return False
    if needed == "ktls":
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()) as one,
        ):
            try:
                one.setsockopt(socket.IPPROTO_TCP, _TCP_ULP, b"tls")
            except OSError:
                return False
    return True


@cache
def compiled(source: str) -> Path:
    """Compile a C program of this folder."""
    out = support.ROOT / "build" / "roads" / Path(source).stem
    out.parent.mkdir(parents=True, exist_ok=True)
    (runner,) = runners()["c"]
    flags = ["-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
    subprocess.run([runner.program, *flags, HERE / source, "-o", out, "-lresolv"], check=True)
    return out


def command(road: Road, runner: Runner) -> list[str]:
    """The command that takes the road."""
    if road.language == "c":
        return [str(compiled(road.code[0])), *road.code[1:]]
    return interpreted(road.language, runner.program, road.code[0])


def interpreted(language: str, program: Path, code: str) -> list[str]:
    """The command for Python or Node, with the prelude before the code."""
    if language == "node":
        code = f"(async () => {{\n{code}\n}})();"
        return [str(program), "--require", str(HERE / "prelude.js"), "-e", code]
    return [str(program), "-c", f"from tests.egress.roads.prelude import *\n{code}"]
