"""Whatever is opened gets the same fd as without the guard, the lowest free one, however it is
opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import clean_environment, run_guarded

SCRIPT = """
import os
ways = [
    ("made", os.O_CREAT | os.O_WRONLY),
    ("made", os.O_WRONLY | os.O_APPEND),
    ("made", os.O_RDONLY),
    ("link", os.O_RDONLY),
    (os.path.abspath("cut"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC),
    ("./new", os.O_CREAT | os.O_EXCL | os.O_RDWR),
    ("link", os.O_CREAT | os.O_RDWR),
    (".", os.O_RDONLY | os.O_DIRECTORY),
    ("made", os.O_PATH),
    ("/dev/null", os.O_RDWR),
]
os.symlink("made", "link")
for path, flags in ways:
    print(os.open(path, flags))
"""


@pytest.mark.parametrize("policy", ["strict", "default", "monitor"])
def test_fds(policy: str, tmp_path: Path) -> None:
    for name in ("bare", "guarded"):
        (tmp_path / name).mkdir()
    command = [sys.executable, "-c", SCRIPT]
    bare = subprocess.run(
        command,
        cwd=tmp_path / "bare",
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    fds = bare.stdout.split()
    assert len(fds) == 10
    guarded = run_guarded(command, policy=policy, cwd=tmp_path / "guarded")
    assert guarded.stdout.split() == fds, guarded
