"""The cache of fetched and compiled files."""

from __future__ import annotations

import os
from pathlib import Path

from fshield.errors import CouldNotRun


def cache_folder(*parts: str) -> Path:
    """The folder ``parts`` of the cache, created if it is missing.

    ``FSHIELD_CACHE`` names the cache, else it is ``function-shield`` in ``XDG_CACHE_HOME`` or
    ``~/.cache``. Never a folder in ``/tmp`` by default: a policy that blocks ``/tmp`` would block
    what lies there.

    Raises:
        CouldNotRun: it cannot be made.
    """
    chosen = os.environ.get("FSHIELD_CACHE")
    if chosen:
        root = Path(chosen)
    else:
        home = os.environ.get("XDG_CACHE_HOME")
        try:
            root = (Path(home) if home else Path.home() / ".cache") / "function-shield"
        except RuntimeError as error:
            raise CouldNotRun(
                f"no folder for the cache: {error}", "name one in FSHIELD_CACHE"
            ) from error
    folder = root.absolute().joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CouldNotRun(
            f"{folder}: {error.strerror}", "name another folder in FSHIELD_CACHE"
        ) from error
    return folder
