"""A function's runtime, like Lambda's /var/runtime: the interpreter, the runtime client, and the
command that starts it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fshield.errors import CouldNotRun
from fshield.local import components, node


@dataclass(frozen=True)
class Runtime:
    """A stand-in for ``/var/runtime``.

    Args:
        name: as in AWS_EXECUTION_ENV: ``python3.13``, ``nodejs22.x``.
        folder: of the runtime client.
        command: what starts it.
        variables: that only this runtime sets.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def of_python(python: Path, opt: Path) -> Runtime:
    """Python's, fetched on first use.

    Args:
        python: the interpreter.
        opt: where layers are unpacked.

    Raises:
        CouldNotRun: it does not run, or has no runtime client.
    """
    major, minor = version = components.python_version(python)
    folder = components.runtime_client(python, version)
    command = (str(python), str(folder / "bootstrap.py"), str(opt))
    return Runtime(f"python{major}.{minor}", folder, command)


def of_node(program: Path, task: Path, opt: Path) -> Runtime:
    """Node's, if a build of it is available.

    Args:
        program: Node.js.
        task: the function's folder.
        opt: where layers are unpacked.

    Raises:
        CouldNotRun: it does not run, or no runtime client is at hand.
    """
    major = node.version(program)
    folder = node.runtime_client(task)
    modules = (
        opt / f"nodejs/node{major}/node_modules",
        opt / "nodejs/node_modules",
        folder / "node_modules",
        folder,
        task,
    )
    return Runtime(
        f"nodejs{major}.x",
        folder,
        (str(program), str(folder / "index.mjs")),
        {"NODE_PATH": ":".join(map(str, modules))},
    )


def program(name: Path | str, what: str, option: str) -> Path:
    """The interpreter, by its path or by its name on PATH.

    Raises:
        CouldNotRun: there is none.
    """
    found = shutil.which(str(name))
    if found is None:
        raise CouldNotRun(f"{name}: no such {what}", f"name one with {option}")
    # Do not resolve links: a virtual environment's python is a link, and its path defines the
    # environment.
    return Path(found).absolute()
