"""Builds wheels of ``fshield`` for the machines of people and of CI, each with its own ``decide``
library, both layers and the demo's function in it.

setuptools makes the pure wheel. Here it is given these, the platform's tag
and a new RECORD, for each platform that ``zig cc`` reaches from this one.
The formats: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from archive import archive

ROOT = Path(__file__).resolve().parent.parent

import zig as native  # noqa: E402

# The wheel's platform, zig's target, and the library's name there.
PLATFORMS = (
    ("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17", "libdecide.so"),
    ("manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17", "libdecide.so"),
    ("macosx_11_0_x86_64", "x86_64-macos.11.0", "libdecide.dylib"),
    ("macosx_11_0_arm64", "aarch64-macos.11.0", "libdecide.dylib"),
)


Files = dict[str, tuple[bytes, int]]


def pure_wheel(work: Path) -> Path:
    """The wheel that setuptools makes, in `work`."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", str(work), str(ROOT)], check=True
    )
    (found,) = work.glob("fshield-*.whl")
    return found


def contents(wheel: Path) -> Files:
    """Each file of `wheel` with its mode."""
    with zipfile.ZipFile(wheel) as opened:
        return {
            info.filename: (opened.read(info), 0o644)
            for info in opened.infolist()
            if not info.is_dir()
        }


def carried() -> Files:
    """What every wheel has with it besides: the layers, as ``dist`` has them, and the demo."""
    files: Files = {}
    for architecture in ("x86_64", "arm64"):
        path = ROOT / "dist" / f"function-shield-layer-{architecture}.zip"
        files[f"fshield/_engine/{path.name}"] = (path.read_bytes(), 0o644)
    examples = ROOT / "examples"
    for path in sorted((examples / "thumbnailer").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            inside = f"fshield/_examples/{path.relative_to(examples).as_posix()}"
            files[inside] = (path.read_bytes(), 0o644)
    return files


def tagged(files: Files, platform: str, library: str, code: bytes) -> Files:
    """`files` with the library in them, the tag of `platform`, and a RECORD that says so."""
    made = dict(files)
    # The wheel's own: the demo's dependency has one as well.
    (info,) = {
        name.partition("/")[0]
        for name in files
        if name.endswith(".dist-info/WHEEL") and name.count("/") == 1
    }
    made[f"fshield/_native/{library}"] = (code, 0o755)
    lines = files[f"{info}/WHEEL"][0].decode().splitlines()
    lines = [line for line in lines if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))]
    text = "\n".join([*lines, "Root-Is-Purelib: false", f"Tag: py3-none-{platform}", ""])
    made[f"{info}/WHEEL"] = (text.encode(), 0o644)
    del made[f"{info}/RECORD"]
    record = [
        f"{name},sha256={_digest(data)},{len(data)}\n" for name, (data, _) in sorted(made.items())
    ]
    made[f"{info}/RECORD"] = ("".join([*record, f"{info}/RECORD,,\n"]).encode(), 0o644)
    return made


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def main() -> None:
    # setuptools works in build/lib: one at a time.
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make()


def make() -> None:
    """Make the wheels in ``dist``."""
    work = ROOT / "build" / "wheel"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    # What setuptools left there from an earlier state of the sources would go in again.
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    pure = pure_wheel(work)
    files = contents(pure) | carried()
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    (ROOT / "dist").mkdir(exist_ok=True)
    # Of one machine where the command line names it: x86_64, aarch64, arm64.
    wanted = sys.argv[1:] or [""]
    for platform, target, library in PLATFORMS:
        if not platform.endswith(tuple(wanted)):
            continue
        built = work / platform / library
        built.parent.mkdir()
        native.decide(built, target)
        out = ROOT / "dist" / pure.name.replace("-none-any.whl", f"-none-{platform}.whl")
        # A reader meanwhile gets the old file or the new one.
        fresh = out.with_name(f".{out.name}")
        fresh.write_bytes(archive(tagged(files, platform, library, built.read_bytes())))
        fresh.replace(out)
        print(f"{out.relative_to(ROOT)}  {out.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
