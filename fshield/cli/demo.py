"""``fshield demo``."""

from __future__ import annotations

from fshield.local.demo import main as demo

__all__ = ["demo"]
