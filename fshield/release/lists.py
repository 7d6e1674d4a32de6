"""Reads trusted lists of sums: signed by an allowed signer, unless the user accepts others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fshield.release import signature, sums


@dataclass(frozen=True)
class Trust:
    """Which lists are accepted.

    Args:
        signers: a file of allowed signers; None: those that fshield knows.
        unsigned: accept a list without a signature.
    """

    signers: Path | None = None
    unsigned: bool = False


def read(path: Path, trust: Trust) -> tuple[sums.Sums, str | None]:
    """The sums in the list at `path`, and who signed it; None if that was not checked.

    Raises:
        CouldNotRun: it is not a list, or the signature beside it is not an allowed signer's.
    """
    content = sums.read(path)
    by = None
    if not trust.unsigned:
        signed = path.with_name(path.name + signature.SUFFIX)
        by = signature.verify(content, signed, trust.signers or signature.SIGNERS)
    return sums.parse(content, str(path)), by
