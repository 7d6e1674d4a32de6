"""``fshield new``: a repository of policies, with the checks that a change has to pass."""

from __future__ import annotations

from pathlib import Path

from fshield.errors import CouldNotRun
from fshield.files import write_whole
from fshield.version import VERSION

TEMPLATE = Path(__file__).resolve().parent / "templates" / "repository"


def create(folder: Path) -> list[Path]:
    """Write the repository into `folder`, made where it is not there.

    Returns:
        the files, relative to `folder`, in order.

    Raises:
        CouldNotRun: one of the files is there already (then nothing is written), or it cannot be written.
    """
    files = sorted(path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*") if path.is_file())
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise CouldNotRun(f"{folder / there[0]} is there already", "name a new folder; nothing was written")
    for name in files:
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CouldNotRun(f"{path.parent}: {error.strerror}", "name a folder that can be written") from error
        text = (TEMPLATE / name).read_text("utf-8")
        write_whole(path, text.replace("=={version}", f"=={VERSION}").encode())
    return files
