"""fshield's own log: structlog, to stderr, silent below warning unless asked. Answers are printed, not logged."""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog


def configure(verbose: bool) -> None:
    """Send the log to stderr. `verbose`: from debug on rather than from warning on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """The log."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger("fshield"))
