"""Packages with installed metadata, and the origin in an event that they cause."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tests.support import Guarded, rules, run_guarded

BLOCK = rules("block", "block", "block", "block")
ACT = "def act(name='x'):\n    try: open('/tmp/origin-' + name)\n    except OSError: pass\n"
NAMESPACES = ("google", "libs")
PYTHON = str(Path(sys.executable).resolve())


def write(folder: Path, name: str, text: str = ACT) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for parent in Path(name).parents[:-1]:
        if parent.parts[0] not in NAMESPACES:
            (folder / parent / "__init__.py").touch()
    path.write_text(text)
    return path


def installed(
    folder: Path, name: str, version: str, *files: str, kind: str = "dist-info", **more: str
) -> Path:
    """Write metadata as pip does."""
    info = folder / f"{name.replace('-', '_')}-{version}.{kind}"
    info.mkdir(parents=True)
    header = "METADATA" if kind == "dist-info" else "PKG-INFO"
    (info / header).write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: x\n\nName: not this\n"
    )
    if files:
        (info / "RECORD").write_text("".join(f"{file},sha256=x,10\n" for file in files))
    for file, text in more.items():
        (info / file.replace("__", ".")).write_text(text)
    return info


def run(code: str, *path: Path, mode: Any = BLOCK, **more: Any) -> Guarded:
    env = {"PYTHONPATH": os.pathsep.join(map(str, path))} | more.pop("env", {})
    return run_guarded([PYTHON, "-c", code], policy=mode, env=env, **more)


def origin(code: str, *path: Path, **more: Any) -> dict[str, Any]:
    done = run(code, *path, **more)
    assert done.returncode == 0, done.stderr
    (event,) = done.violations
    found: dict[str, Any] = event["origin"]
    assert event["message"].startswith(f"{found['distribution']} tried to ")
    return found


def named(found: dict[str, Any]) -> tuple[str | None, str | None]:
    return found["distribution"], found["version"]
