"""Tests under the guard: what the pytest plugin's fixture is made of."""

from fshield.testing.shield import FunctionShield

__all__ = ["FunctionShield"]
