"""Which of Lambda's runtimes start a wrapper, and in which of those the guard has been tried.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html (wrappers run on all managed runtimes from
Amazon Linux 2 on, not on ``provided``), https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (which
runtime stands on which Amazon Linux).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OS_ONLY = "an OS-only runtime starts no wrapper"
_OS_ONLY_MEND = (
    "start /opt/function-shield in its own bootstrap, before the program; Go and other static programs stay out"
)
_AL1 = "its Amazon Linux 1 runtime starts no wrapper"
_AL1_MEND = "move it to a runtime that AWS still supports"

#: Runtimes without a wrapper: pattern, reason, mend.
_WITHOUT_WRAPPER = (
    (r"provided(\..*)?", _OS_ONLY, _OS_ONLY_MEND),
    (r"go1\.x", "Go programs are static and start no wrapper", "rebuild it for another runtime, or leave it out"),
    (r"python(2\.7|3\.[67])", _AL1, _AL1_MEND),
    (r"nodejs|nodejs[468]\..*", _AL1, _AL1_MEND),
    (r"java8", _AL1, _AL1_MEND),
    (r"ruby2\.5", _AL1, _AL1_MEND),
    (r"dotnetcore[12]\..*", _AL1, _AL1_MEND),
)  # fmt: skip
#: Runtimes that the tests of this project run.
_TRIED = re.compile(r"python3\.(9|10|11|12|13)\Z|nodejs20\.x\Z")
#: Managed runtimes that start a wrapper.
_WITH_WRAPPER = re.compile(r"(python3\.\d+|nodejs\d+\.x|java\d+(\.al2)?|ruby\d\.\d|dotnetcore3\.1|dotnet\d+)\Z")


@dataclass(frozen=True)
class Fitness:
    """Whether a runtime can be guarded.

    Args:
        refused: why it cannot, or None.
        mend: what to do then.
        note: what to know where it can.
    """

    refused: str | None = None
    mend: str | None = None
    note: str | None = None


def fitness(package_type: str, runtime: str | None) -> Fitness:
    """Whether a function of this package type (``Zip``, ``Image``) and runtime can be guarded by a layer."""
    if package_type == "Image":
        return Fitness("layers do not apply to a container image", "COPY the layer into the image, see docs/lambda.md")
    for pattern, reason, mend in _WITHOUT_WRAPPER:
        if re.fullmatch(pattern, runtime or ""):
            return Fitness(f"{runtime}: {reason}", mend)
    if not runtime or not _WITH_WRAPPER.match(runtime):
        return Fitness(f"{runtime or 'no runtime'}: not known to start a wrapper", "update fshield, or attach by hand")
    if not _TRIED.match(runtime):
        return Fitness(note=f"untried on {runtime}")
    return Fitness()
