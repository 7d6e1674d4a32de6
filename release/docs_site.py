"""Builds the docs site: ``make site``. The pages are those of docs/, SECURITY.md and CHANGELOG.md.

Links that leave them (to examples, tests, sources) become links into the project's address where
fshield/version.py has one, and plain words where it has none. MkDocs then fails on every link and
every anchor that leads nowhere.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
from pathlib import Path

from fshield.version import PROJECT_URL

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "site-pages"
TOP = ("SECURITY.md", "CHANGELOG.md")
#: The page's name on the site.
RENAMED = {"start.md": "index.md"}
_LINK = re.compile(r"(?<!!)\[(?P<words>(?:[^\[\]]|\\[\[\]])+)\]\((?P<to>[^)\s]+)\)")
_FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


def page(text: str, folder: str) -> str:
    """A page's text with its links as the site needs them.

    Args:
        text: of the page.
        folder: of the page in the repository: ``docs``, ``docs/decisions``, or "".
    """
    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(lambda found: _link(found, folder), part) for part in parts[::2]]
    return "".join(parts)


def _link(found: re.Match[str], folder: str) -> str:
    to, anchor, fragment = found["to"].partition("#")
    if not to or re.match(r"[a-z]+:", to):
        return found[0]
    place = posixpath.normpath(posixpath.join(folder, to))
    inside = place.removeprefix("docs/") if place.startswith("docs/") else place
    if place in TOP or (place.startswith("docs/") and (ROOT / place).is_file()):
        here = folder.removeprefix("docs").lstrip("/")
        relative = posixpath.relpath(RENAMED.get(inside, inside), here or ".")
        return f"[{found['words']}]({relative}{anchor}{fragment})"
    if not (ROOT / place).exists():
        return found[0]  # MkDocs reports that it leads nowhere
    if PROJECT_URL:
        return f"[{found['words']}]({PROJECT_URL}/blob/main/{place})"
    return found["words"]


def gather() -> None:
    """Copy the pages and their images into PAGES."""
    shutil.rmtree(PAGES, ignore_errors=True)
    docs = ROOT / "docs"
    for path in sorted(docs.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(docs).as_posix()
        target = PAGES / RENAMED.get(name, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            folder = path.parent.relative_to(ROOT).as_posix()
            target.write_text(page(path.read_text("utf-8"), folder), "utf-8")
        else:
            shutil.copyfile(path, target)
    for name in TOP:
        (PAGES / name).write_text(page((ROOT / name).read_text("utf-8"), ""), "utf-8")


def main() -> None:
    gather()
    mkdocs = ROOT / "build" / "release-tools" / "bin" / "mkdocs"
    command = [str(mkdocs), "build", "--strict", "--clean"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True)
    pages = len(list((ROOT / "build" / "site").rglob("*.html")))
    print(f"build/site: {pages} pages, no dead link")


if __name__ == "__main__":
    main()
