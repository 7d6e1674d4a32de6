"""What survey.py must find."""

from __future__ import annotations

import subprocess

import pytest

from tests import support
from tests.native_code.survey import PROBE


@pytest.mark.skipif(not support.PACKAGES.exists(), reason="run tests/native_code/fetch.sh")
def test_finds_what_takes_an_address() -> None:
    modules = ["_ctypes", "lxml.etree", "safetensors._safetensors_rust", "no_such_module"]
    done = subprocess.run(
        [support.PACKAGES, "-c", PROBE, *modules],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = {tuple(line.split("\t")[:3]) for line in done.stdout.splitlines()}
    assert ("_ctypes", "bridge", "") in found
    assert ("lxml.etree", "cython array", "lxml.etree.array") in found
    assert ("safetensors._safetensors_rust", "class", "TensorSpec") in found
    assert ("no_such_module", "not imported", "") in found
