"""What a function that runs here has written, collected by a thread until it is taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from fshield.evidence.events import split

#: How long the output must be quiet after a response before an invocation's output counts as
#: complete: the engine writes its counts, and the runtime what it has left, just after the
#: response.
_QUIET_S = 0.05
_DRAIN_S = 2.0
_MAX_BYTES = 64 << 20


class Output:
    """The bytes of stdout and stderr since the last `take`, 64 MB of each at the most.

    Args:
        clean: what is left of a stream's bytes without those that are not the function's.
    """

    def __init__(self, clean: Callable[[bytes], bytes] | None = None) -> None:
        self._buffers = {"stdout": bytearray(), "stderr": bytearray()}
        self._clean = clean or bytes
        self._lock = threading.Lock()
        self._last = time.monotonic()

    def add(self, name: str, content: bytes) -> None:
        """`content` came from `name`, which is ``stdout`` or ``stderr``."""
        with self._lock:
            self._last = time.monotonic()
            if len(self._buffers[name]) < _MAX_BYTES:
                self._buffers[name] += content

    def settle(self) -> None:
        """Wait until nothing has come for a moment; no longer than a bound."""
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + _DRAIN_S:
            with self._lock:
                quiet = now - max(self._last, begin)
            if quiet < _QUIET_S:
                time.sleep(_QUIET_S - quiet)
            elif not self._behind():
                return
            else:
                time.sleep(0.001)

    def _behind(self) -> bool:
        """Whether something has come that the thread has not read yet: on a busy machine it may be
        late."""
        return False

    def take(self) -> tuple[bytes, bytes, list[dict[str, Any]]]:
        """What came since the last call: the function's own stdout and stderr, and the events of
        both."""
        with self._lock:
            raw = {name: bytes(buffer) for name, buffer in self._buffers.items()}
            for buffer in self._buffers.values():
                buffer.clear()
        stdout, first = split(self._clean(raw["stdout"]))
        stderr, second = split(self._clean(raw["stderr"]))
        return stdout, stderr, first + second
