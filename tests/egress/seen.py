"""What arrived: one JSON line for each connection, server name, request and datagram."""

from __future__ import annotations

import json
import threading
from pathlib import Path


class Seen:
    """Appends notes to a file. Safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, kind: str, **facts: object) -> None:
        """Write one line of this kind."""
        with self._lock:
            self._file.write(json.dumps({"kind": kind, **facts}) + "\n")
