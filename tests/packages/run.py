"""Checks what forty packages do at import and in ordinary use, under the guard: ``python -m
tests.packages.run [WORD…]``.

With words, only rows whose name contains one of them run, and docs/packages.md is not written. Exit
status 0 only if each package does what packages.yaml says, and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fshield.local import components
from tests import support
from tests.packages.page import PAGE, document
from tests.packages.rows import HERE, Done, Row, problems, rows

_WAYS = (("unshare", "--net", "--mount"), ("unshare", "-r", "--net", "--mount"))
KEYS = ("answers", "violations", "output", "left")
_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def fetch() -> Path:
    """Install the packages. Returns their interpreter."""
    done = subprocess.run(
        [HERE / "fetch.sh"],
        env={**os.environ, "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def replay(chosen: Sequence[Row], python: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON line of each run. The runs have their own namespaces."""
    components.emulator()
    components.runtime_client(python, components.python_version(python))
    way = next(
        (
            way
            for way in _WAYS
            if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0
        ),
        None,
    )
    if way is None:
        raise SystemExit("no network namespace can be made: run as root, or permit user namespaces")
    names = [row.package for row in chosen]
    with subprocess.Popen(
        [*way, sys.executable, "-m", "tests.packages.inside", str(python), *names],
        cwd=support.ROOT,
        env={**support.clean_environment(), "PATH": _PATH},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode != 0:
        raise SystemExit(f"the run ended with {process.returncode}")


def main(words: list[str]) -> int:
    chosen = [row for row in rows() if not words or any(word in row.package for word in words)]
    python = fetch()
    done: dict[str, dict[str, Done]] = {row.package: {} for row in chosen}
    wrong = 0
    for line in replay(chosen, python):
        one = done[line["package"]]
        one[line["policy"]] = Done(**{key: line[key] for key in KEYS})
        row = next(each for each in chosen if each.package == line["package"])
        if (line["armed"] > 0) != (line["policy"] != "bare"):
            raise SystemExit(
                f"{row.package}: the number of armed guards is wrong under {line['policy']}"
            )
        if line["policy"] == row.runs()[-1]:
            found = problems(row, one)
            print(f"{row.package}: {'ok' if not found else ''}", flush=True)
            for text in found:
                print(f"    {text}", flush=True)
            wrong += len(found)
    if not (words or wrong):
        PAGE.write_text(document(rows()))
        print(f"wrote {PAGE.relative_to(support.ROOT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
