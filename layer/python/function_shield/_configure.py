"""FunctionShield's one function, as it was, speaking to a core that is configured by a file."""

from __future__ import annotations

import os

from function_shield import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: FunctionShield's four rules, in the order in which the core numbers them.
RULES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
MODES = ("allow", "alert", "block")
OPTIONS = ("policy", "token", "cookie", "disable_analytics")

_guard_optional = False  # testing.without_guard sets it


def configure(options: dict[str, Any]) -> str:
    """Tighten the rules of this process, or loosen them for this thread.

    Args:
        options: FunctionShield's dictionary. ``policy`` maps rules to ``"allow"``, ``"alert"`` or
            ``"block"``; rules left out stay as they are. ``cookie`` is what the first call
            returned. ``token`` and ``disable_analytics`` are accepted and not needed.

    Returns:
        The cookie, to the first caller in the process and to each caller that shows it; ``""`` to
        others, and where ``FUNCTION_SHIELD_MODE=off`` switched the guard off.

    A mode stricter than the policy file's holds from now on in the whole process. A looser one
    needs the cookie and ``allow_reconfigure: true`` in the policy file, and holds for the calling
    thread; without either it changes nothing, because programs written for FunctionShield name
    every rule, ``"allow"`` included. What the file forbids then raises `PolicyViolation` when it is
    done.

    Raises:
        KeyError: an unknown option or rule; the message says which there are.
        ValueError: an unknown mode, or an option of the wrong type.
        PermissionError: the cookie is not the one that the first call returned.
        RuntimeError: the process is not guarded.
    """
    modes = _read(options)
    answer = _core.configure(options.get("cookie") or None, modes)
    if answer is not None:
        return answer
    if _guard_optional or os.environ.get("FUNCTION_SHIELD_MODE") == "off":
        return ""
    raise RuntimeError(
        "function_shield guards nothing here: set AWS_LAMBDA_EXEC_WRAPPER=/opt/function-shield in"
        " the function's configuration, or in a test use function_shield.testing.without_guard()"
    )


def _read(options: dict[str, Any]) -> tuple[int, ...]:
    if not isinstance(options, dict):
        raise ValueError(
            "configure takes a dictionary such as {'policy': {'read_write_tmp': 'block'}}"
        )
    for key in options:
        if key not in OPTIONS:
            raise KeyError(f"configure: unknown option {key!r}; there are {', '.join(OPTIONS)}")
    for key, kind in (("token", str), ("cookie", str), ("disable_analytics", bool)):
        if options.get(key) is not None and not isinstance(options[key], kind):
            raise ValueError(f"configure: {key} must be a {kind.__name__}")
    policy: dict[str, Any] = options.get("policy") or {}
    if not isinstance(policy, dict):
        raise ValueError("configure: policy must be a dictionary of rules")
    for rule, mode in policy.items():
        if rule not in RULES:
            raise KeyError(f"configure: unknown rule {rule!r}; there are {', '.join(RULES)}")
        if mode not in MODES:
            raise ValueError(f"configure: {rule} cannot be {mode!r}; modes are {', '.join(MODES)}")
    return tuple(MODES.index(policy[rule]) if rule in policy else -1 for rule in RULES)
