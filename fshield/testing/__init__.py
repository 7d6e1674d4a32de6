"""Tests under the guard: the parts of the pytest plugin's fixture.

pytest imports this package wherever fshield is installed, so nothing is imported here until it is
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fshield.testing.shield import FunctionShield

__all__ = ["FunctionShield"]


def __getattr__(name: str) -> Any:
    if name == "FunctionShield":
        from fshield.testing.shield import FunctionShield  # noqa: PLC0415

        return FunctionShield
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
