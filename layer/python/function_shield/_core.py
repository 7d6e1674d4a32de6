"""Messages to the core, by audit events that its hook answers.

`typing` is not imported while a function runs: it would cost more than everything else in this
package.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ask(message: str, *arguments: object) -> Any:
    """Send ``function_shield.MESSAGE`` and return the core's answer.

    Returns:
        What the core put into the list that goes with the message; `None` where no core is in this
        interpreter.

    Raises:
        Whatever the core raises: ValueError for a malformed message, PermissionError for a wrong
            cookie.
    """
    answer: list[Any] = []
    sys.audit("function_shield." + message, answer, *arguments)
    return answer[0] if answer else None


def armed() -> dict[str, Any]:
    """What the guard does in this process, for this thread.

    Returns:
        ``{"armed": False}`` without a guard; else ``armed``, ``version``, ``policy_name``,
        ``dry_run`` and ``modes`` (rule to ``"allow"``, ``"alert"`` or ``"block"``, as they act on
        this thread).
    """
    answer = ask("armed")
    return {"armed": False} if answer is None else {"armed": True, **answer}


def configure(cookie: str | None, modes: tuple[int, ...]) -> str | None:
    """Send the modes of the four rules (-1 unchanged, 0 allow, 1 alert, 2 block), in the core's
    order."""
    answer: str | None = ask("configure", cookie, modes)
    return answer
