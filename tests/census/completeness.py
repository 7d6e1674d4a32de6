"""Shows that no guarded system call is made without a door: ``python tests/census/completeness.py [COMMAND [ARG…]]``.

Runs COMMAND (a program that tries a little of everything, where none is given) guarded by ``monitor`` under
``strace -k``, which prints the stack of every call, and looks for the core in each stack. Without it may only be: what
came before the core (the launcher), the loader mapping libraries, a thread's beginning, and the child of a spawn whose
door its parent has passed. Exit status 0 only if there is nothing else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import support
from tests.census.census import SYSCALLS

WITNESS = Path(__file__).resolve().parent / "programs" / "witness.py"
# A frame within the loader, the launcher or the core.
LOADER = re.compile(r"^> \S*/ld-(linux|2)[^/]*\.so")
LAUNCHER = re.compile(r"^> \S*/function-shield\(")
CORE = "function-shield.so("
# Followed "deep" in the census, and yet made by everybody for memory or descriptors of their own.
NOISE = {"mprotect", "mremap", "writev", "prctl"}


@dataclass
class Call:
    """A system call as strace printed it, with its stack, innermost first."""

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
        return any("spawni_child" in frame for frame in self.stack)


def names() -> list[str]:
    """The guarded system calls of the census that strace is asked for."""
    rows = [line.split("\t") for line in SYSCALLS.read_text().splitlines() if not line.startswith("#")]
    return [row[0] for row in rows if row[3] == "deep" and row[0] not in NOISE]


def trace(command: list[str], log: Path) -> list[Call]:
    """The guarded system calls of ``command``."""
    wanted = ",".join(f"?{name}" for name in names())
    tracer = ["strace", "-f", "-k", "-o", str(log), "-e", f"trace={wanted}", "-e", "signal=none"]
    environment = support.clean_environment({"FUNCTION_SHIELD_POLICY": "monitor"})
    whole = [*tracer, str(support.LAUNCHER), *command]
    subprocess.run(whole, env=environment, check=False, capture_output=True, timeout=600)
    calls: list[Call] = []
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith(" > "):
            if calls:
                calls[-1].stack.append(line.strip())
        elif "(" in line or "resumed" in line:
            calls.append(Call(line))
    return calls


def able() -> bool:
    """Whether strace is here and prints stacks."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-k", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return done.returncode == 0


def main(command: list[str]) -> int:
    """Trace, judge and print."""
    if not able():
        print("tests/census/completeness.py: a strace that prints stacks (-k) is needed", file=sys.stderr)
        return 2
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
