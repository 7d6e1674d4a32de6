"""Makes the link from the environment to this folder quick: Python follows it at every start.

What setuptools writes for an editable installation imports pathlib, and with it a dozen modules:
that takes longer than Python's own start.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "fshield"
FINDER = f'''"""Written by layer/link.py. Finds the package fshield in its checkout."""

import sys

FILE = {str(PACKAGE / "__init__.py")!r}


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "fshield":
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, FILE)

    @staticmethod
    def invalidate_caches():
        pass


def install():
    sys.meta_path.append(Finder)
'''


def main() -> None:
    """Replace setuptools' finder by this one; its .pth file imports either."""
    (found,) = Path(sysconfig.get_path("purelib")).glob("__editable___fshield_*_finder.py")
    found.write_text(FINDER)


if __name__ == "__main__":
    main()
