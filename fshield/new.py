"""Makes a repository of policies for ``fshield new``: a template's files, and this fshield's wheel
with its hash.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fshield.errors import CouldNotRun
from fshield.files import write_whole
from fshield.release import sums

TEMPLATE = Path(__file__).resolve().parent / "templates" / "repository"
WHEELS = Path("wheels")
#: What CI runs on.
_PLATFORM = "manylinux"


def installed_wheel() -> Path | None:
    """The wheel that this fshield was installed from, if pip recorded it, CI can use it, and the
    file is unchanged.
    """
    try:
        record = importlib.metadata.distribution("fshield").read_text("direct_url.json")
        origin = json.loads(record or "{}")
        address = urlsplit(origin.get("url", ""))
        wanted = origin.get("archive_info", {}).get("hashes", {}).get("sha256")
        path = Path(unquote(address.path))
        if address.scheme != "file" or path.suffix != ".whl" or _PLATFORM not in path.name:
            return None
        return path if wanted == sums.digest(path.read_bytes()) else None
    except (importlib.metadata.PackageNotFoundError, ValueError, OSError):
        return None


def create(folder: Path, wheel: Path | None = None) -> list[Path]:
    """Write the repository into `folder`, which is created if it is missing.

    Args:
        folder: of the repository.
        wheel: for its CI to install; None: this fshield's own, if there is one.

    Returns:
        the files, relative to `folder`, in order.

    Raises:
        CouldNotRun: one of the files exists already (then nothing is written), or it cannot be
            written.
    """
    contents = {
        path.relative_to(TEMPLATE): path.read_bytes()
        for path in sorted(TEMPLATE.rglob("*"))
        if path.is_file()
    }
    contents |= _wheel(wheel or installed_wheel())
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise CouldNotRun(
            f"{folder / there[0]} is there already", "name a new folder; nothing was written"
        )
    for name, content in contents.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CouldNotRun(
                f"{path.parent}: {error.strerror}", "name a folder that can be written"
            ) from error
        write_whole(path, content)
    return list(contents)


def _wheel(path: Path | None) -> dict[Path, bytes]:
    """The wheel, and the list with its hash."""
    if path is None:
        return {}
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", "name fshield's wheel") from error
    listed = sums.text({path.name: sums.digest(content)})
    return {WHEELS / path.name: content, WHEELS / sums.NAME: listed.encode()}
