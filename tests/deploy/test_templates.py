"""Every template of examples/deploy passes its own tool, and puts the guard in the right place."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from fshield.engine.check import check
from fshield.engine.package import package
from fshield.engine.policy_tests import run as run_policy_tests
from fshield.language.loader import load
from fshield.local.cache import cache_folder
from tests.fleet.functions import Fleet
from tests.fleet.stand_in import KEYS, REGION, running
from tests.support import ROOT

DEPLOY = ROOT / "examples" / "deploy"
WRAPPER = "/opt/function-shield"


def tools(name: str) -> Path:
    """The folder of a tool that fetch.sh installed. Skipped if it is missing, or failed if it is
    required."""
    folder = cache_folder("deploy", name)
    if not (folder / "complete.lock").exists():
        if "deploy" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail(f"{name} is missing: tests/deploy/fetch.sh has not been run")
        pytest.skip(f"{name} is missing: run tests/deploy/fetch.sh")
    return folder


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **variables}
    result = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def dist() -> Path:
    """dist/ with the policy layer that the templates name."""
    content, _, _ = package(DEPLOY / "policies")
    (ROOT / "dist" / "policies.zip").write_bytes(content)
    return ROOT / "dist"


# ---- SAM ----


class _Tagged(yaml.SafeLoader):
    """Reads CloudFormation's short forms (``!Ref``) as (tag, value)."""


_Tagged.add_multi_constructor(
    "!",
    lambda loader, suffix, node: (
        suffix,
        getattr(node, "value", None) if node.id == "scalar" else node.id,
    ),
)


def test_sam_is_accepted_by_cfn_lint(dist: Path) -> None:
    for template in [*DEPLOY.rglob("template.yaml"), *(ROOT / "docs").glob("*.template.yaml")]:
        run(Path(sys.executable).parent / "cfn-lint", "--", template, cwd=ROOT)


def test_sam_rolls_back_by_an_alarm_over_every_rule(dist: Path) -> None:
    template = yaml.load((DEPLOY / "sam" / "template.yaml").read_text(), _Tagged)
    function = template["Resources"]["Thumbnailer"]["Properties"]
    assert function["DeploymentPreference"] == {
        "Type": "Canary10Percent5Minutes",
        "Alarms": [("Ref", "BlockedCalls")],
    }
    assert function["AutoPublishAlias"] == "live"
    assert function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    alarm = template["Resources"]["BlockedCalls"]["Properties"]
    watched = {
        tuple(
            (each["Name"], each["Value"]) for each in metric["MetricStat"]["Metric"]["Dimensions"]
        )
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
    }
    families = re.search(
        r"fs_family_names\[FS_FAMILIES\] = \{(.*?)\};",
        (ROOT / "layer/core/policy/policy.c").read_text(),
        re.S,
    )
    assert families
    names = re.findall(r'"(\w+)"', families[1])
    function = ("function", ("Ref", "Thumbnailer"))
    assert watched == {(function, ("policy", name), ("mode", "block")) for name in names}
    policy = load(DEPLOY / "policies" / "thumbnailer.yaml")
    metrics = [
        metric["MetricStat"]["Metric"] for metric in alarm["Metrics"] if "MetricStat" in metric
    ]
    assert {metric["Namespace"] for metric in metrics} == {policy.emf_namespace}
    assert {metric["MetricName"] for metric in metrics} == {"count"}
    for layer in ("ShieldArm64", "ShieldX86", "ShieldPolicies"):
        path = DEPLOY / "sam" / template["Resources"][layer]["Properties"]["ContentUri"]
        assert path.resolve().is_file()


def test_the_policy_of_the_templates_holds() -> None:
    paths = sorted((DEPLOY / "policies").glob("*.yaml"))
    assert paths
    for path in paths:
        assert [finding.level for finding in check(path) if finding.level != "note"] == []
        results = run_policy_tests(load(path))
        assert results and all(result.passed for result in results)


# ---- CDK ----


def synthesized(app: str, folder: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """The functions of the stack that ``app.py`` makes when it contains `app`, and the output about
    them."""
    python = tools("cdk") / "bin" / "python"
    work = folder / "app"
    shutil.copytree(DEPLOY / "cdk", work)
    text = (
        (work / "app.py")
        .read_text()
        .replace("Path(__file__)", f"Path({str(DEPLOY / 'cdk' / 'app.py')!r})")
    )
    (work / "app.py").write_text(text.replace("app.synth()", f"{app}\napp.synth()"))
    out = folder / "out"
    run(
        python,
        "app.py",
        cwd=work,
        CDK_OUTDIR=str(out),
        JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION="1",
    )
    template = json.loads((out / "Thumbnails.template.json").read_text())
    functions = {
        re.sub(r"[0-9A-F]{8}\Z", "", name): resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    return functions, (out / "manifest.json").read_text()


MORE = """
def add(name, **more):
    lambda_.CfnFunction(stack, name, role="arn:aws:iam::123456789012:role/r", **more)
inline = lambda_.CfnFunction.CodeProperty(zip_file="def handler(event, context): pass")
add("Node", code=inline, handler="index.handler", runtime="nodejs22.x")
add("Go", code=inline, handler="bootstrap", runtime="provided.al2023")
add("Container", code=lambda_.CfnFunction.CodeProperty(image_uri="a"), package_type="Image")
arn = "arn:aws:lambda:eu-central-1:123456789012:layer:other:"
five = [arn + str(n) for n in range(5)]
add("Full", code=inline, handler="index.handler", runtime="python3.12", layers=five)
add("Layered", code=inline, handler="index.handler", runtime="python3.12", layers=[arn + "1"])
"""


def test_the_cdk_aspect_guards_a_whole_stack(dist: Path, tmp_path: Path) -> None:
    functions, messages = synthesized(MORE, tmp_path)
    for name in ("Thumbnailer", "Traced", "Node", "Layered"):
        properties = functions[name]
        architecture = (properties.get("Architectures") or ["x86_64"])[0]
        variables = properties["Environment"]["Variables"]
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER, name
        assert variables["FUNCTION_SHIELD_POLICY"] == (
            "default" if name == "Thumbnailer" else "monitor"
        )
        assert properties["Layers"][-1]["Ref"].startswith(
            "FunctionShieldArm64" if architecture == "arm64" else "FunctionShieldX8664"
        )
    assert (
        functions["Traced"]["Environment"]["Variables"]["FUNCTION_SHIELD_NEXT_WRAPPER"]
        == "/opt/otel-instrument"
    )
    assert len(functions["Layered"]["Layers"]) == 2 and functions["Layered"]["Layers"][0].endswith(
        ":other:1"
    )
    for name in ("Go", "Container", "Full"):
        assert "Environment" not in functions[name]
    assert "provided.al2023 does not run exec wrappers" in messages
    assert "layers do not apply to images" in messages and "5 layers are there already" in messages


# ---- Terraform ----


def test_terraform_is_read_by_a_parser_of_its_language() -> None:
    files = {
        path.name: hcl2.loads(path.read_text()) for path in (DEPLOY / "terraform").glob("*.tf")
    }
    assert set(files) == {"main.tf", "variables.tf", "outputs.tf", "versions.tf"}
    resources = {
        (kind.strip('"'), name.strip('"')): body
        for block in files["main.tf"]["resource"]
        for kind, named in block.items()
        for name, body in named.items()
    }
    assert set(resources) == {
        ("aws_lambda_layer_version", "engine"),
        ("aws_lambda_layer_version", "policies"),
    }
    variables = {name.strip('"') for block in files["variables.tf"]["variable"] for name in block}
    used = set(
        re.findall(
            r"\bvar\.(\w+)",
            "".join(path.read_text() for path in (DEPLOY / "terraform").glob("*.tf")),
        )
    )
    assert used == variables
    outputs = {
        name.strip('"'): body
        for block in files["outputs.tf"]["output"]
        for name, body in block.items()
    }
    assert set(outputs) == {"layers", "environment"}
    for architecture in ("arm64", "x86_64"):
        assert (ROOT / "dist" / f"function-shield-layer-{architecture}.zip").is_file()
        assert architecture in (DEPLOY / "terraform" / "main.tf").read_text()


# ---- Serverless Framework ----


def test_serverless_prints_it(tmp_path: Path) -> None:
    program = tools("serverless") / "node_modules" / ".bin" / "serverless"
    folder = tmp_path / "service"
    shutil.copytree(DEPLOY / "serverless", folder)
    printed = json.loads(
        run(program, "print", "--format", "json", cwd=folder, SLS_TELEMETRY_DISABLED="1", **KEYS)
    )
    assert printed["provider"]["environment"] == {
        "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER,
        "FUNCTION_SHIELD_POLICY": "monitor",
    }
    assert printed["provider"]["layers"] == [{"Ref": "FunctionShieldLambdaLayer"}]
    artifact = DEPLOY / "serverless" / printed["layers"]["functionShield"]["package"]["artifact"]
    assert (
        artifact.resolve()
        == ROOT / "dist" / f"function-shield-layer-{printed['provider']['architecture']}.zip"
    )
    (folder / "serverless.yml").write_text(
        (folder / "serverless.yml").read_text().replace("runtime:", "runtimes:")
    )
    with pytest.raises(AssertionError, match="runtimes"):
        run(program, "print", cwd=folder, SLS_TELEMETRY_DISABLED="1", **KEYS)


# ---- the AWS CLI ----


def test_the_command_line_against_a_stand_in(tmp_path: Path) -> None:
    path = f"{tools('awscli') / 'bin'}:{os.environ['PATH']}"
    with running() as stand_in:
        fleet = Fleet(stand_in)
        other = fleet.layer("other")
        fleet.function("plain", Architectures=["arm64"])
        fleet.function(
            "traced",
            Layers=[other],
            variables={"A": "1", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"},
        )
        fleet.function("own", Runtime="provided.al2023")

        def deploy(name: str) -> subprocess.CompletedProcess[str]:
            variables = {
                "AWS_ENDPOINT_URL": stand_in.url,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_MAX_ATTEMPTS": "3",
                **KEYS,
            }
            environment = {"PATH": path, "HOME": str(tmp_path), "AWS_PAGER": "", **variables}
            command = [str(DEPLOY / "cli" / "deploy.sh"), name, "monitor"]
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=120, check=False
            )

        for name in ("plain", "traced", "traced"):
            result = deploy(name)
            assert result.returncode == 0, result.stderr
        assert fleet.variables("plain") == {
            "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER,
            "FUNCTION_SHIELD_POLICY": "monitor",
        }
        assert fleet.layers("plain") == ["function-shield-arm64"]
        assert fleet.variables("traced") == {
            "A": "1",
            "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER,
            "FUNCTION_SHIELD_NEXT_WRAPPER": "/opt/otel-instrument",
            "FUNCTION_SHIELD_POLICY": "monitor",
        }
        assert fleet.layers("traced") == ["other", "function-shield-x86_64"]
        before = fleet.state("own")
        result = deploy("own")
        assert result.returncode == 1 and "does not run exec wrappers" in result.stderr
        assert fleet.state("own") == before


def test_the_scripts_are_clean() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not here")
    run("shellcheck", *DEPLOY.rglob("*.sh"), cwd=ROOT)
