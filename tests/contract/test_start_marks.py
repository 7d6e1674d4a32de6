"""Some kinds of functions create files in /tmp at start: X-Ray's sentinel, Java's performance data.
These are refused, and make no event."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import support

# As aws_xray_sdk/core/lambda_launcher.py does it.
XRAY = """
import os
try:
    os.mkdir("/tmp/.aws-xray/")
except OSError:
    print("directory")
try:
    open("/tmp/.aws-xray/initialized", "w+").close()
    os.utime("/tmp/.aws-xray/initialized", None)
except OSError:
    print("sentinel")
"""
JAVA = """
import os
for act in (lambda: os.mkdir("/tmp/hsperfdata_fs"), lambda: open("/tmp/hsperfdata_fs/7", "w")):
    try:
        act()
    except OSError:
        print("refused")
"""


@pytest.mark.parametrize("policy", ["default", "strict"])
@pytest.mark.parametrize(
    ("program", "printed"), [(XRAY, "directory\nsentinel\n"), (JAVA, "refused\n" * 2)]
)
def test_refused_without_an_event(program: str, printed: str, policy: str) -> None:
    done = support.run_guarded([sys.executable, "-c", program], policy=policy)
    assert (done.stdout, done.violations) == (printed, []), done.stderr


@pytest.fixture
def xray_folder() -> Iterator[Path]:
    """X-Ray's folder. If it is missing, the file cannot exist either, and nothing is refused."""
    folder = Path("/tmp/.aws-xray")
    there = folder.exists()
    folder.mkdir(exist_ok=True)
    yield folder
    if not there:
        folder.rmdir()


def test_what_lies_beside_the_sentinel_makes_one(xray_folder: Path) -> None:
    program = f"open('{xray_folder}/data', 'w')"
    done = support.run_guarded([sys.executable, "-c", program], policy="default")
    assert [event["details"]["path"] for event in done.violations] == ["/tmp/.aws-xray/data"]
