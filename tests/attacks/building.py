"""Compiles the programs and libraries that attacks use, each once."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from tests import support
from tests.attacks.corpus import HERE

LIB = HERE / "lib"
SCRATCH = support.SCRATCH / "attacks"


@functools.cache
def compiler() -> tuple[str, ...]:
    """This machine's C compiler, or zig's."""
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return (found,)
    return (sys.executable, "-m", "ziglang", "cc")


def build(source: Path, *options: str) -> Path:
    """Compile ``source`` to a program or library outside /tmp. It is kept until the source
    changes."""
    names = ("attack.h", "allowed.h", "lookups.h", "raw.c")
    shared = b"".join((LIB / name).read_bytes() for name in names)
    text = source.read_bytes() + shared + repr((compiler(), options)).encode()
    out = SCRATCH / "built" / f"{source.stem}-{hashlib.sha256(text).hexdigest()[:16]}"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = out.with_name(f"{out.name}.{os.getpid()}.{secrets.token_hex(4)}")
        command = [
            *compiler(),
            "-O1",
            "-w",
            "-pthread",
            f"-I{LIB}",
            str(source),
            "-o",
            str(partial),
            *options,
            "-ldl",
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": str(out.parent)},
        )
        if done.returncode != 0:
            raise RuntimeError(f"{source.name} does not compile:\n{done.stderr}")
        partial.replace(out)
    return out
