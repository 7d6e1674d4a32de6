"""Draws docs/report-fleet.png, or the picture of a page that `fshield report` made.

python -m tests.page.pictures [PAGE PICTURE]
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from tests.page.browser import browser
from tests.page.logs import fleet, made
from tests.support import ROOT

_WIDTH, _HEIGHT = 1100, 1900


def draw(page: Path, picture: Path) -> None:
    """Draw the top of a page in light colours, as large as a screen."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as tab:
        tab.screen(_WIDTH)
        tab.show(page)
        height = min(_HEIGHT, int(tab.run("document.documentElement.scrollHeight")))
        clip = {"x": 0, "y": 0, "width": _WIDTH, "height": height, "scale": 1}
        found = tab("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        picture.write_bytes(base64.b64decode(found["data"]))


def main(words: list[str]) -> None:
    """The command line."""
    if words:
        draw(Path(words[0]).resolve(), Path(words[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "fleet.html"
        page.write_text(made(fleet()))
        draw(page, ROOT / "docs" / "report-fleet.png")


if __name__ == "__main__":
    main(sys.argv[1:])
