"""The core's parsers as a shared library, and the number of cases for each oracle."""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
from typing import Any

from hypothesis import HealthCheck, settings

from tests.support import CORE, ROOT, core_file

HERE = ROOT / "tests" / "oracles"
SOURCES = ("client_hello.c", "dns.c", "dns_message.c", "host_header.c")
ALLOWED = "allowed.example"
NAME_ROOM = 256

# The number of cases for each property. `make oracles` sets it, and gets different cases each time.
# Tests always use the same cases.
CASES = int(os.environ.get("ORACLE_CASES", "0"))
judged = settings(
    max_examples=CASES or 250,
    derandomize=not CASES,
    database=None,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


@functools.cache
def core() -> Any:
    """The library, compiled once."""
    out = ROOT / "build" / "oracles" / f"parsers.{os.getpid()}.so"
    out.parent.mkdir(parents=True, exist_ok=True)
    options = [
        "-std=gnu11",
        "-D_GNU_SOURCE",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fPIC",
        "-shared",
    ]
    sources = [HERE / "parsers.c", *(core_file(name) for name in SOURCES)]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        *options,
        "-I",
        str(CORE),
        *map(str, sources),
        "-o",
        str(out),
    ]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(out))
    out.unlink()
    library.oracle_http.restype = ctypes.c_size_t
    library.oracle_question.restype = ctypes.c_size_t
    return library


def plain(name: str) -> str:
    """A name in a form in which two parsers' results can be compared."""
    return name.lower().removesuffix(".")
