"""What is started, used as a context and ended, whatever happened on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from types import TracebackType
from typing import TypeVar

_Self = TypeVar("_Self", bound="Started")


class Started(ABC):
    """A context that `_start` begins. What that puts into `_resources` is closed at the end, or
    where it fails."""

    def __init__(self) -> None:
        self._resources = ExitStack()

    @abstractmethod
    def _start(self) -> None:
        """Begin. Raises what keeps it from that."""

    def __enter__(self: _Self) -> _Self:
        try:
            self._start()
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()
