"""Lambda's runtime client for Node.js, aws-lambda-ric. npm compiles its native part at
installation, because there is no package with machine code to fetch.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fshield.errors import CouldNotRun
from fshield.local.cache import cache_folder

#: An image that brings Node.js and its runtime client.
IMAGE = "public.ecr.aws/lambda/nodejs:22"
_PACKAGE = "node_modules/aws-lambda-ric"
#: The files that are needed at run time, from version 4 on. The others are only for the build.
_FILES = ("index.mjs", "rapid-client.node")
_SUFFIXES = (".js", ".mjs", ".cjs")


def handler_file(folder: Path, handler: str) -> Path | None:
    """The handler's file, if it is JavaScript; else None."""
    module = folder / handler.rpartition(".")[0]
    as_python = folder / handler.rpartition(".")[0].replace(".", "/")
    if as_python.is_dir() or as_python.with_suffix(".py").exists():
        return None
    files = (module.with_name(module.name + suffix) for suffix in _SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def version(program: Path) -> int:
    """The major version of Node.js at `program`.

    Raises:
        CouldNotRun: it does not run.
    """
    try:
        asked = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CouldNotRun(f"{program} does not run: {error}", "name Node.js with --node") from error
    found = re.match(r"v([0-9]+)\.", asked.stdout)
    if not found:
        raise CouldNotRun(f"{program} is not Node.js", "name it with --node")
    return int(found[1])


def runtime_client(task: Path) -> Path:
    """A folder that stands for ``/var/runtime``: the client, without ``node_modules`` in its path,
    because the guard recognises packages by that.

    Args:
        task: the function's folder, which may contain the client as a package.

    Raises:
        CouldNotRun: nobody has built it.
    """
    for folder in _places(task):
        if all((folder / name).is_file() for name in _FILES):
            return folder if "node_modules" not in folder.parts else _copied(folder)
    prefix = cache_folder("node")
    raise CouldNotRun(
        "Lambda's runtime client for Node.js is not at hand: npm compiles it where it is installed",
        f"npm install --prefix {prefix} aws-lambda-ric@4 (with cmake, make and a"
        f" C++ compiler), or --image {IMAGE}",
    )


def _places(task: Path) -> Iterator[Path]:
    yield task / _PACKAGE
    yield cache_folder("node") / _PACKAGE
    # In a checkout: tests/runtimes/fetch.sh builds them.
    yield from sorted(cache_folder("runtimes", "node-client").glob("4.*"), reverse=True)


def _copied(package: Path) -> Path:
    contents = {name: (package / name).read_bytes() for name in _FILES}
    key = hashlib.sha256(b"".join(contents.values())).hexdigest()[:12]
    folder = cache_folder("runtime") / f"node-{key}"
    if folder.is_dir():
        return folder
    scratch = Path(tempfile.mkdtemp(prefix=".copy-", dir=folder.parent))
    try:
        for name, content in contents.items():
            (scratch / name).write_bytes(content)
        scratch.chmod(0o755)
        scratch.rename(folder)
    except OSError:
        # Another run was faster, with the same result.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder
