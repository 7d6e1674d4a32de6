"""fshield: the command line of FunctionShield, open. Policies are read, checked, compiled and
explained here."""

from fshield.version import VERSION

__version__ = VERSION

__all__ = ["__version__"]
