"""Proves that tests of blocked acts can fail: runs every attack of the corpus without the guard,
where it must succeed.

Exit status 0 only if all attacks succeeded. An attack that never works proves nothing about the
guard.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.attacks import run

if __name__ == "__main__":
    sys.exit(run.main(["--bare", *sys.argv[1:]]))
