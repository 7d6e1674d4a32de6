"""Fetches the public parts of Lambda: the Runtime Interface Emulator and the runtime client.

Both come from PyPI by pip, at pinned versions with pinned digests, into the cache. Nothing else of
those packages is installed: from the 8 MB wheel of aws-sam-cli, only one static binary is kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fshield.errors import CouldNotRun
from fshield.local import pins
from fshield.local.cache import cache_folder
from fshield.local.progress import waiting_for

_PIP_TIMEOUT_S = 300
_PIP_FIX = "see whether the package index can be reached"
_BOOTSTRAP = Path(__file__).with_name("runtime_bootstrap.py")


def emulator() -> Path:
    """The Runtime Interface Emulator for this machine, fetched on first use.

    Raises:
        CouldNotRun: there is none for this system, it cannot be fetched, or its digest is not the
            pinned one.
    """
    if sys.platform != "linux" or platform.machine() not in pins.EMULATORS:
        raise CouldNotRun(
            f"the Lambda emulator runs on Linux x86_64 and arm64, not on {sys.platform}"
            f" {platform.machine()}",
            "use a Linux machine or container",
        )
    member, digest = pins.EMULATORS[platform.machine()]
    path = cache_folder("emulator") / f"{Path(member).name}-{digest[:12]}"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
        return path
    with (
        waiting_for(f"fetching the Lambda emulator out of {pins.SAM_CLI} (8 MB)"),
        _scratch(path.parent) as scratch,
    ):
        requirements = scratch / "requirements.txt"
        requirements.write_text(_pinned({pins.SAM_CLI: (pins.SAM_CLI_SHA256,)}), encoding="utf-8")
        # The Python versions that the wheel requires do not matter, because only a binary is taken
        # from it.
        _pip(
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--python-version",
            "3.12",
            "--require-hashes",
            "--requirement",
            str(requirements),
            "--dest",
            str(scratch),
        )
        wheel = next(scratch.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(member)
        if hashlib.sha256(content).hexdigest() != digest:
            raise CouldNotRun(
                f"{member} in {pins.SAM_CLI} is not the binary that was pinned",
                "do not run it; report it",
            )
        binary = scratch / path.name
        binary.write_bytes(content)
        binary.chmod(0o755)
        binary.replace(path)
    return path


def python_version(python: Path) -> tuple[int, int]:
    """Major and minor version of the interpreter `python`.

    Raises:
        CouldNotRun: it does not run, or is older than 3.9.
    """
    try:
        asked = subprocess.run(
            [str(python), "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        major, minor = (int(word) for word in asked.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CouldNotRun(
            f"{python} does not run as a Python: {error}", "name an interpreter with --python"
        ) from error
    if (major, minor) < (3, 9):
        raise CouldNotRun(
            f"{python} is Python {major}.{minor}; the runtime client needs 3.9",
            "name a newer one with --python",
        )
    return major, minor


def runtime_client(python: Path, version: tuple[int, int]) -> Path:
    """A folder that stands for ``/var/runtime``: awslambdaric for that Python, and our
    bootstrap.py.

    Args:
        python: the interpreter that will run it.
        version: its major and minor version.

    Raises:
        CouldNotRun: it cannot be fetched for this Python and machine.
    """
    if version > pins.RUNTIME_CLIENT_NEWEST:
        raise CouldNotRun(
            f"{pins.RUNTIME_CLIENT} has no wheel for Python {version[0]}.{version[1]} yet",
            "name another interpreter with --python",
        )
    tag = f"cp{version[0]}{version[1]}-{platform.machine()}"
    client = pins.RUNTIME_CLIENT if version >= (3, 10) else pins.RUNTIME_CLIENT_OLD
    wanted = {
        requirement: pins.WHEELS[requirement]
        for requirement in (client, *pins.RUNTIME_CLIENT_REQUIRES)
    }
    bootstrap = _BOOTSTRAP.read_bytes()
    text = _pinned(wanted)
    key = hashlib.sha256(text.encode() + bootstrap).hexdigest()[:12]
    folder = cache_folder("runtime") / f"{tag}-{key}"
    if folder.is_dir():
        return folder
    with (
        waiting_for(f"fetching {client} for Python {version[0]}.{version[1]}"),
        _scratch(folder.parent) as scratch,
    ):
        requirements = scratch / "requirements.txt"
        requirements.write_text(text, encoding="utf-8")
        target = scratch / "runtime"
        _pip(
            "install",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--requirement",
            str(requirements),
            "--target",
            str(target),
            "--no-compile",
            "--python-version",
            f"{version[0]}.{version[1]}",
            "--implementation",
            "cp",
            "--platform",
            f"manylinux2014_{platform.machine()}",
        )
        (target / "bootstrap.py").write_bytes(bootstrap)
        # Compile it once, as on Lambda, so that first invocations do not.
        subprocess.run(
            [str(python), "-m", "compileall", "-q", str(target)],
            capture_output=True,
            timeout=120,
            check=False,
        )
        try:
            target.rename(folder)
        except OSError:
            # Another run was faster, with the same result.
            if not folder.is_dir():
                raise
    return folder


def _pinned(wheels: dict[str, tuple[str, ...]]) -> str:
    return "".join(
        " ".join([requirement, *(f"--hash=sha256:{digest}" for digest in digests)]) + "\n"
        for requirement, digests in wheels.items()
    )


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """A temporary folder in `beside`."""
    path = Path(tempfile.mkdtemp(prefix=".fetch-", dir=beside))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _pip(*arguments: str) -> None:
    # Keep pip's temporary files out of /tmp too: fshield itself may run where /tmp cannot be used.
    environment = {
        **os.environ,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "TMPDIR": str(cache_folder("pip")),
    }
    command = [sys.executable, "-m", "pip", "--quiet", "--no-input", *arguments]
    try:
        done = subprocess.run(
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PIP_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise CouldNotRun(f"pip took longer than {_PIP_TIMEOUT_S} s", _PIP_FIX) from error
    if done.returncode != 0:
        raise CouldNotRun(
            f"pip could not fetch it: {_last_words(done.stderr.splitlines())}", _PIP_FIX
        )


def _last_words(lines: Iterable[str]) -> str:
    kept = [line.strip() for line in lines if line.strip() and not line.startswith("[notice]")]
    errors = [line for line in kept if line.startswith("ERROR")]
    return (errors or kept or ["it said nothing"])[-1][:400]
