"""Writes docs/runtimes.md: every runtime of ``fshield/runtimes.tsv``, and what a run of each that
can be had here says. ``make runtimes``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fshield.local import components
from fshield.runtimes import Runtime, runtimes
from tests.runtimes.api import Served, serve
from tests.support import CACHE, LAUNCHER, ROOT, SCRATCH, interpreters, nodes

PAGE = ROOT / "docs" / "runtimes.md"
PAIRS = 11
RULES = ("read_write_tmp", "create_child_process", "read_handler", "outbound_connectivity")
PYTHON = """
import socket, subprocess
def code(act):
    try: act()
    except PermissionError: return "EACCES"
    except OSError as error: return type(error).__name__
    return "passed"
def handler(event, context):
    return [
        code(lambda: open("/tmp/function-shield-table", "w").close()),
        code(lambda: subprocess.run(["/usr/bin/true"])),
        code(lambda: open(__file__).close()),
        code(lambda: socket.create_connection(("127.66.66.66", 9), 2)),
        int(next(line for line in open("/proc/self/status") if "VmRSS" in line).split()[1]),
    ]
"""
NODE = """
const fs = require('fs'), net = require('net'), { spawnSync } = require('child_process');
const name = (error) => (error.code === 'EACCES' ? 'EACCES' : error.code);
const code = (act) => { try { act(); return 'passed'; } catch (error) { return name(error); } };
const connects = () => new Promise((done) => {
    net.connect(9, '127.66.66.66').on('error', (error) => done(name(error)));
});
exports.handler = async () => [
    code(() => fs.writeFileSync('/tmp/function-shield-table', '')),
    name(spawnSync('/usr/bin/true').error || { code: 'passed' }),
    code(() => fs.readFileSync(__filename)),
    await connects(),
    Math.round(process.memoryUsage.rss() / 1024),
];
"""


def version_of(path: Path) -> str:
    """As ``tried`` names it: python3.13, node22."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    parts = said.split()[-1].lstrip("v").split(".")
    return f"python3.{parts[1]}" if said.startswith("Python") else f"node{parts[0]}"


def command(row: Runtime, path: Path) -> tuple[list[str | Path], dict[str, str], str]:
    """How Lambda starts this runtime, its variables, and its handler's file."""
    words: list[str | Path]
    if row.language == "Python":
        client = components.runtime_client(path, components.python_version(path))
        words = [path, client / "bootstrap.py", client / "opt"]
    else:
        client = CACHE / "runtimes" / "node-client" / row.client.split()[-1]
        words = [path, client / "index.mjs"]
    return (
        words,
        {"LAMBDA_RUNTIME_DIR": str(client)},
        ("app.py" if row.language == "Python" else "app.js"),
    )


def once(row: Runtime, path: Path, policy: str | None) -> Served:
    """One start and one invocation."""
    words, env, file = command(row, path)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = Path(name)
        (folder / file).write_text(PYTHON if row.language == "Python" else NODE)
        time.sleep(0.02)
        return serve(words, task=folder, events=[1], policy=policy, env=env)


def line(row: Runtime, path: Path) -> dict[str, Any]:
    """What a run of this runtime says."""
    bare = once(row, path, None)
    said: dict[str, Any] = {"starts": bool(bare.bodies)}
    for policy in ("default", "strict"):
        done = once(row, path, policy)
        held = done.bodies[0][:4] if done.bodies else []
        named = {event["policy"] for event in done.violations}
        said[policy] = held == ["EACCES"] * 4 and set(RULES) <= named
        said["asker"] = any((event.get("origin") or {}).get("line") for event in done.violations)
        memory = done.bodies[0][4] - bare.bodies[0][4] if done.bodies and bare.bodies else 0
        said["memory"] = memory / 1024
    watched = once(row, path, "monitor")
    said["monitor"] = bool(watched.bodies) and watched.bodies[0][:4] == bare.bodies[0][:4]
    said["start"] = added_start(path)
    return said


def added_start(path: Path) -> float:
    """Milliseconds of CPU that the guard adds to a program that does nothing: the median of
    pairs."""
    nothing = ["-I", "-S", "-c", "pass"] if path.name.startswith("python") else ["-e", "1"]
    env = {**os.environ, "FUNCTION_SHIELD_POLICY": "default", "FUNCTION_SHIELD_EVENTS": "stderr"}
    differences = []
    for _ in range(PAIRS):
        taken = []
        for words in ([str(path), *nothing], [str(LAUNCHER), str(path), *nothing]):
            process = subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, words
            taken.append((used.ru_utime + used.ru_stime) * 1000)
        differences.append(taken[1] - taken[0])
    return sorted(differences)[PAIRS // 2]


def mark(value: bool) -> str:
    """yes or **no**."""
    return "yes" if value else "**no**"


def rows(tried: dict[str, Path]) -> Sequence[str]:
    """The table's lines."""
    found = []
    for row in runtimes().values():
        if not row.wrapper or (row.is_deprecated() and not row.tried):
            continue
        ends = str(row.deprecated or "")
        about = f"`{row.identifier}` | {row.system} | {row.client} | {ends}"
        if row.tried is None or row.tried not in tried:
            found.append(f"| {about} | not tried |  |  |  |  |")
            continue
        said = line(row, tried[row.tried])
        print(row.identifier, json.dumps(said), file=sys.stderr)
        named = said["asker"] or row.language != "Python"
        blocks = said["default"] and said["strict"] and named
        cells = [mark(said["starts"]), mark(blocks), mark(said["monitor"])]
        found.append(
            f"| {about} | {' | '.join(cells)} | {said['start']:+.1f} ms |"
            f" {said['memory']:+.1f} MB |"
        )
    return found


HEAD = """# Runtimes

Written by `make runtimes`, from `fshield/runtimes.tsv` and a run of each runtime that can be had
without an account: the interpreter (not Lambda's build of it), AWS's own runtime client, and a
small Runtime API. It has not run on Lambda.

- *starts*: the runtime answers an invocation.
- *blocks*: under `default` and under `strict`, four acts of the handler (a file in `/tmp`, a
  process, its own source, a connection) fail with `EACCES`, and an event names each; in Python it
  names file and line of the caller, else the library.
- *monitor*: the answer is the same as without the guard.
- *start*: the CPU time that the guard adds to a program that does nothing, median of 11 pairs on a
  shared two-core machine.
- *memory*: what the guard adds to the resident set, one run.

"""
COLUMNS = (
    *("runtime", "system", "client", "deprecated", "starts", "blocks"),
    *("monitor", "start", "memory"),
)
TAIL = """
Runtimes without a wrapper (`provided.*`, `go1.x`, those on Amazon Linux 1) cannot be guarded by the
layer alone: `fshield attach` refuses them and says what to do.
"""


def table(lines: Sequence[str]) -> str:
    """With its head."""
    rule = "| " + " | ".join("--" for _ in COLUMNS) + " |"
    return "\n".join(["| " + " | ".join(COLUMNS) + " |", rule, *lines]) + "\n"


def main() -> None:
    """Run all, and write the page."""
    tried = {version_of(path): path for path in [*reversed(interpreters()), *nodes()]}
    PAGE.write_text(HEAD + table(rows(tried)) + TAIL)


if __name__ == "__main__":
    main()
