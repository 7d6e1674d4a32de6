"""Replaces tests/support.py when the corpus runs inside a container. It uses the standard library
only, and compiles no policies.

The runner outside has compiled the policies, and named each file by its document.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path("/corpus")
LAYER = Path("/opt")
LAUNCHER = LAYER / "function-shield"
SCRATCH = Path("/scratch")
UNGUARDED = False
PIPE_BYTES = 1 << 20
#: The container lacks the packages that some attacks need.
PACKAGES = ROOT / "packages" / "bin" / "python"

Event = dict[str, Any]


def document_name(document: Mapping[str, Any]) -> str:
    """The file name of a compiled policy document."""
    return (
        hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:24] + ".policy"
    )


def policy_file(document: Mapping[str, Any]) -> str:
    """The compiled file of a document, from the runner outside."""
    return str(ROOT / "compiled" / document_name(document))


def clean_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """As in tests/support.py."""
    dropped = ("FUNCTION_SHIELD", "LD_", "PYTHON", "AWS_LAMBDA")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
