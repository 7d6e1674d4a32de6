"""What arrived: one JSON line for each connection, server name, request, datagram."""

from __future__ import annotations

import json
import threading
from pathlib import Path


class Seen:
    """Appends to a file. Any thread may note something."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, kind: str, **facts: object) -> None:
        """One line of this kind."""
        with self._lock:
            self._file.write(json.dumps({"kind": kind, **facts}) + "\n")
