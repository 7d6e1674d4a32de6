"""Makes the errors of validators: what is wrong, what is allowed, and the fix."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic_core import PydanticCustomError

from fshield.errors import closest, shown

KIND = "policy"


def wrong(message: str, allowed: str = "", fix: str = "", key: str = "") -> PydanticCustomError:
    """An error to raise from a pydantic validator.

    Args:
        message: what is wrong, one sentence.
        allowed: what would be right.
        fix: what to write instead.
        key: the key inside the validated mapping, if the error is about a key, not the value.
    """
    return PydanticCustomError(
        KIND, "{message}", {"message": message, "allowed": allowed, "fix": fix, "key": key}
    )


def wrong_choice(value: object, choices: Iterable[str], what: str) -> PydanticCustomError:
    """An error: `value` is not among `choices`. `what` completes "VALUE is not a …"."""
    choices = list(choices)
    guess = closest(value, choices) if isinstance(value, str) else None
    message = (
        f"the value is missing: it must be a {what}"
        if value is None
        else f"{shown(value)} is not a {what}"
    )
    return wrong(message, ", ".join(choices) or "none", f"did you mean `{guess}`?" if guess else "")
