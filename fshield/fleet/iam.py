"""The least IAM permissions of each command: a table, from which policies are printed. A test
compares it with the calls.

Source of actions and their resources:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html and the pages
beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fshield.errors import CouldNotRun

_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:{function}"
_LAYER = "arn:{partition}:lambda:{region}:{account}:layer:{layer}"
_LAYER_VERSION = "arn:{partition}:lambda:{region}:{account}:layer:{layer}:*"
#: With the caller's rights, Lambda reads every layer that a function has after a change, including
#: other people's.
_ANY_LAYER_VERSION = "arn:{partition}:lambda:{region}:*:layer:*:*"
_ROLE = "arn:{partition}:iam::{account}:role/{role}"
_LOGS = "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function}:*"
_ANY_GROUP = "arn:{partition}:logs:{region}:{account}:log-group:*"
_ANY = "*"


@dataclass(frozen=True)
class Need:
    """Actions on one sort of resource.

    Args:
        name: the Sid.
        actions: as IAM writes them.
        resource: with fields in braces; ``*`` if the action has no resource.
        only: the option that it is needed for; None: always.
    """

    name: str
    actions: tuple[str, ...]
    resource: str
    only: str | None = None


_SELECT = (
    Need("All", ("lambda:ListFunctions",), _ANY, "--all"),
    Need("Tag", ("tag:GetResources",), _ANY, "--tag"),
)
# These permissions are the caller's. The role's own policy must permit the work in each account.
_PLACES = (
    Need("Role", ("sts:AssumeRole",), _ROLE, "--role-name"),
    Need("Accounts", ("organizations:ListAccounts",), _ANY, "--organization"),
)


def _by_insights(only: str | None = None) -> tuple[Need, ...]:
    """What Logs Insights needs. `only` is as in `Need`."""
    return (
        Need("Logs", ("logs:StartQuery",), _LOGS, only),
        # These actions have no log group, or search all.
        Need("Answers", ("logs:GetQueryResults", "logs:StopQuery"), _ANY, only),
        Need("Groups", ("logs:DescribeLogGroups",), _ANY_GROUP, only),
        Need("Price", ("cloudwatch:GetMetricData",), _ANY, only),
    )


NEEDS: dict[str, tuple[Need, ...]] = {
    "publish": (
        Need("Publish", ("lambda:PublishLayerVersion", "lambda:ListLayerVersions"), _LAYER),
        Need("Compare", ("lambda:GetLayerVersion",), _LAYER_VERSION),
        Need("Share", ("lambda:AddLayerVersionPermission",), _LAYER_VERSION, "--organization-id"),
        Need("Retain", ("lambda:DeleteLayerVersion",), _LAYER_VERSION, "--keep"),
        Need("InUse", ("lambda:ListFunctions",), _ANY, "--keep"),
    ),
    "verify": (Need("Layers", ("lambda:GetLayerVersion",), _ANY_LAYER_VERSION, "--layer"),),
    "attach": (
        Need(
            "Change",
            ("lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"),
            _FUNCTION,
        ),
        Need("Layers", ("lambda:GetLayerVersion",), _ANY_LAYER_VERSION),
        *_SELECT,
        *_PLACES,
    ),
    "detach": (
        Need(
            "Change",
            ("lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"),
            _FUNCTION,
        ),
        Need("Layers", ("lambda:GetLayerVersion",), _ANY_LAYER_VERSION),
        *_SELECT,
        *_PLACES,
    ),
    "rollout": (
        Need(
            "Change",
            ("lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"),
            _FUNCTION,
        ),
        Need("Publish", ("lambda:PublishLayerVersion", "lambda:ListLayerVersions"), _LAYER),
        Need("Layers", ("lambda:GetLayerVersion",), _ANY_LAYER_VERSION),
        Need("Logs", ("logs:FilterLogEvents",), _LOGS),
        Need(
            "Alias",
            ("lambda:GetAlias", "lambda:PublishVersion", "lambda:UpdateAlias"),
            _FUNCTION,
            "--alias",
        ),
        *_SELECT,
        *_PLACES,
    ),
    "status": (
        Need("Look", ("lambda:GetFunctionConfiguration", "lambda:ListAliases"), _FUNCTION),
        Need("All", ("lambda:ListFunctions",), _ANY),
        Need("Tag", ("tag:GetResources",), _ANY, "--tag"),
        *_PLACES,
    ),
    "mode": (
        Need(
            "Change",
            (
                "lambda:GetFunctionConfiguration",
                "lambda:UpdateFunctionConfiguration",
                "lambda:ListAliases",
            ),
            _FUNCTION,
        ),
        Need(
            "Alias",
            ("lambda:GetAlias", "lambda:PublishVersion", "lambda:UpdateAlias"),
            _FUNCTION,
            "--alias",
        ),
        *_PLACES,
    ),
    "ready": (
        Need("Look", ("lambda:GetFunctionConfiguration",), _FUNCTION),
        *_by_insights(),
    ),
    "learn": _by_insights(),
    "replay": _by_insights(),
    "report": _by_insights(),
    "tail": (Need("Logs", ("logs:FilterLogEvents",), _LOGS),),
    "evidence": (
        *_by_insights("--log-group-prefix"),
        # Besides what the table and the answers need of Glue and S3.
        Need(
            "Athena",
            (
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
            ),
            "arn:{partition}:athena:{region}:{account}:workgroup/*",
            "--workgroup",
        ),
    ),
}


def document(
    command: str,
    *,
    partition: str = "aws",
    region: str = "*",
    account: str = "*",
    function: str = "*",
    layer: str = "function-shield-*",
    role: str = "*",
    options: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The policy document for one command.

    Args:
        command: its name.
        role: the name of a role that is assumed in other accounts.
        options: which of the options in the table are used; None: any.

    Raises:
        CouldNotRun: it is not a command that calls AWS.
    """
    if command not in NEEDS:
        raise CouldNotRun(f"{command}: no command that calls AWS", f"one of {', '.join(NEEDS)}")
    fields = {
        "partition": partition,
        "region": region,
        "account": account,
        "function": function,
        "layer": layer,
        "role": role,
    }
    statements = []
    for need in NEEDS[command]:
        if need.only and options is not None and need.only not in options:
            continue
        resource: str | list[str] = need.resource.format(**fields)
        if need.resource == _FUNCTION and not str(resource).endswith("*"):
            # A version or an alias is a separate resource, with its qualifier after the name.
            resource = [str(resource), f"{resource}:*"]
        statements.append(
            {
                "Sid": need.name,
                "Effect": "Allow",
                "Action": list(need.actions),
                "Resource": resource,
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


def partition(region: str | None) -> str:
    """The partition in ARNs of a region; ``*`` without a region."""
    if not region:
        return "*"
    prefixes = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc"))
    return next((name for prefix, name in prefixes if region.startswith(prefix)), "aws")
