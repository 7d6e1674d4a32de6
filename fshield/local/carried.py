"""The engine's layers that come with this fshield: in its wheel, or in its checkout's ``dist``."""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from fshield.errors import CouldNotRun
from fshield.files import write_whole
from fshield.local.cache import cache_folder

ARCHITECTURES = ("x86_64", "arm64")
_PACKAGE = Path(__file__).resolve().parents[1]
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_FIX = "install fshield from its wheel, or run ./build.sh in its checkout"


def host_architecture() -> str:
    """This machine's architecture, in Lambda's words. Raises CouldNotRun for any other."""
    found = _MACHINES.get(platform.machine().lower())
    if found is None:
        raise CouldNotRun(
            f"there is no layer for {platform.machine()}", "--arch x86_64 or --arch arm64"
        )
    return found


def name(architecture: str) -> str:
    """The file name of a layer's zip, in a release and in ``dist``."""
    return f"function-shield-layer-{architecture}.zip"


def folder() -> Path:
    """Where the zips are: in the installed package, else in the checkout's ``dist``."""
    installed = _PACKAGE / "_engine"
    return installed if installed.is_dir() else _PACKAGE.parent / "dist"


def archive(architecture: str) -> bytes:
    """The layer's zip. Raises CouldNotRun if there is none."""
    path = folder() / name(architecture)
    try:
        return path.read_bytes()
    except OSError as error:
        raise CouldNotRun(f"this fshield has no layer for {architecture} with it", _FIX) from error


def unpacked() -> Path | None:
    """The layer of this machine's architecture, unpacked in the cache; None if the installed
    package has none. A checkout's own is in its ``build/layer``.

    Raises:
        CouldNotRun: it cannot be unpacked.
    """
    if sys.platform != "linux" or not (_PACKAGE / "_engine").is_dir():
        return None
    content = archive(host_architecture())
    place = cache_folder("layers") / hashlib.sha256(content).hexdigest()
    if not place.is_dir():
        _unpack(content, place)
    return place


def _unpack(content: bytes, place: Path) -> None:
    """Put the zip's files at `place` in one step: another process sees all of them or none."""
    scratch = Path(tempfile.mkdtemp(prefix=".unpack-", dir=place.parent))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for info in opened.infolist():
                path = Path(opened.extract(info, scratch))
                path.chmod(info.external_attr >> 16 & 0o777 or 0o644)
        scratch.chmod(0o755)
        if not place.is_dir():
            scratch.rename(place)
    except OSError as error:
        if not place.is_dir():
            raise CouldNotRun(
                f"{place}: {error.strerror}", "name another folder in FSHIELD_CACHE"
            ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write(architecture: str, path: Path) -> bytes:
    """Write the layer's zip to `path`; its bytes. Raises CouldNotRun."""
    content = archive(architecture)
    write_whole(path, content)
    return content
