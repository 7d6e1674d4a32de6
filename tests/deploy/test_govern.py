"""Tests the defences of examples/govern against people who take the guard off. Each is tested with
its own tool, or with the part of it that runs here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.events.models import EventPattern

from tests.deploy.test_templates import WRAPPER, run, tools
from tests.support import ROOT

GOVERN = ROOT / "examples" / "govern"

# ---- Guard ----

GUARD = """
import json, sys
import cfn_guard_rs
rules = open(sys.argv[1]).read()
failed = {}
for name, template in json.load(sys.stdin).items():
    report = cfn_guard_rs.run_checks(template, rules)
    failed[name] = sorted(each.Rule.name for each in report.not_compliant)
print(json.dumps(failed))
"""
VARIABLES = {"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER}


def function(kind: str = "AWS::Lambda::Function", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def guarded(**variables: str) -> dict[str, Any]:
    return function(Layers=["layer"], Environment={"Variables": {**VARIABLES, **variables}})


CASES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "guarded": ([guarded()], []),
    "guarded, in a dry run": ([guarded(FUNCTION_SHIELD_MODE="alert")], []),
    "switched off": ([guarded(FUNCTION_SHIELD_MODE="off")], ["nothing_switches_it_off"]),
    "bare": ([function()], ["a_layer_is_there", "the_wrapper_is_ours"]),
    "bare, of SAM": (
        [function("AWS::Serverless::Function")],
        ["a_layer_is_there", "the_wrapper_is_ours"],
    ),
    "no layer": ([function(Environment={"Variables": VARIABLES})], ["a_layer_is_there"]),
    "an empty list": (
        [function(Layers=[], Environment={"Variables": VARIABLES})],
        ["a_layer_is_there"],
    ),
    "another wrapper": (
        [guarded(AWS_LAMBDA_EXEC_WRAPPER="/opt/otel-instrument")],
        ["the_wrapper_is_ours"],
    ),
    "one of two": ([guarded(), function()], ["a_layer_is_there", "the_wrapper_is_ours"]),
    "one of two switched off": (
        [guarded(), guarded(FUNCTION_SHIELD_MODE="off")],
        ["nothing_switches_it_off"],
    ),
    "an image": ([function(PackageType="Image")], []),
    "no function": ([{"Type": "AWS::S3::Bucket"}], []),
}


def test_guard_finds_what_is_not_guarded() -> None:
    python = tools("guard") / "bin" / "python"
    templates = {
        name: {"Resources": {f"R{number}": resource for number, resource in enumerate(resources)}}
        for name, (resources, _) in CASES.items()
    }
    command = [str(python), "-c", GUARD, str(GOVERN / "guarded.guard")]
    result = subprocess.run(
        command, input=json.dumps(templates), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {name: expected for name, (_, expected) in CASES.items()}


# ---- EventBridge ----


def pattern(name: str) -> Any:
    class Tags(yaml.SafeLoader):
        pass

    Tags.add_constructor(
        "!Ref", lambda loader, node: {"DeploymentRole": "deploy-"}.get(node.value, node.value)
    )
    Tags.add_constructor("!GetAtt", lambda loader, node: node.value)
    template = yaml.load((GOVERN / "notice.yaml").read_text(), Tags)
    return EventPattern.load(json.dumps(template["Resources"][name]["Properties"]["EventPattern"]))


def event(
    call: str, role: str | None = "admin", kind: str = "IAMUser", **more: Any
) -> dict[str, Any]:
    """An event as CloudTrail records it:
    https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html."""
    session = {
        "type": "AssumedRole",
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
    }
    identity: dict[str, Any] = session if role else {"type": kind, "userName": "somebody"}
    detail = {
        "eventSource": "lambda.amazonaws.com",
        "eventName": call,
        "userIdentity": identity,
        **more,
    }
    return {"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


UPDATE = "UpdateFunctionConfiguration20150331v2"


@pytest.mark.parametrize(
    ("what", "by_role", "by_user"),
    [
        (event(UPDATE), True, False),
        (event("UpdateAlias20150331"), True, False),
        (event("DeleteLayerVersion20181031"), True, False),
        (event(UPDATE, "deploy-orders"), False, False),
        (event(UPDATE, None), False, True),
        (event(UPDATE, None, kind="FederatedUser"), False, True),
        (event("UntagResource20170331v2"), True, False),
        (event("GetFunctionConfiguration20150331v2"), False, False),
        (event(UPDATE, errorCode="AccessDenied"), False, False),
        ({**event(UPDATE), "source": "aws.s3"}, False, False),
    ],
)
def test_a_change_by_hand_is_noticed(what: dict[str, Any], by_role: bool, by_user: bool) -> None:
    assert pattern("Changed").matches_event(what) is by_role
    assert pattern("ChangedByUser").matches_event(what) is by_user


def test_the_template_is_accepted_by_cfn_lint() -> None:
    run(Path(sys.executable).parent / "cfn-lint", "--", GOVERN / "notice.yaml", cwd=ROOT)


# ---- the service control policy ----

OURS = "arn:aws:lambda:eu-central-1:123456789012:layer:function-shield-arm64:3"
OTHER = "arn:aws:lambda:eu-central-1:123456789012:layer:other:1"
THEIRS = "arn:aws:lambda:eu-central-1:999999999999:layer:function-shield-arm64:1"


def holds(operator: str, wanted: list[str], values: list[str] | None) -> bool:
    """Evaluate one condition. As in IAM, an absent key matches negated operators and
    ForAllValues."""
    if operator == "Null":
        return (values is None) == (wanted == ["true"])
    if operator == "ForAllValues:StringNotLike":
        return all(not any(fnmatchcase(value, like) for like in wanted) for value in values or [])
    if operator == "ArnNotLike":
        return values is None or not any(fnmatchcase(values[0], like) for like in wanted)
    assert operator == "StringEquals", operator
    return values is not None and values[0] in wanted


def denied(action: str, principal: str, resource: str = "*", **context: list[str]) -> bool:
    policy = json.loads((GOVERN / "scp.json").read_text())
    keys = {"aws:PrincipalArn": [f"arn:aws:iam::123456789012:role/{principal}"]}
    keys |= {name.replace("__", ":").replace("_", "-"): values for name, values in context.items()}
    for statement in policy["Statement"]:
        actions = (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
        if action not in actions or not fnmatchcase(resource, statement["Resource"]):
            continue
        conditions = [
            (
                operator,
                wanted if isinstance(wanted, list) else [wanted],
                keys.get(key.replace("ResourceTag/", "tag-")),
            )
            for operator, each in statement["Condition"].items()
            for key, wanted in each.items()
        ]
        if all(holds(*condition) for condition in conditions):
            return True
    return False


FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:function-shield-arm64"
CONFIGURE = "lambda:UpdateFunctionConfiguration"


@pytest.mark.parametrize(
    ("expected", "action", "principal", "resource", "context"),
    [
        (True, "lambda:CreateFunction", "dev", FUNCTION, {}),
        (True, "lambda:CreateFunction", "dev", FUNCTION, {"lambda__Layer": [OTHER]}),
        (True, "lambda:CreateFunction", "dev", FUNCTION, {"lambda__Layer": [THEIRS]}),
        (False, "lambda:CreateFunction", "dev", FUNCTION, {"lambda__Layer": [OTHER, OURS]}),
        (False, "lambda:CreateFunction", "deploy-images", FUNCTION, {}),
        (True, CONFIGURE, "dev", FUNCTION, {"lambda__Layer": [OTHER]}),
        (False, CONFIGURE, "dev", FUNCTION, {"lambda__Layer": [OURS]}),
        (False, CONFIGURE, "dev", FUNCTION, {}),
        (True, CONFIGURE, "dev", FUNCTION, {"aws__tag_function_shield": ["required"]}),
        (False, CONFIGURE, "deploy-orders", FUNCTION, {"aws__tag_function_shield": ["required"]}),
        (True, "lambda:UpdateAlias", "dev", FUNCTION, {"aws__tag_function_shield": ["required"]}),
        (True, "lambda:UntagResource", "dev", FUNCTION, {"aws__tag_function_shield": ["required"]}),
        (True, "lambda:PublishLayerVersion", "dev", LAYER, {}),
        (False, "lambda:PublishLayerVersion", "platform", LAYER, {}),
        (False, "lambda:PublishLayerVersion", "dev", LAYER.replace("function-shield", "other"), {}),
    ],
)
def test_the_service_control_policy(
    expected: bool, action: str, principal: str, resource: str, context: dict[str, list[str]]
) -> None:
    assert denied(action, principal, resource, **context) is expected


def test_the_service_control_policy_can_be_attached() -> None:
    """The limit is 5,120 characters:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""
    text = (GOVERN / "scp.json").read_text()
    policy = json.loads(text)
    assert len(text) <= 5120 and policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        assert set(statement) == {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Deny" and re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
