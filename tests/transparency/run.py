"""Runs CPython's own test-suite bare and guarded, and compares the results test by test.

Every module, with every interpreter of this machine:

    python tests/transparency/run.py

One module, with one interpreter:

    python tests/transparency/run.py --python 3.13 test_os

A sample under a policy that blocks. A difference that a rule accounts for is counted by rule:

    python tests/transparency/run.py --sample --policy tests/transparency/strict.yaml --one-process

A module whose results differ is run again, bare and guarded. Only a test whose bare and guarded
results have nothing in common counts as a difference. The exit status is 0 if there is none. The
logs, with the events, stay in build/transparency.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import support
from tests.transparency import modules
from tests.transparency.accounts import Accounts

WORK = support.ROOT / "build" / "transparency"
KNOWN = Path(__file__).with_name("known.json")
#: Regrtest's limit. Until Python 3.11 it is for a whole module where that runs in a worker.
ONE_TEST_SECONDS = 600
ATTEMPTS = 3
REFUSED = 78


@dataclass
class Outcome:
    """How one module's run ended: its exit status, and each test's result."""

    status: str
    tests: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def installed(python: Path) -> set[str]:
    """The test modules of this interpreter; empty if it has no test-suite."""
    script = "import os, test; print(*os.listdir(os.path.dirname(test.__file__)))"
    done = subprocess.run(
        [python, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    return {name.removesuffix(".py") for name in done.stdout.split() if name.startswith("test_")}


def results(report: Path) -> dict[str, str]:
    """Each test's result from a JUnit report. The results of subtests that share a name are
    joined."""
    found: dict[str, list[str]] = {}
    try:
        tree = ElementTree.parse(report)
    except (OSError, ElementTree.ParseError):
        return logged(report.with_name("log.txt"))
    for case in tree.iter("testcase"):
        kinds = [
            child.tag
            for child in case
            if child.tag in ("error", "failure", "skipped", "unexpectedSuccess")
        ]
        name = re.sub(r"0x[0-9a-f]+", "ADDRESS", case.get("name", ""))
        found.setdefault(name, []).append("+".join(kinds) or case.get("result", "completed"))
    return {name: " ".join(sorted(results)) for name, results in found.items()}


def logged(log: Path) -> dict[str, str]:
    """Each test's result from the log of a run that ended before it wrote its report."""
    words = {"ok": "completed", "FAIL": "failure", "ERROR": "error", "skipped": "skipped"}
    pairs = re.findall(
        r"^\w+ \(([\w.]+)\).* \.\.\. (ok|FAIL|ERROR|skipped)",
        log.read_text(errors="replace"),
        re.MULTILINE,
    )
    return {name: words[word] for name, word in pairs}


def run_module(
    python: Path, module: str, folder: Path, policy: str | None, options: argparse.Namespace
) -> Outcome:
    """Run one module of the suite, without the guard if ``policy`` is None."""
    shutil.rmtree(folder, ignore_errors=True)
    scratch = folder / "tmp"
    scratch.mkdir(parents=True)
    report = folder / "junit.xml"
    command = [
        str(python), "-u", "-m", "test", *([] if options.one_process else ["-j1"]), "-v",
        f"--timeout={ONE_TEST_SECONDS}", f"--tempdir={scratch}", f"--junit-xml={report}",
        *(f"--ignore={name}" for name in modules.NEVER_END.get(module, ())), module,
    ]  # fmt: skip
    environment = support.clean_environment({"TMPDIR": str(scratch), "HOME": str(scratch)})
    if policy is not None:
        command.insert(0, str(support.LAUNCHER))
        environment["FUNCTION_SHIELD_POLICY"] = policy
    started = time.monotonic()
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            status = str(process.wait(options.limit))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = "timeout"
    return Outcome(status, results(report), time.monotonic() - started)


def seen(outcomes: Sequence[Outcome], name: str) -> list[str]:
    """Every result that a test had in these runs. The name "" stands for the exit status."""
    return sorted(
        {outcome.tests.get(name, "absent") if name else outcome.status for outcome in outcomes}
    )


def differences(bare: Sequence[Outcome], guarded: Sequence[Outcome]) -> dict[str, tuple[str, str]]:
    """The tests whose bare and guarded results have nothing in common: name to (bare, guarded)."""
    names = {"", *(name for outcome in (*bare, *guarded) for name in outcome.tests)}
    found = {}
    for name in sorted(names):
        before, after = seen(bare, name), seen(guarded, name)
        if not set(before) & set(after):
            found[name or "exit status"] = (" or ".join(before), " or ".join(after))
    return found


def late(outcomes: Sequence[Outcome]) -> bool:
    """Whether every run reached a time limit before a test had a result: nothing was compared."""
    return all(not one.tests and one.seconds >= ONE_TEST_SECONDS for one in outcomes)


def compare(
    python: Path, version: str, module: str, options: argparse.Namespace
) -> dict[str, tuple[str, str]]:
    """Run a module bare and guarded, again while the results differ: a test that fails by chance
    does so both ways."""
    bare: list[Outcome] = []
    guarded: list[Outcome] = []
    found: dict[str, tuple[str, str]] = {}
    expected = known(version, module, options.policy)
    forbids = options.policy != "monitor"
    by_rule: Counter[str] = Counter()
    for attempt in range(ATTEMPTS):
        folder = (
            WORK / version / "without" / module
        )  # as long as "monitor", because the length of a socket's path is limited
        cache = folder / "outcome.json"
        if attempt == 0 and options.reuse_bare and cache.exists():
            bare.append(Outcome(**json.loads(cache.read_text())))
        else:
            bare.append(run_module(python, module, folder, None, options))
            cache.write_text(json.dumps(asdict(bare[-1])))
        folder = WORK / version / Path(options.policy).stem / module
        guarded.append(run_module(python, module, folder, options.policy, options))
        if guarded[-1].status == str(REFUSED):
            sys.exit((folder / "log.txt").read_text(errors="replace"))
        found = differences(bare, guarded)
        if forbids:
            accounts = Accounts((folder / "log.txt").read_text(errors="replace"))
            by_rule = Counter(
                why for name in found if name != "exit status" and (why := accounts.of(name))
            )
            found = {name: pair for name, pair in found.items() if not accounts.of(name)}
        if found.keys() <= expected:
            break
    if not (found.keys() - expected) and late(bare) and late(guarded):
        found["no test"] = (f"not within {ONE_TEST_SECONDS} s",) * 2
    print(
        f"{version}  {module:34} {len(bare[0].tests):5} tests  {bare[0].seconds:6.1f} s bare"
        f" {guarded[0].seconds:6.1f} s guarded  {len(found) or 'no'}"
        f" difference{'' if len(found) == 1 else 's'}",
        flush=True,
    )
    for why, count in by_rule.most_common():
        print(f"    {count:5} by {why}", flush=True)
    return found


def known(version: str, module: str, policy: str) -> set[str]:
    """The tests whose differences docs/decisions/transparency.md explains. They are not counted."""
    table = json.loads(KNOWN.read_text()) if KNOWN.exists() else []
    return {
        name
        for row in table
        if row["module"] == module
        and policy in row["policies"]
        and ("python" not in row or version in row["python"])
        for name in row["tests"]
    }


def chosen(options: argparse.Namespace) -> Iterator[tuple[Path, str, str]]:
    """Interpreter, version and module of each comparison to run."""
    wanted: Sequence[str] = options.modules or (
        modules.SAMPLE if options.sample else modules.QUICK + modules.SLOW
    )
    for python in support.interpreters():
        script = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run(
            [python, "-c", script], capture_output=True, text=True, check=True
        ).stdout.strip()
        if options.python and version not in options.python:
            continue
        have = installed(python)
        for module in wanted:
            if module in have:
                yield python, version, module


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "modules",
        nargs="*",
        help="modules of the suite; by default all in tests/transparency/modules.py",
    )
    parser.add_argument("--python", action="append", help="a version, such as 3.13; repeatable")
    parser.add_argument("--policy", default="monitor", help="a posture, or a compiled policy")
    parser.add_argument("--sample", action="store_true", help="a few modules of each door family")
    parser.add_argument(
        "--reuse-bare", action="store_true", help="take bare results from the last run"
    )
    parser.add_argument(
        "--one-process",
        action="store_true",
        help="run the module in the runner's own process, for policies that forbid child processes",
    )
    parser.add_argument("--limit", type=float, default=1500, help="seconds for one module")
    options = parser.parse_args()
    # A process started in the background ignores SIGINT, and so do its children. Tests that send
    # SIGINT to themselves would then wait forever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if options.policy.endswith(".yaml"):
        options.policy = support.policy_file(Path(options.policy))
    elif "/" in options.policy:
        options.policy = str(Path(options.policy).resolve())
    total = 0
    for python, version, module in chosen(options):
        expected = known(version, module, options.policy)
        for name, (bare, guarded) in compare(python, version, module, options).items():
            accounted = name in expected
            total += not accounted
            print(
                f"    {'(known) ' if accounted else ''}{name}: {bare} bare, {guarded} guarded",
                flush=True,
            )
    print(f"{total} unexplained differences")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
