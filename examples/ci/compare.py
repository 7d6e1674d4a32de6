#!/usr/bin/env python3
"""Says what dependencies do under the new lock file that they did not do under the old one.

    python compare.py OLD.lock NEW.lock --own mypackage -- python -m pytest -q

Makes an environment for each lock file, runs the command in both under the policy `monitor`
(nothing is blocked), and compares what the dependencies touched. Run it with a Python that has
fshield and pip. It uses the standard library only.

Exit codes: 0 nothing new, 1 something new, 2 could not run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FSHIELD = [sys.executable, "-m", "fshield"]
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?\s*==\s*([^\s;\\]+)")
_KIND = {"reach": "contacts", "look up": "looks up", "start": "starts"}


class CouldNotRun(Exception):
    """Something failed before the comparison. The message says what."""


def canonical(name):
    """A normalised name:
    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock):
    """The versions in a lock file, by name."""
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CouldNotRun(f"{lock}: {error.strerror}") from None
    found = (_PIN.match(line.strip()) for line in lines)
    return {canonical(match[1]): match[2] for match in found if match}


def run(what, command, **options):
    """Run a command quietly. If it fails, its last lines are the message."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **options,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise CouldNotRun(f"{what} ended with status {done.returncode}:\n{tail}")
    return done.stdout


def observe(name, lock, command, own, work, keep):
    """What each dependency touched while the command ran with the packages of `lock`, according to
    `fshield report`. The log is kept in the folder `keep`, if given."""
    folder = work / name
    print(f"{name}: {lock}", file=sys.stderr)
    run(f"{lock}: venv", [sys.executable, "-m", "venv", "--without-pip", folder / "env"])
    python = folder / "env" / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--quiet",
        "--disable-pip-version-check",
    ]
    run(f"{lock}: pip install", [*pip, "install", "-r", lock])
    events = folder / "events.jsonl"
    environment = {
        **os.environ,
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(folder / "env"),
        "FUNCTION_SHIELD_EVENTS": str(events),
    }
    run(
        f"{lock}: {' '.join(command)}",
        [*FSHIELD, "run", "--policy", "monitor", "--", *command],
        env=environment,
    )
    if not events.exists():
        raise CouldNotRun(f"{lock}: the command made no events. Did it run under the guard?")
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(events, keep / f"{name}.log")
    options = [part for module in own for part in ("--own", module)]
    # Only stdout has the JSON; notes go to stderr.
    done = subprocess.run(
        [*FSHIELD, "report", "--json", *options, str(events)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CouldNotRun(
            f"{lock}: fshield report ended with status"
            f" {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return json.loads(done.stdout)


def touched(report):
    """The number of acts, by dependency and act."""
    found = {}
    for dependency in report["dependencies"]:
        for touch in dependency["touched"]:
            key = (dependency["name"] or "", touch["policy"], touch["what"])
            count, by = found.get(key, (0, touch["by"]))
            found[key] = (count + sum(touch["done"].values()), by)
    return found


def versions(name, old, new):
    """The change of a version in words: `requests 2.31.0 to 2.32.0`."""
    if not name:
        return "unknown caller"
    before, after = old.get(canonical(name)), new.get(canonical(name))
    if before == after:
        return f"{name} {after}, unchanged," if after else name
    if not before:
        return f"{name} {after}, which is new,"
    return f"{name} {before} to {after}" if after else f"{name}, which was {before},"


def sentences(old, new, old_pins, new_pins):
    """One sentence for each new act."""
    before, after = touched(old), touched(new)
    lines = []
    for (name, policy, what), (count, by) in sorted(after.items()):
        if (name, policy, what) in before:
            continue
        verb = next((verb for verb in _KIND if what.startswith(f"{verb} ")), None)
        sentence = f"{_KIND[verb]} {what[len(verb) + 1 :]}" if verb else f"does this: {what}"
        times = f"{count} times" if count > 1 else "once"
        asked = "" if by == name else f", asked by {by}"
        text = f"{versions(name, old_pins, new_pins)} now {sentence} ({policy}, {times}{asked})"
        # The names come from code that nobody has reviewed yet.
        lines.append(
            "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        )
    return lines


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("old", type=Path, metavar="OLD.lock")
    parser.add_argument("new", type=Path, metavar="NEW.lock")
    parser.add_argument(
        "--own", action="append", default=[], metavar="MODULE", help="the project's own; repeatable"
    )
    parser.add_argument(
        "--logs", type=Path, metavar="FOLDER", help="keep the events there: old.log and new.log"
    )
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND")
    given = parser.parse_args()
    # Not in /tmp, because the policy would report each read there.
    work = Path(tempfile.mkdtemp(prefix=".compare-", dir=Path.cwd()))
    try:
        old_pins, new_pins = pins(given.old), pins(given.new)
        old = observe("old", given.old, given.command, given.own, work, given.logs)
        new = observe("new", given.new, given.command, given.own, work, given.logs)
    except CouldNotRun as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(work, ignore_errors=True)
    found = sentences(old, new, old_pins, new_pins)
    if given.as_json:
        print(json.dumps({"ok": not found, "new": found}, indent=2))
    else:
        print(
            "\n".join(f"- {line}" for line in found)
            or "no dependency does what it did not do before"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
