"""Shell completion in bash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import clean_environment

FSHIELD = Path(sys.executable).with_name("fshield")

pytestmark = pytest.mark.skipif(
    not shutil.which("bash") or not FSHIELD.exists(), reason="needs bash and fshield"
)


def complete(*words: str) -> list[str]:
    """What bash offers to complete the last of `words`."""
    script = """
eval "$("$FSHIELD" --show-completion)" || exit 3
COMP_WORDS=(fshield "$@") COMP_CWORD=$#
_fshield_completion "$FSHIELD"
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *words],
        env=clean_environment({"FSHIELD": str(FSHIELD), "SHELL": "/bin/bash"}),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("re",), {"replay", "report", "ready"}),
        (("tail", "--mo"), {"--mode"}),
        (("tail", "--mode", "a"), {"alert", "allow"}),
        (("tail", "--rule", "read_"), {"read_write_tmp", "read_handler"}),
        (("zzz",), set()),
    ],
)
def test_bash(words: tuple[str, ...], offered: set[str]) -> None:
    assert set(complete(*words)) == offered
