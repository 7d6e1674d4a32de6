"""Two ways in which the interpreter itself writes machine code: its JIT compiler keeps working, and
its support for perf stays off."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import interpreters, rules, run_bare, run_guarded

HOT = """
def work(n):
    total = 0
    for i in range(n):
        total += i * 2
        if total > 10**9: total = 0
    return total
for _ in range(40): work(10000)
import sys
print("done", sys._jit.is_enabled() if hasattr(sys, "_jit") else None)
"""


def of(minor: int) -> list[Path]:
    """The interpreters from 3.`minor` on."""
    code = f"import sys; raise SystemExit(sys.version_info < (3, {minor}))"
    return [
        path
        for path in interpreters()
        if subprocess.run([path, "-c", code], check=False).returncode == 0
    ]


@pytest.mark.parametrize("python", of(14), ids=str)
@pytest.mark.parametrize("policy", ["monitor", "strict"])
def test_the_compiler_goes_on(python: Path, policy: str) -> None:
    env = {"PYTHON_JIT": "1"}
    bare = run_bare([python, "-c", HOT], env=env)
    done = run_guarded([python, "-c", HOT], policy=policy, env=env)
    assert (done.returncode, done.stdout) == (bare.returncode, bare.stdout) == (0, "done True\n"), (
        done
    )
    assert not done.violations


@pytest.mark.parametrize("python", of(12), ids=str)
@pytest.mark.parametrize("how", ["option", "joined", "variable"])
def test_perf_stays_off_where_it_would_be_refused(python: Path, how: str) -> None:
    options = {"option": ["-X", "perf"], "joined": ["-EXperf"], "variable": []}[how]
    env = {"PYTHONPERFSUPPORT": "1"} if how == "variable" else {}
    code = "import sys; print(sys.is_stack_trampoline_active())"
    assert run_bare([python, *options, "-c", code], env=env).stdout == "True\n"
    for policy in ("strict", rules(tmp="block")):
        done = run_guarded([python, *options, "-c", code], policy=policy, env=env)
        assert (done.returncode, done.stdout) == (0, "False\n"), done
        (event,) = done.violations
        assert " tried to switch on support for perf: blocked" in event["message"]


@pytest.mark.parametrize("python", of(12), ids=str)
def test_perf_is_reported_where_nothing_blocks(python: Path) -> None:
    code = "import sys; print(sys.is_stack_trampoline_active())"
    done = run_guarded([python, "-X", "perf", "-c", code], policy="monitor")
    assert (done.returncode, done.stdout) == (0, "True\n"), done
    assert "read_write_tmp" in {event["policy"] for event in done.violations}
