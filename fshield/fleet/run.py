"""Does the same to many functions: some at a time, until all are done, too many failed, or the user
pressed Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from fshield.fleet.api.patience import Patience
from fshield.fleet.change import Outcome, Result

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(patience: Patience, say: Callable[[str], None]) -> Iterator[None]:
    """While the body runs, a first Ctrl-C lets calls under way end and begins no more; a second
    leaves at once.

    Each call changes one function or does not, so nothing is half done either way.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if patience.stop.is_set():
            os._exit(130)
        patience.stop.set()
        say("stopping: calls under way are finished, no other is begun; again to leave at once")

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_parallel(
    items: Sequence[Item],
    ask: Callable[[Item], Answer],
    concurrency: int,
    begin: Callable[[], bool],
) -> Iterator[tuple[Item, Answer]]:
    """Yield each item with its answer, as they come; no item is begun once `begin()` says no."""
    waiting = iter(items)
    with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="fshield") as pool:
        running: dict[Future[Answer], Item] = {}
        exhausted = False
        while True:
            while not exhausted and len(running) < concurrency and begin():
                try:
                    item = next(waiting)
                except StopIteration:
                    exhausted = True
                    break
                running[pool.submit(ask, item)] = item
            if not running:
                return
            # A handler of signals only runs while the main thread does not wait forever.
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()


def change_all(
    names: Sequence[str],
    change: Callable[[str], Outcome],
    patience: Patience,
    *,
    concurrency: int,
    max_failures: int | None,
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """Change each function; `tell` hears of each as it ends.

    Args:
        max_failures: begin no more once so many failed; None: go on. Refusals are none.

    Returns:
        an outcome forevery name, in the order of `names`.
    """
    outcomes: dict[str, Outcome] = {}
    failed = 0
    hopeless = False

    def begin() -> bool:
        return (
            not patience.stop.is_set()
            and not hopeless
            and (max_failures is None or failed < max_failures)
        )

    for name, outcome in in_parallel(names, change, concurrency, begin):
        outcomes[name] = outcome
        failed += outcome.result is Result.FAILED
        hopeless = hopeless or outcome.fatal
        if outcome.result is not Result.NOT_BEGUN:
            tell(outcome)
    why = "interrupted" if patience.stop.is_set() else outcomes_end(outcomes, hopeless, failed)
    return [
        outcomes.get(name) or Outcome(name, Result.NOT_BEGUN, reason=why, fix="run again")
        for name in names
    ]


def outcomes_end(outcomes: dict[str, Outcome], hopeless: bool, failed: int) -> str:
    """Why some were not begun, in words."""
    if hopeless:
        return next(outcome.reason for outcome in outcomes.values() if outcome.fatal)
    return f"{failed} failed before it: --max-failures"
