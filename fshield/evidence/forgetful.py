"""Finds out whether each invocation used only files in ``/tmp`` that it had made itself. Then
`mode: ephemeral` can replace exceptions, and leaves nothing for the next invocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The engine's operation that creates a name, and those that give a name to an existing object.
_MAKES, _MOVES, _REMOVES = "create", ("rename", "link"), "remove"
#: The number of names to keep for one invocation. With more, `mode: ephemeral` is not proposed.
_MOST = 20_000


@dataclass
class Forgetful:
    """What invocations did in ``/tmp``, by the first component below it."""

    _made: set[tuple[str, str]] = field(default_factory=set)
    _makers: set[str] = field(default_factory=set)
    _used: dict[tuple[str, str], str] = field(default_factory=dict)
    _removed: set[tuple[str, str]] = field(default_factory=set)
    _against: str = ""

    def take(self, event: Mapping[str, Any], events: int = 1) -> None:
        """Take one act. `events`: the number of lines it stands for; a table folds many
        requests.
        """
        details = event.get("details") or {}
        path, request = str(details.get("path") or ""), str(event.get("requestId") or "")
        operation = str(details.get("operation") or "")
        if event.get("policy") != "read_write_tmp":
            runs = event.get("policy") in ("create_child_process", "native_code")
            if runs and path.startswith("/tmp/"):
                self._against = f"{path} was executed or loaded"
            return
        name = path.removeprefix("/tmp/").partition("/")[0]
        if not name or path == "/tmp":
            return
        if events != 1:
            self._against = f"{path}: a table does not say which invocations used it"
        elif not request:
            self._against = f"{path} was used outside an invocation"
        elif len(self._used) >= _MOST:
            self._against = "there were too many names"
        else:
            self._used.setdefault((request, name), path)
            to = str(details.get("to") or "")
            if to:
                new, inside, _ = to.removeprefix("/tmp/").partition("/")
                self._used.setdefault((request, new), to)
                if not inside:
                    self._made.add((request, new))
            if operation == _MAKES or (
                # The event shows one name, which may be the new one.
                operation in _MOVES and request in self._makers and not to
            ):
                self._made.add((request, name))
                self._makers.add(request)
            elif operation == _REMOVES and path == f"/tmp/{name}":
                self._removed.add((request, name))

    def is_passing(self, path: str) -> bool:
        """Whether one invocation both made and removed `path`, which is directly in ``/tmp``."""
        name = path.removeprefix("/tmp/")
        return any(key[1] == name and key in self._made for key in self._removed)

    @property
    def invocations(self) -> int:
        """How many used ``/tmp``."""
        return len({request for request, _ in self._used})

    @property
    def against(self) -> str:
        """Why `mode: ephemeral` is not proposed, in words; "" if it is."""
        if self._against or not self._used:
            return self._against or "nothing was used in /tmp"
        left = next((path for key, path in self._used.items() if key not in self._made), "")
        return f"{left} was used by an invocation that had not made it" if left else ""

    @property
    def proposal(self) -> str:
        """The proposal in a sentence, or ""."""
        if self.against:
            return ""
        number = self.invocations
        each = "the one invocation" if number == 1 else f"each of {number:,} invocations"
        return (
            f"read_write_tmp could be `mode: ephemeral`, without exceptions: {each} that used /tmp"
            " used only what it had made itself"
        )
