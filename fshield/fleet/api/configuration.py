"""The parts of a function's configuration that matter to the guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
LAUNCHER = "/opt/function-shield"
POLICY = "FUNCTION_SHIELD_POLICY"
MODE = "FUNCTION_SHIELD_MODE"
NEXT_WRAPPER = "FUNCTION_SHIELD_NEXT_WRAPPER"
#: The variable with what detach needs and the rest of the configuration does not show. See plan.py.
RESTORE = "FUNCTION_SHIELD_RESTORE"


@dataclass(frozen=True)
class Function:
    """A function as GetFunctionConfiguration and ListFunctions describe it.

    Args:
        name: without qualifier.
        arn: with the qualifier that was asked for, if one was.
        runtime: ``python3.13``; None for an image.
        architecture: ``x86_64`` or ``arm64``.
        package_type: ``Zip`` or ``Image``.
        layers: ARNs of layer versions, in their order.
        variables: the environment.
        unreadable: why the environment could not be read, or None.
        revision: the RevisionId.
        state: ``Active``, ``Pending``, ``Inactive``, ``Failed``; ListFunctions does not say.
        update: LastUpdateStatus: ``Successful``, ``InProgress``, ``Failed``; ListFunctions does not
            say.
        update_reason: why the last update failed, or None.
        version: ``$LATEST`` or a number.
        raw: everything that AWS said.
    """

    name: str
    arn: str
    runtime: str | None
    architecture: str
    package_type: str
    layers: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)
    unreadable: str | None
    revision: str | None
    state: str | None
    update: str | None
    update_reason: str | None
    version: str
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def guarded(self) -> bool:
        """Whether the wrapper is ours. The layer may still be missing."""
        return self.variables.get(WRAPPER) == LAUNCHER

    @property
    def account(self) -> str:
        """Its account's number, from its ARN; "" if that has none."""
        parts = self.arn.split(":")
        return parts[4] if len(parts) > 4 else ""

    @property
    def busy(self) -> bool:
        """Whether Lambda is still applying the last change, and would refuse another."""
        return self.state == "Pending" or self.update == "InProgress"


def function_of(answer: Mapping[str, Any]) -> Function:
    """The function in an answer of Lambda. Missing keys get their default meaning."""
    environment = answer.get("Environment") or {}
    error = environment.get("Error") or {}
    return Function(
        name=answer["FunctionName"],
        arn=answer["FunctionArn"],
        runtime=answer.get("Runtime"),
        architecture=(answer.get("Architectures") or ["x86_64"])[0],
        package_type=answer.get("PackageType") or "Zip",
        layers=tuple(layer["Arn"] for layer in answer.get("Layers") or []),
        variables=dict(environment.get("Variables") or {}),
        # Without kms:Decrypt the answer has an error in place of the variables. Writing then would
        # erase them.
        unreadable=f"{error.get('ErrorCode')}: {error.get('Message')}" if error else None,
        revision=answer.get("RevisionId"),
        state=answer.get("State"),
        update=answer.get("LastUpdateStatus"),
        update_reason=answer.get("LastUpdateStatusReason"),
        version=answer.get("Version") or "$LATEST",
        raw=answer,
    )
