"""Small helpers for colours."""

from tintbox import _report, _usage
from tintbox._colours import average as _average

__all__ = ["average"]
__version__ = "1.4.2"

_report.loaded()


def average(rows):
    """The mean colour of rows of RGB bytes, as ``#rrggbb``."""
    tint = _average(rows)
    _usage.used(tint)
    return tint
