"""fshield's own log, by structlog, on stderr: with ``-v``, what is being done. Answers
are printed.

structlog is imported only if something is logged, which never happens without ``-v``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

_enabled = False


def configure(log_format: str | Literal["text", "json"]) -> None:
    """Log to stderr from now on: lines for people (``text``), or JSON objects (``json``)."""
    import structlog  # noqa: PLC0415

    global _enabled  # noqa: PLW0603 - one log for the process
    _enabled = True
    renderer: Any = structlog.processors.JSONRenderer()
    if log_format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def debug(event: str, **values: Any) -> None:
    """Log one step, with its objects."""
    if _enabled:
        import structlog  # noqa: PLC0415

        structlog.get_logger("fshield").debug(event, **values)


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Add ``values`` (a function's name, a region) to everything that the body logs."""
    if not _enabled:
        yield
        return
    import structlog  # noqa: PLC0415

    with structlog.contextvars.bound_contextvars(**values):
        yield
