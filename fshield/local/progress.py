"""Shows what is being done, once it takes longer than a second."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

PATIENCE_S = 1.0


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Show `what` on stderr while the body runs, from one second on: a spinner on a terminal, one
    line elsewhere."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    status: Status | None = None
    lock = threading.Lock()
    over = False

    def show() -> None:
        nonlocal status
        with lock:
            if over:
                return
            if console.is_terminal:
                status = Status(f"{what} …", console=console)
                status.start()
            else:
                console.print(f"{what} …", soft_wrap=True)

    timer = threading.Timer(PATIENCE_S, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            over = True
            if status is not None:
                status.stop()
