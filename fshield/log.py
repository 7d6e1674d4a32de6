"""fshield's own log, by structlog, to stderr: what is being done, where ``-v`` asks for it. Answers
are printed.

structlog is imported only where something is logged: without ``-v`` that is never.
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
    """Log one thing that was done, with what it was done to."""
    if _enabled:
        import structlog  # noqa: PLC0415

        structlog.get_logger("fshield").debug(event, **values)


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Say ``values`` (a function's name, a region) with whatever the body logs."""
    if not _enabled:
        yield
        return
    import structlog  # noqa: PLC0415

    with structlog.contextvars.bound_contextvars(**values):
        yield
