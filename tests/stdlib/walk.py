"""Runs a row of acts.yaml in a separate process. A dependency that is installed for the row
performs the act."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support import (
    LAUNCHER,
    ROOT,
    SCRATCH,
    Event,
    clean_environment,
    policy_file,
    split_events,
)

HERE = Path(__file__).resolve().parent
OUT = "127.66.66.66"
PACKAGE = "actor"
MODULES = (
    (
        "_pyio, asyncio, bz2, codecs, concurrent.futures, configparser, copy, dbm.dumb, filecmp,"
        " fileinput, ftplib, glob, gzip"
    ),
    (
        "http.client, http.cookiejar, imaplib, importlib.util, io, linecache, logging.handlers,"
        " lzma, mailbox, marshal"
    ),
    (
        "mimetypes, mmap, multiprocessing.connection, netrc, os, pathlib, platform, poplib, pty,"
        " py_compile, readline, runpy"
    ),
    (
        "shutil, smtplib, socket, sqlite3, ssl, subprocess, sys, tarfile, tempfile, tokenize,"
        " types, urllib.request, wave"
    ),
    "xmlrpc.client, zipfile",
)
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import actor

def show(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -2 < value < 3 else "int"
    if isinstance(value, (list, tuple)):
        return [show(part) for part in value]
    return value if value is None or isinstance(value, (bool, str)) else type(value).__name__

if __name__ == "__main__":
    try:
        said = ["returned", show(actor.act(*sys.argv[2:5]))]
    except BaseException as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        said = ["raised", kinds, getattr(error, "errno", None)]
    print("RESULT " + json.dumps(said), flush=True)
"""


@dataclass(frozen=True)
class Row:
    """One row of acts.yaml, with the defaults of keys that a row may leave out."""

    act: str
    rule: str
    call: str
    setup: str = ""
    since: str = "3.9"
    until: str = "3.99"
    needs: str = ""
    events: int | str = 1
    blocked: int | str = 1
    swallows: bool = False
    nobody: str = ""
    file: str = ""
    also: str = ""
    ends: bool = False
    late: str = ""
    child: str = ""


def rows() -> list[Row]:
    """All rows of the table."""
    return [Row(**row) for row in yaml.safe_load((HERE / "acts.yaml").read_text())]


def version(text: str) -> tuple[int, ...]:
    """ "3.13" as numbers."""
    return tuple(int(part) for part in text.split("."))


@dataclass(frozen=True)
class Outcome:
    """The results of one run."""

    result: Any
    events: list[Event]
    line: int
    file: str
    stderr: str

    @property
    def refused(self) -> bool:
        """Whether the act raised the error of a refusal."""
        return (
            bool(self.result) and self.result[0] == "raised" and "PermissionError" in self.result[1]
        )


def _content(folder: Path) -> None:
    """Make the files that both folders contain."""
    (folder / "d" / "s" / "t").mkdir(parents=True)
    (folder / "empty").mkdir()
    for name in ("f", "d/f"):
        (folder / name).write_text("content\n")
    (folder / "l").symlink_to("f")
    (folder / "ini").write_text("[a]\nb = c\n")
    (folder / "empty.txt").write_text("")
    (folder / "m.py").write_text("x = 1\n")
    for end in ("dat", "dir"):
        (folder / f"a.{end}").write_text("")
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(1)
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.add(folder / "f", "f")


def _write_module(site: Path, row: Row) -> int:
    """Write the dependency. Returns the line number of the call."""
    imports = []
    for names in MODULES:
        for name in names.split(", "):
            # Import only what the row uses: some modules are slow to import, and some import
            # ctypes.
            if re.search(rf"\b{re.escape(name.split('.')[0])}\b", row.call + row.setup):
                imports.append(f"import {name}")
    lines = [
        *imports,
        "def act(tmp, own, out):",
        *(f"    {line}" for line in row.setup.splitlines()),
        f"    return {row.call}",
    ]
    site.mkdir()
    (site / "actor.py").write_text("\n".join([*lines, ""]))
    return len(lines)


def run(row: Row, python: Path, policy: str, name: str) -> Outcome:
    """Run one act under one policy, or under "bare" without the guard."""
    base = SCRATCH / "acts" / name
    tmp = Path("/tmp") / f"acts-{os.getpid()}-{name}"
    for folder in (base, tmp):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        own = base / "own"
        own.mkdir()
        _content(tmp)
        _content(own)
        (own / "to_tmp").symlink_to(tmp / "f")
        (own / "folder_in_tmp").symlink_to(tmp)
        compiled = (
            "import marshal, py_compile, sys; py_compile.compile(sys.argv[1] + '/m.py', sys.argv[1]"
            " + '/m.pyc'); open(sys.argv[1] + '/marshalled', 'wb').write(marshal.dumps(1))"
        )
        if "marshalled" in row.call or "m.pyc" in row.call:
            subprocess.run([python, "-c", compiled, own], check=True)
        (base / "main.py").write_text(PROGRAM)
        line = _write_module(base / "site", row)
        command = [str(python), str(base / "main.py"), str(base / "site"), str(tmp), str(own), OUT]
        environment = clean_environment({"TMPDIR": str(own)})
        if policy != "bare":
            command.insert(0, str(LAUNCHER))
            environment["FUNCTION_SHIELD_POLICY"] = policy_file(policy)
        log = base / "log"
        with log.open("w") as sink:
            environment["FUNCTION_SHIELD_EVENTS"] = str(log) if policy != "bare" else ""
            done = subprocess.run(
                command,
                env=environment,
                cwd=base,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=60,
                check=False,
            )
            del sink
        _, events = split_events(log.read_text(errors="replace") + "\n" + done.stderr)
        found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
        result = json.loads(found[1]) if found else ["ended", done.returncode]
        result = json.loads(json.dumps(result).replace(str(tmp), "TMP").replace(str(own), "OWN"))
        violations = [event for event in events if event["event"] == "violation"]
        return Outcome(result, violations, line, str(base / "site" / "actor.py"), done.stderr)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
        shutil.rmtree(base / "own", ignore_errors=True)


POLICIES = ("monitor", "default", "strict")


class CannotImport(Exception):
    """This interpreter lacks the module of the act."""


@cache
def _modes(policy: str) -> dict[str, str]:
    """The mode of each rule in a posture."""
    document = yaml.safe_load((ROOT / "policies" / f"{policy}.yaml").read_text())["policy"]
    modes = {
        rule: value if isinstance(value, str) else value["mode"] for rule, value in document.items()
    }
    return {**modes, "guard_integrity": "block" if "block" in modes.values() else "alert"}


def problems(row: Row, python: Path, name: str) -> list[str]:
    """Descriptions of what is wrong with an act; empty if nothing is."""
    bare = run(row, python, "bare", name)
    if "ImportError" in bare.stderr or "ModuleNotFoundError" in bare.stderr:
        raise CannotImport(bare.stderr.splitlines()[-1])
    found = []
    for policy in POLICIES:
        outcome = run(row, python, policy, name)
        blocks = _modes(policy)[row.rule] == "block" or (
            row.also and _modes(policy)[row.also] == "block"
        )
        found += [f"{policy}: {text}" for text in _wrong(row, bare, outcome, bool(blocks))]
    return found


def _wrong(row: Row, bare: Outcome, outcome: Outcome, blocks: bool) -> Iterator[str]:
    if not blocks and outcome.result != bare.result:
        yield f"{outcome.result}, and {bare.result} without the guard: {outcome.stderr}"
    if blocks and not row.swallows and not outcome.refused:
        yield f"{outcome.result} is no refusal: {outcome.stderr}"
    count: int | str = row.blocked if blocks else row.events
    if not (outcome.events if count == "many" else len(outcome.events) == count):
        yield (
            f"{len(outcome.events)} events, not {count}:"
            f" {[event['message'] for event in outcome.events]}"
        )
    for event in outcome.events:
        origin = event["origin"]
        if event["policy"] not in (row.rule, row.also):
            yield f"an event of {event['policy']}: {event['message']}"
        place = (origin["distribution"], origin["file"], origin["line"])
        if row.nobody:
            right = origin["distribution"] is None
        elif row.file:
            right = row.file in (origin["file"] or "") or place == (
                PACKAGE,
                outcome.file,
                outcome.line,
            )
        elif (row.child and "command" in origin) or (row.late and not origin["line"]):
            right = True
        else:
            right = place == (PACKAGE, outcome.file, outcome.line)
        if not right:
            yield f"{event['message']}: by {place}, not {(PACKAGE, outcome.file, outcome.line)}"


def main() -> None:
    """``python -m tests.stdlib.walk PYTHON [NAME]``: print what is wrong with each act. With a
    name, print all results of that act."""
    python, word = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    version_text = subprocess.run(
        [python, "-V"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    for at, row in enumerate(rows()):
        if word not in row.act or not version(row.since) <= version(version_text)[:2] <= version(
            row.until
        ):
            continue
        try:
            for problem in problems(row, python, f"{version_text}-{at}"):
                print(row.act, "|", problem, flush=True)
        except CannotImport as lacks:
            print(row.act, "| not here:", lacks, flush=True)
        for policy in ("bare", *POLICIES) if word else ():
            outcome = run(row, python, policy, f"{version_text}-{at}")
            print(row.act, "|", policy, "|", json.dumps(outcome.result))
            for event in outcome.events:
                origin = event["origin"]
                print("   ", event["ring"], event["message"], "|", origin["file"], origin["line"])


if __name__ == "__main__":
    main()
