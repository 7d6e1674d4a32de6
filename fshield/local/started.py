"""A base class for what is started, used as a context, and always ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from types import TracebackType
from typing import TypeVar

_Self = TypeVar("_Self", bound="Started")


class Started(ABC):
    """A context that `_start` begins. Its `_resources` are closed at the end, or if the start
    fails.
    """

    def __init__(self) -> None:
        self._resources = ExitStack()

    @abstractmethod
    def _start(self) -> None:
        """Start it."""

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
