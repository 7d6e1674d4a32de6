"""Lambda's runtimes, as data: ``runtimes.tsv``.

``attach``, ``status``, the table in docs/runtimes.md and the tests all use it. Source: AWS's own
table (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html) as of 2026-11; ``-``
stands for dates that it does not have. ``tried`` names the interpreter that the tests run in a
runtime's place: the guard has not run on Lambda itself.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Runtime:
    """One row.

    Attributes:
        identifier: as functions name it: ``python3.13``.
        language, version: of the interpreter; "-" if there is none.
        system, libc: Amazon Linux and its C library.
        client: the runtime client with which it is tried; ``stand-in`` for one that speaks as
            AWS's does, "-" where it is not tried.
        released: a date, ``preview``, or "-" where it is not known.
        deprecated: the day from which AWS does not patch it; None if unknown.
        wrapper: it starts AWS_LAMBDA_EXEC_WRAPPER.
        tried: the interpreter that the tests run, or None.
    """

    identifier: str
    language: str
    version: str
    system: str
    libc: str
    client: str
    released: str
    deprecated: datetime.date | None
    wrapper: bool
    tried: str | None

    @property
    def proven(self) -> bool:
        """Whether the tests run it with AWS's own client."""
        return self.tried is not None and self.client != "stand-in"

    def is_deprecated(self, today: datetime.date | None = None) -> bool:
        """Whether AWS patches it no longer."""
        return self.deprecated is not None and self.deprecated <= (today or datetime.date.today())


@cache
def runtimes() -> dict[str, Runtime]:
    """All that are known, by identifier, in the file's order."""
    text = resources.files("fshield").joinpath("runtimes.tsv").read_text("utf-8")
    found = {}
    for line in text.splitlines()[1:]:
        (identifier, language, version, system, libc, client, released, ends, wrapper, tried) = (
            line.split("\t")
        )
        found[identifier] = Runtime(
            identifier,
            language,
            version,
            system,
            libc,
            client,
            released,
            None if ends == "-" else datetime.date.fromisoformat(ends),
            wrapper == "yes",
            None if tried == "-" else tried,
        )
    return found
