"""Waiting: while AWS throttles, or until a change is live, but never after Ctrl-C."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError, HTTPClientError

from fshield.fleet.fixes import throttled

Answer = TypeVar("Answer")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 20.0
_TIMES_LOST = 4


def _worth_repeating(error: Exception) -> bool:
    """Whether the answer was lost, or AWS itself failed."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0) >= 500
    return True


class Stopped(Exception):
    """The command was interrupted while this function waited, before anything of it was written."""


class Patience:
    """Shared by all threads of a command: if AWS throttles one, all pause.

    Args:
        timeout: how long one call may be throttled, in seconds.
        stop: set after Ctrl-C. All places share it.
    """

    def __init__(self, timeout: float = 300, stop: threading.Event | None = None) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._pause = 0.0
        self._not_before = 0.0
        self.stop = stop or threading.Event()
        self.throttled = 0

    def sleep(self, seconds: float) -> None:
        """Wait, unless the command is interrupted. Raises Stopped."""
        if self.stop.wait(max(0.0, seconds)):
            raise Stopped

    def call(self, ask: Callable[[], Answer]) -> Answer:
        """Call `ask()`, and repeat it while AWS throttles it.

        Also repeats it a few times if the network or AWS itself failed.

        Raises:
            Stopped: interrupted before an answer.
            ClientError: another error than throttling, or throttling that did not end in time.
            BotoCoreError: no answer.
        """
        over = time.monotonic() + self._timeout
        lost = 0
        while True:
            if self.stop.is_set():
                raise Stopped
            self.sleep(self._not_before - time.monotonic())
            try:
                answer = ask()
            except (ClientError, HTTPClientError) as error:
                if isinstance(error, ClientError) and throttled(error) and time.monotonic() < over:
                    self._slower()
                    continue
                lost += 1
                if lost >= _TIMES_LOST or not _worth_repeating(error):
                    raise
                self.sleep(_FIRST_PAUSE_S * 2**lost)
                continue
            self._faster()
            return answer

    def _slower(self) -> None:
        with self._lock:
            self.throttled += 1
            now = time.monotonic()
            if now < self._not_before:
                return  # another thread has just said so
            self._pause = min(_LONGEST_PAUSE_S, self._pause * 2 or _FIRST_PAUSE_S)
            self._not_before = now + self._pause * random.uniform(0.5, 1.0)

    def _faster(self) -> None:
        if self._pause:
            with self._lock:
                self._pause = self._pause / 2 if self._pause > _FIRST_PAUSE_S else 0.0
