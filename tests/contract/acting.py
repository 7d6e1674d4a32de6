"""Programs that perform one act, which makes an event."""

from __future__ import annotations

from typing import Any

from tests.contract.helpers import (
    PYTHON,
)
from tests.support import (
    Guarded,
    rules,
    run_guarded,
)

BLOCK = rules("block", "block", "block", "block")
ALERT = rules("alert", "alert", "alert", "alert")


def python(code: str, policy: Any = BLOCK, **more: Any) -> Guarded:
    return run_guarded([PYTHON, "-c", code], policy=policy, **more)


def attempt(act: str) -> str:
    return (
        f"import os, socket, subprocess, sys\ntry: {act}\nexcept OSError as error:"
        " print(type(error).__name__)"
    )
