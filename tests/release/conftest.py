"""What the release tests share: a wheel, installed outside this checkout."""

from __future__ import annotations

import os
import platform
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheels import wheels


@dataclass(frozen=True)
class Installed:
    """An environment with fshield's wheel in it.

    Args:
        folder: the environment's folder. It has the wheel's packages; the dependencies are this
            environment's.
        wheel: the installed wheel.
    """

    folder: Path
    wheel: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    def run(
        self, *arguments: str | Path, cwd: Path, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which can find neither a compiler nor this checkout."""
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FSHIELD_", "FUNCTION_SHIELD_", "PYTHON", "AWS_"))
        }
        variables |= {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "COLUMNS": "100", **env}
        return subprocess.run(
            [str(word) for word in arguments],
            cwd=cwd,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def fshield(
        self, *arguments: str | Path, cwd: Path, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the environment's fshield."""
        return self.run(self.folder / "bin" / "fshield", *arguments, cwd=cwd, **env)


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel for this machine, built from this tree."""
    return wheels()[f"manylinux_2_17_{platform.machine()}"]


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed in a separate environment."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    options = ("--quiet", "--no-index", "--no-deps", "--disable-pip-version-check")
    subprocess.run([*pip, *options, str(wheel)], check=True, capture_output=True)
    # The dependencies come from this environment, but not its link to this checkout: Python reads
    # such .pth files only in its own site folders.
    (packages / "needed.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return Installed(folder, wheel)
