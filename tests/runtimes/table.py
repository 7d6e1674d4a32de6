"""Writes docs/runtimes.md: every runtime of ``fshield/runtimes.tsv``, with the results of a run if
this machine has it. README gets one line for each language. ``make runtimes``."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fshield.runtimes import runtimes
from tests.runtimes.api import Served, serve
from tests.runtimes.tried import Start, start_of, tried
from tests.support import LAUNCHER, ROOT, SCRATCH

PAGE = ROOT / "docs" / "runtimes.md"
README = ROOT / "README.md"
SUMMARY = "| runtime | starts | four rules | `monitor` | caller | ms | MB |"
PAIRS = 21
RULES = ("read_write_tmp", "create_child_process", "read_handler", "outbound_connectivity")


def once(start: Start, policy: str | None) -> Served:
    """One start and one invocation."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = Path(name)
        for file, content in start.files.items():
            if isinstance(content, Path):
                shutil.copy(content, folder / file)
            else:
                (folder / file).write_text(content)
        time.sleep(0.02)
        return serve(
            start.words,
            task=folder,
            events=[1],
            policy=policy,
            env=start.env,
            handler=start.handler,
        )


def line(start: Start) -> dict[str, Any]:
    """The results of a run of this runtime."""
    bare = once(start, None)
    results: dict[str, Any] = {"starts": bool(bare.bodies)}
    for policy in ("default", "strict"):
        done = once(start, policy)
        held = done.bodies[0][:4] if done.bodies else []
        named = {event["policy"] for event in done.violations}
        results[policy] = held == ["EACCES"] * 4 and set(RULES) <= named
        results["others"] = sorted(named - set(RULES))
        asked = {e["policy"] for e in done.violations if (e.get("origin") or {}).get("line")}
        results["asked"] = len(asked & set(RULES))
        memory = done.bodies[0][4] - bare.bodies[0][4] if done.bodies and bare.bodies else 0
        results["memory"] = memory / 1024
    watched = once(start, "monitor")
    results["monitor"] = bool(watched.bodies) and watched.bodies[0][:4] == bare.bodies[0][:4]
    results["start"] = added_start(start)
    return results


def added_start(start: Start) -> float:
    """The CPU time in milliseconds that the guard adds to a program that does nothing: the shortest
    of PAIRS starts with the guard, minus the shortest without. Other programs on the machine can
    only lengthen a start.
    """
    env = {**os.environ, "FUNCTION_SHIELD_POLICY": "default", "FUNCTION_SHIELD_EVENTS": "stderr"}
    least = [float("inf")] * 2
    for _ in range(PAIRS):
        for which, words in enumerate((start.nothing, [LAUNCHER, *start.nothing])):
            process = subprocess.Popen(words, env={**env, **start.env}, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, words
            least[which] = min(least[which], (used.ru_utime + used.ru_stime) * 1000)
    return least[1] - least[0]


def mark(value: bool) -> str:
    """yes or **no**."""
    return "yes" if value else "**no**"


def rows(here: dict[str, Path]) -> Sequence[str]:
    """The rows of the table."""
    found = []
    for row in runtimes().values():
        if not row.wrapper or (row.is_deprecated() and not row.tried):
            continue
        ends = str(row.deprecated or "")
        about = f"`{row.identifier}` | {row.system} | {row.client} | {ends}"
        if row.tried is None or row.tried not in here:
            found.append(f"| {about} | not tried |  |  |  |  |  |")
            continue
        results = line(start_of(row, here[row.tried]))
        print(row.identifier, json.dumps(results), file=sys.stderr)
        blocks = results["default"] and results["strict"]
        cells = [mark(results["starts"]), mark(blocks), mark(results["monitor"])]
        cells.append(f"{results['asked']}/{len(RULES)}" if results["asked"] else "library")
        found.append(
            f"| {about} | {' | '.join(cells)} | {results['start']:+.1f}"
            f" | {results['memory']:+.1f} |"
        )
    return found


HEAD = """# Which runtimes does it guard?

Written by `make runtimes`, from `fshield/runtimes.tsv` and a run of each runtime that can be had
without an account: the interpreter (not Lambda's build of it), AWS's own runtime client, and a
small Runtime API. It has not run on Lambda. The clients for Java and Ruby are on no registry that
the tests use: a stand-in speaks as the source of each does. Of Ruby 4.0 and .NET there is no build
to be had.

- *starts*: the runtime answers an invocation.
- *blocks*: under `default` and under `strict`, four acts of the handler (a file in `/tmp`, a
  process, its own source, a connection) fail with `EACCES`, and an event names each.
- *monitor*: the answer is the same as without the guard.
- *caller*: in how many of those four events file and line of the caller stand; "library" where
  the guard knows no more than which library made the call.
- *ms*: the CPU time that the guard adds to a program that does nothing, by the least of 21 starts
  each on a shared two-core machine. Node.js and Java compile in threads of their own meanwhile:
  there, less than 10 ms is noise.
- *MB*: what the guard adds to the resident set, one run. Below 0: a refused act loads less.

"""
COLUMNS = (
    *("runtime", "system", "client", "deprecated", "starts", "blocks"),
    *("monitor", "caller", "ms", "MB"),
)
TAIL = """
Runtimes without a wrapper (`provided.*`, `go1.x`, those on Amazon Linux 1) cannot be guarded by the
layer alone: `fshield attach` refuses them and says what to do.
"""


def table(lines: Sequence[str]) -> str:
    """The table with its head."""
    rule = "| " + " | ".join("--" for _ in COLUMNS) + " |"
    return "\n".join(["| " + " | ".join(COLUMNS) + " |", rule, *lines]) + "\n"


def cells_of(page: str) -> dict[str, list[str]]:
    """The cells of the page's table, by the runtime's identifier."""
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    return {
        line.split("`")[1]: [cell.strip() for cell in line.strip("|").split("|")] for line in lines
    }


def _middle(values: Sequence[str]) -> str:
    return f"{statistics.median(map(float, values)):+.1f}"


def summary(page: str) -> str:
    """README's table: one line for each language that was run."""
    found = [SUMMARY, "| -- | -- | -- | -- | -- | -- | -- |"]
    cells = {name: row for name, row in cells_of(page).items() if "not tried" not in row}
    for language in dict.fromkeys(runtimes()[name].language for name in cells):
        names = [name for name in cells if runtimes()[name].language == language]
        versions = sorted({runtimes()[name].version for name in names}, key=_number)
        ran = [cells[name] for name in names]
        yes = [f"{sum(row[at] == 'yes' for row in ran)} of {len(ran)}" for at in (4, 5, 6)]
        asked = "file, line" if all(row[7] == "4/4" for row in ran) else "library"
        more = [_middle([row[at] for row in ran]) for at in (8, 9)]
        about = f"{language} {versions[0]} to {versions[-1]}"
        found.append(f"| {' | '.join([about, *yes, asked, *more])} |")
    return "\n".join(found)


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def with_summary(readme: str, page: str) -> str:
    """The text of README with the table of this page."""
    before, _, rest = readme.partition(f"{SUMMARY}\n")
    after = rest.partition("\n\n")[2]
    return f"{before}{summary(page)}\n\n{after}"


def main() -> None:
    """Run all runtimes, and write the page and README's table."""
    page = HEAD + table(rows(tried())) + TAIL
    PAGE.write_text(page)
    README.write_text(with_summary(README.read_text(), page))


if __name__ == "__main__":
    main()
