"""The C libraries that the census reads: this machine's, and those unpacked by ``fetch.sh``."""

from __future__ import annotations

import os
from pathlib import Path

# libc, the loader, and the libraries that were separate from libc before glibc 2.34.
NAMES = (
    "libc",
    "ld-linux",
    "ld",
    "libpthread",
    "libdl",
    "librt",
    "libresolv",
    "libanl",
    "libutil",
    "libnsl",
)


def cache() -> Path:
    """Where ``fetch.sh`` keeps the other libraries."""
    root = os.environ.get("FSHIELD_CACHE") or Path(
        os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    ) / ("function-shield")
    return Path(root) / "census"


def of(folder: Path) -> list[Path]:
    """The parts of the C library in ``folder``."""
    found: dict[Path, None] = {}
    for name in NAMES:
        for path in sorted(
            [
                *folder.glob(f"{name}.so.*"),
                *folder.glob(f"{name}-*.so*"),
                *folder.glob(f"{name}-*.so.*"),
            ]
        ):
            real = path.resolve()
            if real.is_file() and real.parent == folder.resolve():
                found[real] = None
    return list(found)


def sets() -> dict[str, list[Path]]:
    """The name and the libraries of every C library on this machine."""
    result: dict[str, list[Path]] = {}
    for folder in (Path("/lib/x86_64-linux-gnu"), Path("/lib/aarch64-linux-gnu"), Path("/lib64")):
        if (folder / "libc.so.6").exists():
            result["this machine"] = of(folder)
            break
    for root in sorted(cache().glob("*-*")):
        for libc in sorted(root.glob("**/libc.so.6")):
            if (root / "complete").exists():
                result[root.name] = of(libc.parent)
    return result
