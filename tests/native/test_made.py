"""The table of names in /tmp keeps every name that a thread adds while an invocation ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import CORE, core_file

HERE = Path(__file__).resolve().parent


def test_a_name_that_is_added_at_the_end_of_an_invocation_stays(tmp_path: Path) -> None:
    program = tmp_path / "made"
    (tmp_path / "real.gen.h").touch()  # it calls no door
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    options += ["-I", str(CORE), "-I", str(tmp_path)]
    sources = [str(HERE / "harness" / "made.c")]
    sources += [str(core_file(name)) for name in ("text.c", "policy.c")]
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *options, *sources, "-o", program],
        check=True,
    )
    lines = subprocess.check_output([program], text=True, timeout=120).splitlines()
    assert lines == [
        "added while lowered: many, 0 lost, 0 left",
        "lowered while added: many, 0 lost, 0 left",
    ]
