"""The type of the guard's errors."""

from __future__ import annotations

from function_shield._core import ask


class _PolicyViolation(PermissionError):
    """An act that the policy of this function does not allow.

    Attributes:
        policy: the rule's family, such as ``"outbound_connectivity"``.
        rule: file and line of the rule that decided; `None` where no rule matched.
        reason: why, such as ``"no_rule"``.
    """

    policy: str | None = None
    rule: str | None = None
    reason: str | None = None


TYPE_CHECKING = False
if TYPE_CHECKING:
    PolicyViolation = _PolicyViolation
else:
    # The very type that the hook raises; without a core, one of its shape, so that `except` clauses
    # work.
    PolicyViolation = ask("violation") or type(
        "PolicyViolation",
        (_PolicyViolation,),
        {"__module__": "function_shield", "__doc__": _PolicyViolation.__doc__},
    )
