"""Builds the layers: native parts, policies and Python files, in a zip for each architecture.

The zips are the same bytes from the same commit, in whatever folder and on
whatever day: entries are sorted, dated 1980, and compressed by the pinned
zopfli, since each Python's zlib compresses in its own way.

    dist/function-shield-layer-x86_64.zip, dist/function-shield-layer-arm64.zip
    build/layer                 the layer of this host's architecture, unpacked
    build/native/libdecide.*    the decision alone, for ``fshield explain``
"""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layer"))
sys.path.insert(0, str(ROOT))

import zig as native  # noqa: E402  (layer/zig.py)
from archive import archive  # noqa: E402  (layer/archive.py)

from fshield.engine.package import package  # noqa: E402

ARCHITECTURES = ("x86_64", "arm64")
INSIDE = "function-shield.d"
SOURCES = ("fshield", "layer", "policies", "wrapper")


def host() -> str:
    """This machine's architecture, in Lambda's words; "" where it is none of Lambda's."""
    names = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
    return names.get(platform.machine().lower(), "")


def contents(
    architecture: str, work: Path, policies: dict[str, bytes]
) -> dict[str, tuple[bytes, int]]:
    """Every file of one layer: its bytes and its mode."""
    core, launcher = work / "function-shield.so", work / "function-shield"
    native.core(architecture, core, [])
    native.launcher(architecture, core, launcher)
    files: dict[str, tuple[bytes, int]] = {
        "function-shield": (launcher.read_bytes(), 0o755),
        f"{INSIDE}/function-shield.so": (core.read_bytes(), 0o755),
        f"{INSIDE}/site/sitecustomize.py": (
            (ROOT / "wrapper" / "sitecustomize.py").read_bytes(),
            0o644,
        ),
        f"{INSIDE}/LICENSE": ((ROOT / "LICENSE").read_bytes(), 0o644),
    }
    files |= {name: (data, 0o644) for name, data in policies.items()}
    api = ROOT / "layer" / "python" / "function_shield"
    for path in sorted(api.rglob("*.py")) + sorted(api.rglob("py.typed")):
        files[f"python/function_shield/{path.relative_to(api).as_posix()}"] = (
            path.read_bytes(),
            0o644,
        )
    return files


def sources() -> str:
    """A digest of all that the zips are made of."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(ROOT).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def made_of(architecture: str) -> Path:
    """The file that says of which sources the zip in dist/ was made."""
    return ROOT / "build" / "native" / architecture / "made-of"


def unpack(files: dict[str, tuple[bytes, int]], folder: Path) -> None:
    """Put ``files`` into ``folder``, anew. Who runs a program under it meanwhile finds the old
    layer or the new one."""
    fresh, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    for path in (fresh, old):
        shutil.rmtree(path, ignore_errors=True)
    for name, (data, mode) in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    if folder.exists():
        # A folder of an image's lower layer cannot be renamed: it is copied there.
        shutil.move(folder, old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def policies() -> dict[str, bytes]:
    """The compiled postures, by their path in a layer."""
    packed, _, _ = package(ROOT / "policies")
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def main() -> None:
    # With --host, of this machine's architecture alone: what a run here needs. With --unpacked, no
    # zip of it either: zopfli takes six seconds.
    alone = sys.argv[1:] in (["--host"], ["--unpacked"]) and host() != ""
    architectures = [host()] if alone else list(ARCHITECTURES)
    made_from = sources()
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    (ROOT / "build" / "native").mkdir(parents=True, exist_ok=True)
    native.decide(ROOT / "build" / "native" / f"libdecide{suffix}")
    compiled = policies()  # puts their own tests to the library above
    for architecture in architectures:
        (ROOT / "build" / "native" / architecture).mkdir(parents=True, exist_ok=True)

    def made(architecture: str) -> dict[str, tuple[bytes, int]]:
        return contents(architecture, ROOT / "build" / "native" / architecture, compiled)

    with ThreadPoolExecutor() as pool:
        layers = dict(zip(architectures, pool.map(made, architectures), strict=True))
    for architecture, files in layers.items():
        if architecture == host():
            unpack(files, ROOT / "build" / "layer")
        if alone and sys.argv[1:] == ["--unpacked"]:
            continue
        out = ROOT / "dist" / f"function-shield-layer-{architecture}.zip"
        out.parent.mkdir(exist_ok=True)
        made_of(architecture).unlink(missing_ok=True)
        out.write_bytes(archive(files))
        made_of(architecture).write_text(made_from)
        print(f"{out.relative_to(ROOT)}  {out.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
