"""Decides whether a function's runtime can be guarded, from ``fshield.runtimes``.

Wrappers run on all managed runtimes from Amazon Linux 2 on, not on ``provided``
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fshield.runtimes import Runtime, runtimes

#: Matches managed runtimes that are newer than the table.
_NEWER = re.compile(r"(python3\.\d+|nodejs\d+\.x|java\d+(\.al\d+)?|ruby\d\.\d|dotnet\d+)\Z")


@dataclass(frozen=True)
class Fitness:
    """Whether a runtime can be guarded.

    Args:
        refused: why it cannot, or None.
        fix: what to do then.
        notes: remarks if it can.
        deprecated: a note that AWS no longer patches it, or None.
    """

    refused: str | None = None
    fix: str | None = None
    notes: tuple[str, ...] = ()
    deprecated: str | None = None


def fitness(package_type: str, runtime: str | None) -> Fitness:
    """Whether a function of this package type (``Zip``, ``Image``) and runtime can be guarded by a
    layer."""
    if package_type == "Image":
        return Fitness(
            "layers do not apply to a container image",
            "COPY the layer into the image, see docs/lambda.md",
        )
    known = runtimes().get(runtime or "")
    if known is None:
        if runtime and _NEWER.match(runtime):
            return Fitness(notes=(f"{runtime} is newer than this fshield: untried",))
        return Fitness(
            f"{runtime or 'no runtime'}: not known to start a wrapper",
            "update fshield, or attach by hand",
        )
    if not known.wrapper:
        return _without_wrapper(known)
    deprecated = (
        f"{runtime} is deprecated since {known.deprecated}" if known.is_deprecated() else None
    )
    untried = None if known.proven else f"untried on {runtime}"
    if untried and known.tried:
        untried = f"tried on {runtime} with a stand-in for its client only"
    return Fitness(notes=tuple(filter(None, (untried, deprecated))), deprecated=deprecated)


def is_untried(package_type: str, runtime: str | None) -> bool:
    """Whether a layer could guard the function, but no test runs the guard on its runtime with
    AWS's own client.
    """
    known = runtimes().get(runtime or "")
    return not fitness(package_type, runtime).refused and not (known and known.proven)


def _without_wrapper(runtime: Runtime) -> Fitness:
    if runtime.identifier.startswith("provided"):
        return Fitness(
            f"{runtime.identifier}: an OS-only runtime starts no wrapper",
            "start /opt/function-shield in its own bootstrap, before the program; Go and other"
            " static programs stay out",
        )
    if runtime.language == "Go":
        return Fitness(
            f"{runtime.identifier}: Go programs are static and start no wrapper",
            "rebuild it for another runtime, or leave it out",
        )
    return Fitness(
        f"{runtime.identifier}: its Amazon Linux 1 runtime starts no wrapper",
        "move it to a runtime that AWS still supports",
    )
