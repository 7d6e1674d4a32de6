"""What the tests of local runs share: functions to run, and a layer whose launcher guards
nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import LAYER

# Prints the real launcher's first event, and becomes the program, as a layer without a guard would.
_HOLLOW = """#!/bin/sh
printf '%s' '{"function_shield":true,"event":"armed","event_version":1,"level":"INFO",' >&2
echo '"policy_name":"hollow","rings":[]}' >&2
exec "$@"
"""


@pytest.fixture
def hollow_layer(tmp_path: Path) -> Path:
    """A layer with the real policies, and a launcher that does not guard."""
    folder = tmp_path / "hollow"
    policies = folder / "function-shield.d" / "policies"
    policies.mkdir(parents=True)
    for policy in (LAYER / "function-shield.d" / "policies").glob("*.policy"):
        (policies / policy.name).write_bytes(policy.read_bytes())
    launcher = folder / "function-shield"
    launcher.write_text(_HOLLOW)
    launcher.chmod(0o755)
    return folder


@pytest.fixture
def function_folder(tmp_path: Path) -> Callable[[str], Path]:
    """Make a function's folder with this text as app.py."""

    def make(text: str) -> Path:
        folder = tmp_path / "function"
        folder.mkdir()
        (folder / "app.py").write_text(textwrap.dedent(text))
        return folder

    return make
