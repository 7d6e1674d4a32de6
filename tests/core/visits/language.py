"""Reads, compiles and queries a small policy. Prints the functions of fshield that were entered,
and the offsets of those entered in the decide library that FSHIELD_DECIDE names."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from types import FrameType

from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled
from fshield.language.loader import load
from fshield.language.policy import Family, Mode

ROOT = Path(__file__).resolve().parents[3]
POLICY = """\
version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - host: api.stripe.com
"""


def ask(path: Path) -> Mode:
    """The verdict on a connection that is allowed."""
    compiled = Compiled(compile_policy(load(path)))
    return compiled.decide(Family.OUTBOUND, names=("api.stripe.com",), port=443).mode


def main() -> None:
    path = ROOT / "build" / "visits" / "small.yaml"
    path.write_text(POLICY)
    ask(path)  # run the imports, and build the tables that are made only once
    library = ctypes.CDLL(os.environ["FSHIELD_DECIDE"])
    library.visits_end.restype = ctypes.POINTER(ctypes.c_size_t)
    entered: dict[tuple[str, str], None] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and ROOT / "fshield" in file.parents:
            entered[str(file.relative_to(ROOT)), frame.f_code.co_name] = None

    library.visits_begin()
    sys.setprofile(note)
    mode = ask(path)
    sys.setprofile(None)
    assert mode is Mode.ALLOW
    count = ctypes.c_uint()
    offsets = library.visits_end(ctypes.byref(count))
    print(json.dumps({"python": list(entered), "native": offsets[: count.value]}))


if __name__ == "__main__":
    main()
