"""``fshield layer``: the engine's layer as a file."""

from __future__ import annotations

import base64
import hashlib
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.local import carried
from fshield.version import VERSION


class Architecture(str, Enum):
    """Lambda's architectures."""

    X86_64 = "x86_64"
    ARM64 = "arm64"


def layer(
    architecture: Annotated[
        Architecture | None,
        typer.Option("--arch", help="Architecture. Default: this machine's.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The zip. Default: function-shield-layer-ARCH.zip, here.",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Write the engine's layer, as it is published, to a file."""
    with output.reporting(as_json):
        wanted = architecture.value if architecture else carried.host_architecture()
        path = out or Path(carried.name(wanted))
        content = carried.write(wanted, path)
        digest = hashlib.sha256(content)
        code = base64.b64encode(digest.digest()).decode()
        if as_json:
            output.print_json(
                {
                    "ok": True,
                    "output": str(path),
                    "architecture": wanted,
                    "version": VERSION,
                    "size": len(content),
                    "sha256": digest.hexdigest(),
                    "code_sha256": code,
                }
            )
        else:
            summary = f"{path}: {VERSION} for {wanted} ({len(content)} bytes, CodeSha256 {code})"
            output.console().print(summary, soft_wrap=True)
