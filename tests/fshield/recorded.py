"""Events as the engine writes them, for tests of their readers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fshield.evidence.acts import Evidence
from fshield.evidence.stream import EventReader

NONCE = "33a6ccd8847ea386"
DETAILS = ("host", "ip", "port", "protocol", "path", "arguments", "operation", "to")
CLIENTS = {
    "requests": [
        "urllib3/connection.py:1 connect",
        "urllib3/pool.py:2 open",
        "requests/api.py:3 get",
    ],
    "tintkit": ["tintkit/__init__.py:8 quietly"],
    "": [],
}


def stack(through: str = "", asker: str = "app", runtime: bool = True) -> list[str]:
    """Frames of a call that `asker` makes through a client."""
    frames = [f"/var/task/{frame}" for frame in CLIENTS[through]]
    if asker:
        frames.append(f"/var/task/{asker}.py:6 handler")
    return (
        [*frames, "/var/lang/lib/python3.13/site-packages/awslambdaric/bootstrap.py:9 run"]
        if runtime
        else frames
    )


class Log:
    """The log lines of one process, numbered as the engine numbers them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, policy: str, *frames: str, **more: Any) -> Log:
        """Add a violation. The names of the keyword arguments tell which of them belong to
        ``details``."""
        frames = frames or tuple(stack())
        details = {key: more.pop(key) for key in DETAILS if key in more}
        file, _, line = frames[0].rpartition(" ")[0].rpartition(":")
        first = (
            "__main__"
            if file.startswith("<")
            else file.removeprefix("/var/task/").partition("/")[0]
        )
        number = len(self.lines)
        event = {
            "function_shield": True,
            "event": "violation",
            "event_version": 1,
            "timestamp": f"2026-11-24T06:{number // 60 % 60:02}:{number % 60:02}.000000Z",
            "level": "WARN",
            "message": "m",
            "policy": policy,
            "mode": "alert",
            "policy_mode": "alert",
            "policy_name": "monitor",
            "rule": None,
            "reason": "no_rule",
            "details": details,
            "requestId": "r",
            "ring": "interpreter",
            "count": 1,
            "origin": {
                "distribution": first.removesuffix(".py"),
                "file": file,
                "line": int(line),
                "function": "f",
                "stack": list(frames),
            },
            "pid": 7,
            "nonce": NONCE,
            "seq": number,
        }
        self.lines.append(json.dumps({**event, **more}))
        return self

    def host(self, host: str, *frames: str, port: int | None = 443, **more: Any) -> Log:
        """Add a connection by name."""
        return self.add(
            "outbound_connectivity", *frames, host=host, ip=None, port=port, protocol=None, **more
        )

    def write(self, path: Path) -> Path:
        """Write the log to a file."""
        path.write_text("".join(f"{line}\n" for line in self.lines))
        return path

    def evidence(self) -> Evidence:
        """The log as evidence."""
        return folded(self.lines)


def folded(lines: Iterable[str]) -> Evidence:
    """Fold lines into evidence."""
    reader = EventReader()
    return Evidence().read(record for line in lines for record in reader.line(line))
