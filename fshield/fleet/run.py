"""Changes many functions, some at a time, until all are done, too many failed, or the user pressed
Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from types import FrameType
from typing import TypeVar

from fshield.fleet.change import Outcome, Result
from fshield.fleet.places import Place

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(stopped: threading.Event, say: Callable[[str], None]) -> Iterator[None]:
    """While the body runs, a first Ctrl-C finishes the calls in progress and starts no more; a
    second one exits at once.

    Args:
        stopped: set at the first Ctrl-C.

    Each call changes one function or nothing, so nothing is left half done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            os._exit(130)
        stopped.set()
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
    """Yield each item with its answer, as they arrive. Starts no item once `begin()` returns
    False.
    """
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
            # Wait with a timeout: signal handlers do not run while the main thread waits forever.
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()


@dataclass(frozen=True)
class Target:
    """One function, and where it is."""

    place: Place
    name: str


def side_by_side(targets: Iterable[Sequence[Target]]) -> list[Target]:
    """Interleave the targets of several places, so that no place waits for another."""
    turns = zip_longest(*targets)
    return [target for turn in turns for target in turn if target is not None]


def change_all(
    targets: Sequence[Target],
    change: Callable[[Target], Outcome],
    stop: threading.Event,
    *,
    concurrency: int,
    max_failures: int | None,
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """Change each function, and call `tell` with each outcome.

    Args:
        stop: once it is set, no more is started.
        concurrency: functions at the same time, of all places.
        max_failures: start no more after this many failures; None: continue. Refusals are not
            failures.

    Returns:
        an outcome for every target, in their order.
    """
    outcomes: dict[Target, Outcome] = {}
    failed = 0
    hopeless: dict[Place, str] = {}

    def begin() -> bool:
        return not stop.is_set() and (max_failures is None or failed < max_failures)

    def one(target: Target) -> Outcome:
        if target.place in hopeless:
            return _not_begun(target, hopeless[target.place])
        return replace(change(target), place=target.place)

    for target, outcome in in_parallel(targets, one, concurrency, begin):
        outcomes[target] = outcome
        failed += outcome.result is Result.FAILED
        if outcome.fatal:
            hopeless.setdefault(target.place, outcome.reason)
        if outcome.result is not Result.NOT_BEGUN:
            tell(outcome)
    why = "interrupted" if stop.is_set() else f"{failed} failed before it: --max-failures"
    return [outcomes.get(target) or _not_begun(target, why) for target in targets]


def _not_begun(target: Target, why: str) -> Outcome:
    return Outcome(target.name, Result.NOT_BEGUN, reason=why, fix="run again", place=target.place)
