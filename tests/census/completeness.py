"""Shows that no guarded system call is made without a door: ``python tests/census/completeness.py
[COMMAND [ARG…]]``.

Runs COMMAND under ``strace -k``, guarded by ``monitor``. Without COMMAND it runs a program that
tries a little of everything. strace prints the stack of each call, and the core must be on each
stack. Exceptions: calls before the core is loaded (the launcher), the loader mapping libraries, the
start of a thread, and the child of a spawn whose parent passed the door. Exit status 0 only if
there is no other call.

``--attacks [SECONDS]`` runs the attack corpus instead, each attack under a policy that only
reports, so that all of them get through. With SECONDS it stops after that time. The order of the
attacks changes from day to day.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import support
from tests.attacks import runner
from tests.attacks.corpus import Attack, corpus
from tests.attacks.machine import missing
from tests.attacks.stage import Stage
from tests.census.census import SYSCALLS

WITNESS = Path(__file__).resolve().parent / "programs" / "witness.py"
# A frame in the loader, the launcher or the core.
LOADER = re.compile(r"^> \S*/ld-(linux|2)[^/]*\.so")
LAUNCHER = re.compile(r"^> \S*/function-shield\(")
CORE = "function-shield.so("
# The census follows these "deep", but every program makes them for its own memory and fds.
NOISE = {"mprotect", "mremap", "writev", "prctl"}


@dataclass
class Call:
    """A system call as strace printed it. Its stack begins with the innermost frame."""

    text: str
    stack: list[str] = field(default_factory=list)

    @property
    def excused(self) -> bool:
        if not self.stack or any(CORE in frame or LAUNCHER.match(frame) for frame in self.stack):
            return True
        if LOADER.match(self.stack[0]):
            return True
        if "clone" in self.text and ("CLONE_THREAD" in self.text or "resumed" in self.text):
            return True
        # libc's helper thread works for getaddrinfo_a, whose caller passed a door.
        return any(
            name in frame for frame in self.stack for name in ("spawni_child", "(handle_requests+")
        )


def names() -> list[str]:
    """The guarded system calls in the census that strace must print."""
    rows = [
        line.split("\t") for line in SYSCALLS.read_text().splitlines() if not line.startswith("#")
    ]
    return [row[0] for row in rows if row[3] == "deep" and row[0] not in NOISE]


def tracer(log: Path) -> list[str]:
    """The command prefix that runs strace."""
    wanted = ",".join(f"?{name}" for name in names())
    return ["strace", "-f", "-k", "-o", str(log), "-e", f"trace={wanted}", "-e", "signal=none"]


def trace(command: list[str], log: Path) -> list[Call]:
    """The guarded system calls that ``command`` makes."""
    environment = support.clean_environment({"FUNCTION_SHIELD_POLICY": "monitor"})
    whole = [*tracer(log), str(support.LAUNCHER), *command]
    subprocess.run(whole, env=environment, check=False, capture_output=True, timeout=1800)
    return read(log)


def read(log: Path) -> list[Call]:
    """Parse the calls in a log of strace."""
    calls: list[Call] = []
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith(" > "):
            if calls:
                calls[-1].stack.append(line.strip())
        elif "(" in line or "resumed" in line:
            calls.append(Call(line))
    return calls


def trace_attack(attack: Attack, python: Path) -> list[Call]:
    """The guarded system calls of one attack that the policy lets through."""
    document, extra = runner.alerting(attack)
    with runner.COMPILING:
        policy = support.policy_file(runner.without_version(document))
    with Stage(attack, python) as stage:
        log = stage.folder / "strace.log"
        stage.run(
            [*tracer(log), str(support.LAUNCHER)], {"FUNCTION_SHIELD_POLICY": policy, **extra}
        )
        return read(log) if log.exists() else []


def trace_attacks(seconds: float) -> int:
    """Trace the corpus, two attacks at a time, and print what passed no door. Returns the exit
    status."""
    end = time.monotonic() + seconds
    # The distribution's Python has no symbols for strace to read at each start, and is ten times as
    # fast.
    found = shutil.which("python3", path=os.defpath) or str(
        getattr(sys, "_base_executable", sys.executable)
    )
    python = Path(found).resolve()
    chosen = [
        one for one in corpus() if not (one.open or one.name in UNGUARDED or missing(one, python))
    ]
    random.Random(time.strftime("%F")).shuffle(chosen)
    traced = total = 0
    past: list[tuple[str, Call]] = []

    def one(attack: Attack) -> tuple[str, list[Call]] | None:
        return (attack.name, trace_attack(attack, python)) if time.monotonic() < end else None

    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(one, chosen):
            if result is None:
                continue
            traced += 1
            total += len(result[1])
            past += [(result[0], call) for call in result[1] if not call.excused]
    print(
        f"{traced} of {len(chosen)} attacks, {total} guarded system calls, {len(past)} without a"
        " door"
    )
    for name, count in Counter(name for name, _ in past).most_common():
        print(f"{count:5} {name}")
    for name, call in past[:40]:
        print(f"{name}: {call.text[:160]}", *call.stack[:6], sep="\n    ")
    return 1 if past or not total else 0


# Under a policy that only reports, what cannot be guarded runs unguarded after an event: machine
# code, and programs without the core. Their calls pass no door, and prove nothing.
UNGUARDED = {
    "children/interpreter_patched",
    "children/memory_file",
    "children/program_race_swapped",
    "children/static_child_reads",
    "machine_code/made_executable",
}


def strace_works() -> bool:
    """Whether strace is installed and can print stacks."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(
        ["strace", "-k", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return done.returncode == 0


def main(command: list[str]) -> int:
    """Trace a command or the corpus, and print the result."""
    if not strace_works():
        print(
            "tests/census/completeness.py: a strace that prints stacks (-k) is needed",
            file=sys.stderr,
        )
        return 2
    if command[:1] == ["--attacks"]:
        return trace_attacks(float(command[1]) if command[1:] else float("inf"))
    log = support.SCRATCH / "completeness.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    calls = trace(command or [sys.executable, str(WITNESS)], log)
    past = [call for call in calls if not call.excused]
    print(f"{len(calls)} guarded system calls, {len(past)} without a door")
    for call in past[:20]:
        print(call.text[:200], *call.stack[:6], sep="\n    ")
    return 1 if past or not calls else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
