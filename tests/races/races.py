"""Rewrites each copied argument of each door while it runs: ``python tests/races/races.py
[--seconds N] [DOOR…]``.

It generates a C program from ``doors.table``, with a function for each case of ``cases.py``,
compiles it, and runs it under the guard once for each case. A second thread keeps rewriting the
argument, between a harmless value and one that leads into /tmp. The state of /tmp and the result of
the call show whether anything came through. ``--no-copy`` uses a core that works on the caller's
memory instead of copies: then much must come through.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import support
from tests.races.cases import CASES, NUMBERS, Case
from tests.races.peers import NAMED, OUTSIDE, namespaces, peer_of

HERE = Path(__file__).resolve().parent
BUILD = support.ROOT / "build" / "races"
PROGRAM = "/usr/bin/true"
ALLOWED = [{"host": "*.wide.example"}, {"cidr": "239.1.2.3/32", "ports": [1]}]
POLICY = support.rules(
    outbound={"mode": "block", "allow": ALLOWED},
    tmp="block",
    process={"mode": "block", "allow": [PROGRAM]},
)
CONNECT = "CONNECT aaaaaa.{}.example:443 HTTP/1.1\r\n\r\n"
# An empty catalogue for catopen: its magic number, and one plane with one entry.
CATALOGUE = (
    b"".join(number.to_bytes(4, "little") for number in (0x960408DE, 1, 1, 1, 1, 0, *[0] * 6))
    + b"\0"
)
ABSENT = 77


@dataclass(frozen=True)
class Race:
    """A case for one door."""

    name: str
    symbol: str
    prototype: str
    case: Case


@dataclass(frozen=True)
class Outcome:
    """The result of a case. ``through`` says what came through, "" for nothing. ``absent``: libc
    lacks the function, or this machine cannot make namespaces."""

    race: Race
    through: str
    absent: bool = False


def table() -> Any:
    """The module layer/core/interpose/doors.py."""
    sys.path.insert(0, str(support.ROOT / "layer"))
    return importlib.import_module("zig").doors


def races() -> list[Race]:
    """Every case of every door that copies an argument.

    Raises:
        LookupError: a door has no case.
    """
    doors = table()
    found = []
    for door in doors.read():
        if door.of is None and door.copies:
            if door.symbol not in CASES:
                raise LookupError(f"{door.symbol} copies an argument: add a case to cases.py")
            found += [
                Race(f"{door.symbol} {at}", door.symbol, door.prototype, case)
                for at, case in enumerate(CASES[door.symbol], 1)
            ]
    for name, cases in NUMBERS.items():
        found += [
            Race(f"{name} {at}", "syscall", "long (long, ...)", case)
            for at, case in enumerate(cases, 1)
        ]
    return found


def write(path: Path, chosen: list[Race]) -> None:
    """The source of the program, in C."""
    doors = table()
    lines = ['#include "race.h"\n']
    for index, race in enumerate(chosen):
        door = doors.Door(race.symbol, "", "", None, race.prototype)
        pointer = door.declare("call")
        result = door.result
        call = f"call({race.case.arguments})"
        lines.append(
            f"/* {race.name} */\nstatic int act_{index}(void)\n{{\n    static {pointer};\n"
        )
        lines.append(f'    if (!call) *(void **)&call = find("{race.symbol}");\n')
        if race.case.child:
            lines.append(
                f"    pid_t child = fork();\n    if (child == 0) {{\n        {call};\n       "
                " _exit(9);\n    }\n"
            )
            lines.append("    if (child > 0) waitpid(child, NULL, 0);\n    return 0;\n}\n")
            continue
        if result == "void":
            lines.append(f"    {call};\n    return 0;\n}}\n")
            continue
        ok = race.case.succeeds or (
            "R != NULL" if result.endswith("*") else "R != 0" if result == "locale_t" else "R >= 0"
        )
        lines.append(f"    {result} R = {call};\n    (void)R;\n    return {ok};\n}}\n")
    lines.append(
        "static int (*const acts[])(void) = {"
        + ", ".join(f"act_{index}" for index in range(len(chosen)))
        + "};\n"
    )
    lines.append(
        "int main(int count, char **arguments)\n{\n    if (count != 8) return 2;\n"
        "    int milliseconds = set_up(arguments + 2);\n"
        '    printf("%d\\n", race(acts[atoi(arguments[1])], milliseconds));\n    return 0;\n}\n'
    )
    path.write_text("".join(lines))


def program(chosen: list[Race]) -> Path:
    """Compile the program."""
    BUILD.mkdir(parents=True, exist_ok=True)
    source, made = BUILD / "race.c", BUILD / "race"
    write(source, chosen)
    flags = ["-w", "-O1", "-I", str(HERE), str(source), "-lpthread", "-ldl", "-o", str(made)]
    subprocess.run([*compiler(), *flags], check=True)
    return made


def compiler() -> list[str]:
    """This machine's C compiler, or zig's."""
    found = shutil.which("gcc") or shutil.which("clang")
    return [found] if found else [sys.executable, "-m", "ziglang", "cc"]


@functools.cache
def uncopying_layer() -> Path:
    """A layer whose core works on the caller's memory instead of copies."""
    folder = BUILD / "layer"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(support.LAYER, folder)
    core, launcher = BUILD / "native" / "function-shield.so", BUILD / "native" / "function-shield"
    core.parent.mkdir(exist_ok=True)
    machine = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    table()
    zig = importlib.import_module("zig")
    zig.core(machine, core, ["-DFS_TEST_NO_COPY"])
    zig.launcher(machine, core, launcher)
    shutil.copy2(core, folder / "function-shield.d" / core.name)
    shutil.copy2(launcher, folder / launcher.name)
    return folder


def put(place: Path, there: str) -> None:
    """Create what the case needs at the hostile place."""
    if there in ("file", "mode", "listed"):
        place.write_bytes(b"nobody reads this\n" * 4)
        with_attribute(place)
    elif there == "catalogue":
        place.write_bytes(CATALOGUE)
    elif there in ("library", "named"):
        source = BUILD / "library.c"
        source.write_text("int nothing;\n")
        command = ["-shared", "-fPIC", "-nostdlib", str(source), "-o", str(place)]
        subprocess.run([*compiler(), *command], check=True)
    elif there == "folder":
        place.mkdir()
        (place / "one").write_bytes(b"")
    elif there == "link":
        place.symlink_to("/etc/hostname")


def with_attribute(place: Path) -> None:
    try:
        os.setxattr(place, "user.there", b"x")
    except OSError:
        return


def listing(folder: Path) -> list[tuple[Any, ...]]:
    """Everything in the hostile place that a call may change."""
    found: list[tuple[Any, ...]] = []
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found.append(
            (
                path.name,
                status.st_ino,
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )
        )
    return found


def run(binary: Path, index: int, race: Race, layer: Path | None, milliseconds: int) -> Outcome:
    """Run one case, without the guard if there is no layer."""
    if race.case.there in NAMED and not namespaces():
        return Outcome(race, "", absent=True)
    with (
        tempfile.TemporaryDirectory(prefix="race-", dir="/tmp") as name,
        tempfile.TemporaryDirectory(dir=BUILD) as here,
    ):
        folder = Path(name)
        empty = race.case.there == "folder" and race.symbol == "rmdir"
        place = folder / (
            "XXXXXX"
            if race.symbol.startswith("mk") and race.symbol.endswith(("temp", "temps"))
            else "place"
        )
        put(place, race.case.there)
        if empty:
            (place / "one").unlink()
        source = Path(here) / "source"
        source.write_bytes(b"x")
        harmless, hostile = values(race, place)
        peer = peer_of(race.case.there, Path(here))
        harmless, hostile = peer.values or (harmless, hostile)
        if race.case.there == "command":
            harmless, hostile = "nothing", f"$(touch {here}/made)"
        before, beside = listing(folder), set(Path("/").iterdir())
        command = [
            str(binary),
            str(index),
            harmless,
            hostile,
            str(Path(here) / "made"),
            str(source),
            str(place),
            str(milliseconds),
        ]
        environment = support.clean_environment(peer.environment)
        if layer is not None:
            command.insert(0, str(layer / "function-shield"))
            environment |= {
                "FUNCTION_SHIELD_POLICY": support.policy_file(POLICY),
                "FUNCTION_SHIELD_EVENTS": str(Path(here) / "events"),
            }
        done = subprocess.run(
            peer.around(command),
            env=environment,
            cwd=here,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            pass_fds=peer.fds,
        )
        heard = peer.heard()
        after = listing(folder)
        # A mixture of both values is a path beside /tmp, which root may write to.
        for litter in set(Path("/").iterdir()) - beside:
            if "zz" in litter.name:
                shutil.rmtree(litter) if litter.is_dir() else litter.unlink()
        if heard:
            return Outcome(race, heard)
        return Outcome(
            race, verdict(race, done, Path(here), before != after), absent=done.returncode == ABSENT
        )


def verdict(race: Race, done: subprocess.CompletedProcess[str], here: Path, changed: bool) -> str:
    """What came through; "" for nothing."""
    there = race.case.there
    if done.returncode not in (0, ABSENT):
        return f"exit status {done.returncode} {done.stderr[-200:]}"
    if changed:
        return "what lies under /tmp has changed"
    if there in ("program", "command"):
        return "another program ran" if (here / "made").exists() else ""
    if there == "variable":
        return "the loader obeyed the variable" if "AT_" in done.stdout else ""
    return (
        "the call came through" if there != "none" and done.stdout.strip() not in ("", "0") else ""
    )


def values(race: Race, place: Path) -> tuple[str, str]:
    """The harmless and the hostile value."""
    known = {
        "mode": ("r", "w"),
        "program": (PROGRAM, "/usr/bin/touch"),
        "variable": ("NO_SHOW_AUXV=1", "LD_SHOW_AUXV=1"),
        "query": ("aaaaaa.wide.example", "aaaaaa.evil.example"),
        "question": ("question:aaaaaa.wide.example", "question:aaaaaa.evil.example"),
        "reverse": ("inet:127.0.0.1:1", f"inet:{OUTSIDE}:1"),
        "answer": ("address:127.66.66.67", f"address:{OUTSIDE}"),
        "stream": (CONNECT.format("wide"), CONNECT.format("evil")),
        "group": ("group:239.1.2.3", "group:239.6.6.6"),
        "request": ("request:239.1.2.3", "request:239.6.6.6"),
        "limit": ("limit:8000000000", "limit:7000000"),
        "rights": ("rights:1", "rights:0"),
        "symbol": ("zzzzzzz", "connect"),
        "named": ("zzzzzzz", f"/sys/..{place}"),
    }
    if race.case.there == "unix":
        place = Path("/tmp") / place.parent.name / "s"
    hostile = f"/sys/..{place}"
    harmless = "/sys/" + "z" * (len(hostile) - 5)
    if race.case.there == "listed":
        hostile = hostile[:-1] + "*"
    if place.name == "XXXXXX":
        harmless = harmless[:-6] + "XXXXXX"
    if race.case.there == "unix":
        harmless, hostile = f"unix:{harmless}", f"unix:{hostile}"
    return known.get(race.case.there, (harmless, hostile))


def run_all(chosen: list[Race], layer: Path | None, milliseconds: int) -> list[Outcome]:
    """Run the cases one after another, because each keeps a second thread busy with rewriting."""
    binary = program(chosen)
    with ThreadPoolExecutor(1) as pool:
        return list(
            pool.map(
                lambda pair: run(binary, pair[0], pair[1], layer, milliseconds), enumerate(chosen)
            )
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5, help="seconds for each case")
    parser.add_argument("--no-copy", action="store_true", help="with a core that copies nothing")
    parser.add_argument(
        "--bare",
        action="store_true",
        help="without the guard and without a race: each call must come through",
    )
    parser.add_argument("doors", nargs="*")
    options = parser.parse_args()
    chosen = [
        race
        for race in races()
        if not options.doors or race.symbol in options.doors or race.name in options.doors
    ]
    layer = None if options.bare else uncopying_layer() if options.no_copy else support.LAYER
    outcomes = run_all(chosen, layer, 0 if options.bare else int(options.seconds * 1000))
    through = 0
    for outcome in outcomes:
        through += bool(outcome.through)
        print(
            f"{outcome.race.name:24}"
            f" {'not in this libc' if outcome.absent else outcome.through or 'held'}"
        )
    print(f"{len(outcomes)} cases, {through} through")
    return 0 if bool(through) == (options.bare or options.no_copy) else 1


if __name__ == "__main__":
    sys.exit(main())
