"""From watching to enforcing, for twelve honest functions, in numbers.

For each function it takes the answers to twenty inputs without the guard, learns a policy from the
first three under `monitor`, compares the answers under that policy, and tries what a malicious
release of a dependency can do under it. A block or an alarm of the honest function is an error. So
is a malicious act that works, or that no event names.

    .venv/bin/python examples/honest/run.py [--write FILE] [NAME ...]
"""

import argparse
import base64
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import inputs
import world
import yaml

from fshield.local import components
from fshield.local.emulator import Function

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "honest"
TMP = Path("/tmp")
LEFT_OVER = "left-over.csv"
SHOWN, WIDE = 10, 400
#: Runs for the cost of `ephemeral`, alternately with and without the guard.
REPEATS = 3
FORGETFUL = f"""\
With an ephemeral `/tmp` in place of what was learnt for it. *CPU* is the processor time of an
invocation, the mean of nineteen in {REPEATS} runs each; the guard's other rules are in it.
`orders` keeps rates in `/tmp`, and has to ask for them again each time, which
`keep: ["/tmp/shop/**"]` saves. `history` starts ten programs an invocation."""
BEGIN, END = "<!-- made by examples/honest/run.py -->", "<!-- end -->"
FUNCTIONS = {each["name"]: each for each in yaml.safe_load((HERE / "functions.yaml").read_text())}
#: Functions that need only the standard library.
PLAIN = ("ledger", "bundles", "refunds", "waits")
#: Each act of the malicious release: its rule, and a word in its event.
ACTS = {
    "post_environment": ("outbound_connectivity", world.THIEF),
    "look_up_data": ("outbound_connectivity", ".data.evil.example"),
    "connect_to_address": ("outbound_connectivity", world.OUTSIDE),
    "send_datagram": ("outbound_connectivity", world.OUTSIDE),
    "write_to_another_bucket": ("outbound_connectivity", "drop-box.s3."),
    "read_source": ("read_handler", ".py"),
    "run_shell": ("create_child_process", "sh"),
    "spawn_program": ("create_child_process", "/usr/bin/env"),
    "keep_data": ("read_write_tmp", "/tmp/.tagwright"),
    "drop_tool": ("read_write_tmp", "/tmp/.tagwright-tool"),
    "plant_link": ("read_write_tmp", "/tmp/.tagwright-link"),
    "keep_database": ("read_write_tmp", "/tmp/.tagwright.db"),
    "read_left_over": ("read_write_tmp", "/tmp/left-over.csv"),
    "make_memory_executable": ("native_code", "executable"),
    "talk_to_runtime_api": ("runtime_api", "127.0.0.1"),
}


@dataclass
class Run:
    """The results of a function's inputs."""

    answers: list = field(default_factory=list)
    events: list = field(default_factory=list)  # events of each input; the first includes the start
    output: str = ""
    left: list = field(default_factory=list)  # what is left in /tmp after each input
    cost: float = 0.0  # mean CPU time of an invocation, without the first

    def violations(self, number=None):
        """The violations of one input, or of all."""
        found = self.events if number is None else self.events[number : number + 1]
        return [one for events in found for one in events if one["event"] == "violation"]


@dataclass
class Row:
    """A function's line in the table."""

    name: str
    blocked: int = 0
    alarms: int = 0
    learnt_blocked: int = 0
    stopped: int = 0
    acts: int = 0
    exceptions: int = 0
    accepted: list = field(default_factory=list)
    other_answers: int = 0
    left: int = 0
    cost: float = 0.0
    bare_cost: float = 0.0
    problems: list = field(default_factory=list)

    def say(self, problem):
        """Record an error, in words for people."""
        self.problems.append(f"{self.name}: {problem}")


def _task(name, release):
    """The function's package with one release of its dependency, as pip installs it."""
    folder = BUILD / f"{name}-{release}" / name
    shutil.rmtree(folder.parent, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / "functions" / name, folder, ignore=ignored)
    shutil.copytree(HERE / "tagwright" / release, folder, ignore=ignored, dirs_exist_ok=True)
    info = folder / "tagwright-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tagwright\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("tagwright\n")
    lines = []
    for file in sorted((folder / "tagwright").iterdir()):
        content = file.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        lines.append(f"tagwright/{file.name},sha256={digest},{len(content)}")
    (info / "RECORD").write_text("\n".join([*lines, ""]))
    return folder


def _run(name, given, python, variables, policy=None, release="honest"):
    for path in TMP.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (TMP / LEFT_OVER).write_text("of another customer\n")
    run = Run()
    function = Function(
        _task(name, release),
        FUNCTIONS[name].get("handler", "app.handler"),
        python=python,
        policy=policy and str(policy),
        guarded=policy is not None,
        env=variables,
        timeout=60,
    )
    with function:
        for number, each in enumerate(given):
            done = function.invoke(each)
            if number == 0:  # the first invocation also starts the runtime
                begin = _processor(function.pid())
            run.answers.append((done.response, done.error and _error(done.error)))
            run.events.append(done.events)
            run.output += done.stderr.decode("utf-8", "replace")
            run.left.append(sorted(path.name for path in TMP.iterdir()))
        run.cost = (_processor(function.pid()) - begin) / (len(given) - 1)
    run.events[-1] = run.events[-1] + (function.rest.events if function.rest else [])
    return run


def _error(error):
    return error.get("errorType"), error.get("errorMessage")


def _learn(name, events, row):
    log, policy = BUILD / f"{name}.log", BUILD / f"{name}.yaml"
    log.write_text("".join(f"{json.dumps(one)}\n" for each in events for one in each))
    policy.unlink(missing_ok=True)
    accept = FUNCTIONS[name].get("accept", [])
    words = [word for each in accept for word in ("--accept", each["place"])]
    command = ["learn", log, "-o", policy, "--region", world.REGION, "--json", *words]
    done = subprocess.run(
        [sys.executable, "-m", "fshield", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        row.say(f"learn: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return None
    found = json.loads(done.stdout)
    row.exceptions = len(found["learnt"])
    row.accepted = [each["place"] for each in accept]
    for each in found["held"]:
        row.say(f"learn held back {each['what']} by {each['by']}: {each['why']}")
    return policy


def _compare(row, bare, enforced):
    """Any event for an honest input under the policy is a false block or a false alarm."""
    for number, (wanted, found) in enumerate(zip(bare.answers, enforced.answers, strict=True)):
        if wanted != found:
            row.say(f"input {number} was answered {found}, and {wanted} without the guard")
        violations = enforced.violations(number)
        blocked = wanted != found or any(one["mode"] == "block" for one in violations)
        if number < inputs.LEARNT:
            row.learnt_blocked += blocked
        else:
            row.blocked += blocked
        row.alarms += bool(violations)
        for one in violations:
            row.say(f"input {number}: {one['message']}")


def _attack(row, bare, enforced):
    """Each act works without the guard. Under the policy none works, and each is named."""
    for act, (rule, word) in ACTS.items():
        if f"tagwright {act} worked" not in bare.output:
            row.say(f"{act} does not work without the guard: {_said(bare, act)}")
        named = any(
            one["policy"] == rule
            and one["mode"] == "block"
            and (one["origin"] or {}).get("distribution") == "tagwright"
            and word in json.dumps([one["details"], one["message"]])
            for one in enforced.violations()
        )
        stopped = f"tagwright {act} failed" in enforced.output
        row.acts += 1
        row.stopped += stopped and named
        if not stopped or not named:
            row.say(f"{act}: stopped {stopped}, named {named}: {_said(enforced, act)}")


def _ephemeral(policy):
    """The learnt policy, with `ephemeral` in place of its entries for /tmp."""
    document = yaml.safe_load(policy.read_text())
    document["policy"]["read_write_tmp"] = {"mode": "ephemeral"}
    document.pop("tests", None)
    made = policy.with_name(f"{policy.stem}-ephemeral.yaml")
    made.write_text(yaml.safe_dump(document))
    return made


def _forget(row, bare, forgetful):
    """Under `ephemeral`: the answers equal the bare ones, and nothing is left after an
    invocation."""
    for number, (wanted, found) in enumerate(zip(bare.answers, forgetful.answers, strict=True)):
        if wanted != found:
            row.other_answers += 1
            row.say(f"ephemeral, input {number}: answered {found}, and {wanted} bare")
        for one in forgetful.violations(number):
            row.say(f"ephemeral, input {number}: {one['message']}")
    for number, names in enumerate(forgetful.left):
        if names != [LEFT_OVER]:
            row.left += 1
            row.say(f"ephemeral: after input {number} there is {names}")


def _processor(pid):
    """The CPU time in ms of a process and of the children that it has waited for."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) * 1000 / os.sysconf("SC_CLK_TCK")


def _said(run, act):
    found = [line for line in run.output.splitlines() if line.startswith(f"tagwright {act} ")]
    return found[0] if found else "it was not tried"


def measure(name, python, variables, repeats=1):
    """Run one function, from watching to enforcing. `repeats` is the number of runs for the
    cost."""
    row = Row(name)
    given = inputs.inputs(name)
    bare = _run(name, given, python, variables)
    watched = _run(name, given[: inputs.LEARNT], python, variables, "monitor")
    if watched.answers != bare.answers[: inputs.LEARNT]:
        row.say(f"under monitor: {watched.answers}")
    policy = _learn(name, watched.events, row)
    if policy is None:
        return row
    _compare(row, bare, _run(name, given, python, variables, policy))
    forgetful = _ephemeral(policy)
    pairs = [(bare, _run(name, given, python, variables, forgetful))]
    _forget(row, *pairs[0])
    for _ in range(repeats - 1):
        pairs.append([_run(name, given, python, variables, each) for each in (None, forgetful)])
    row.cost = statistics.mean(after.cost for _, after in pairs)
    row.bare_cost = statistics.mean(before.cost for before, _ in pairs)
    bad = [_run(name, given[:2], python, variables, each, "hostile") for each in (None, policy)]
    _attack(row, *bad)
    return row


def _table(rows):
    lines = [
        "| function | false blocks | learnt from | false alarms | acts stopped | exceptions"
        " | accepted |",
        "| -- | -- | -- | -- | -- | -- | -- |",
    ]
    for row in rows:
        accepted = ", ".join(f"`{place}`" for place in row.accepted) or "none"
        lines.append(
            f"| {row.name}: {FUNCTIONS[row.name]['what']} | {row.blocked} of"
            f" {inputs.COUNT - inputs.LEARNT} | {row.learnt_blocked} of {inputs.LEARNT} |"
            f" {row.alarms} of {inputs.COUNT} | {row.stopped} of {row.acts} | {row.exceptions} |"
            f" {accepted} |"
        )
    return "\n".join(lines)


def _forgetful_table(rows):
    lines = [
        "| function | answers unlike bare | invocations that left anything | CPU bare | CPU |",
        "| -- | -- | -- | -- | -- |",
    ]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.other_answers} of {inputs.COUNT} | {row.left} of {inputs.COUNT}"
            f" | {row.bare_cost:.1f} ms | {row.cost:.1f} ms |"
        )
    return "\n".join(lines)


def _write(page, rows):
    """Replace the table in a page, and the reasons for the accepted acts below it."""
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    reasons = [
        textwrap.fill(
            f"- {row.name}: `{each['place']}`. {each['reason']}.", 100, subsequent_indent="  "
        )
        for row in rows
        for each in FUNCTIONS[row.name].get("accept", [])
    ]
    day = datetime.now(timezone.utc).date()
    heading = f"Run on {day} with Python {sys.version_info[0]}.{sys.version_info[1]}:"
    parts = [BEGIN, "", heading, "", _table(rows), "", "Accepted by hand:", "", *reasons, ""]
    parts += [textwrap.fill(FORGETFUL, 100, break_on_hyphens=False), ""]
    parts += [_forgetful_table(rows), "", END]
    page.write_text(before + "\n".join(parts) + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="the page with the table to replace"
    )
    parser.add_argument(
        "--python", type=Path, help="an interpreter that has the functions' packages"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *FUNCTIONS])
    given = parser.parse_args()
    names = given.names or list(FUNCTIONS)
    python = given.python
    if python is None and set(names) <= set(PLAIN):
        python = Path(sys.executable)
    elif python is None:
        environment = {**os.environ, "PYTHON": sys.executable}
        fetched = subprocess.run(
            [HERE / "fetch.sh"], env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        python = Path(fetched.stdout.strip())
    # Download everything now, because the world has no way out.
    components.emulator()
    components.runtime_client(python, components.python_version(python))
    world.enter()
    outside = world.World(BUILD / "world", python if "forecast" in names else None)
    rows = []
    for name in names:
        begin = time.monotonic()
        row = measure(name, python, outside.variables, REPEATS if given.write else 1)
        rows.append(row)
        for problem in row.problems[:SHOWN]:
            print(problem[:WIDE], file=sys.stderr)
        if len(row.problems) > SHOWN:
            print(f"{name}: and {len(row.problems) - SHOWN} more", file=sys.stderr)
        print(f"{name}: {time.monotonic() - begin:.1f} s", file=sys.stderr)
    print(_table(rows), _forgetful_table(rows), sep="\n\n")
    if given.write:
        _write(given.write, rows)
    return any(row.problems for row in rows)


if __name__ == "__main__":
    sys.exit(main())
