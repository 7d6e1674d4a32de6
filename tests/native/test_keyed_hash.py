"""The hash that tells kinds of events apart is SipHash-1-3, as in CPython. The harness uses a key
of zeros."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import CORE, core_file, interpreters

HARNESS = Path(__file__).parent / "harness" / "keyed_hash.c"
ASK = (
    "import sys\n"
    "assert sys.hash_info.algorithm == 'siphash13' and sys.hash_info.hash_bits == 64\n"
    "data = bytes((i * 37 + 1) & 255 for i in range(64))\n"
    "for size in range(65): print(hash(data[:size]) % 2**64)\n"
)


def test_it_is_siphash_1_3(tmp_path: Path) -> None:
    python = next(
        path
        for path in interpreters()
        if "3.13" in str(path) or "3.12" in str(path) or "3.11" in str(path)
    )
    wanted = subprocess.run(
        [python, "-c", ASK], env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True
    ).stdout.split()
    program = tmp_path / "keyed_hash"
    sources = [HARNESS, core_file("keyed_hash.c")]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-std=gnu11",
        "-D_GNU_SOURCE",
        "-Os",
        "-I",
        str(CORE),
    ]
    subprocess.run([*command, *map(str, sources), "-o", str(program)], check=True)
    found = subprocess.check_output([program], text=True).split()
    # CPython returns 0 for an empty string.
    assert found[1:] == wanted[1:]


def test_every_process_draws_a_key(tmp_path: Path) -> None:
    """Only the harness has the key of zeros. Every start draws another key."""
    source = tmp_path / "started.c"
    source.write_text(
        HARNESS.read_text().replace(
            "int main(void)\n{", "int main(void)\n{\n    keyed_hash_start();"
        )
    )
    program = tmp_path / "started"
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-std=gnu11",
        "-D_GNU_SOURCE",
        "-Os",
        "-I",
        str(CORE),
    ]
    subprocess.run(
        [*command, str(source), str(core_file("keyed_hash.c")), "-o", str(program)], check=True
    )
    assert subprocess.check_output([program]) != subprocess.check_output([program])
