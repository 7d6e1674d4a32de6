"""Functions to try the fleet commands on, as varied as in a large account."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from typing import Any

from tests.fleet.stand_in import ACCOUNT, REGION, StandIn
from tests.support import ROOT

RUNTIMES = ("python3.9", "python3.11", "python3.13", "nodejs20.x", "java21", "python3.12")
WITHOUT_WRAPPER = ("provided.al2023", "go1.x")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet"
ENGINE = "arn:aws:lambda:%s:%s:layer:function-shield-{arch}:1" % (REGION, ACCOUNT)  # noqa: UP031
POLICIES = ("default", "functionshield", "monitor", "strict")


def package(code: str = "def handler(event, context):\n    return 1\n") -> bytes:
    """The smallest possible package of a function."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


class Fleet:
    """Makes functions in the stand-in. It keeps no state, and asks the stand-in instead."""

    def __init__(self, stand_in: StandIn, region: str = REGION, account: str = ACCOUNT) -> None:
        self.stand_in = stand_in
        self.region = region
        self.account = account
        self.client = stand_in.client("lambda", region, account)
        document = json.dumps({"Version": "2012-10-17", "Statement": []})
        iam = stand_in.client("iam", region, account)
        # A role belongs to an account, and is valid in all of its regions.
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="fleet", AssumeRolePolicyDocument=document)
        self._package = package()

    def layer(
        self,
        name: str,
        text: str = "",
        architectures: tuple[str, ...] = (),
        content: bytes | None = None,
    ) -> str:
        """Publish a version of a layer, by default with a function's package as its content.
        Returns the ARN.
        """
        answer = self.client.publish_layer_version(
            LayerName=name,
            Description=text,
            Content={"ZipFile": content or self._package},
            **({"CompatibleArchitectures": list(architectures)} if architectures else {}),
        )
        return str(answer["LayerVersionArn"])

    def engines(self) -> None:
        """Publish this build's engine layers, with the descriptions that `fshield publish`
        writes."""
        for architecture in ("x86_64", "arm64"):
            text = f"FunctionShield, open 0.1.0 ({architecture}); policies: {' '.join(POLICIES)}"
            built = ROOT / "dist" / f"function-shield-layer-{architecture}.zip"
            name = f"function-shield-{architecture}"
            self.layer(name, text, (architecture,), built.read_bytes())

    def function(self, name: str, **more: Any) -> None:
        """Make a function. `more`: further arguments of CreateFunction."""
        variables = more.pop("variables", None)
        arguments: dict[str, Any] = {
            "FunctionName": name,
            "Role": ROLE.replace(ACCOUNT, self.account),
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"ZipFile": self._package},
            **more,
        }
        if variables is not None:
            arguments["Environment"] = {"Variables": variables}
        if arguments.get("PackageType") == "Image":
            del arguments["Runtime"], arguments["Handler"]
        self.client.create_function(**arguments)

    def many(self, count: int) -> list[str]:
        """Make `count` functions of every sort that can be guarded. Returns their names."""
        other = [self.layer(f"other-{number}") for number in range(5)]
        names = []
        for number in range(count):
            name = f"service-{number:03}"
            variables: dict[str, str] | None = {"TABLE": f"table-{number}", "API_KEY": "s3cr3t" * 3}
            if number % 7 == 0:
                variables = None
            elif number % 5 == 0:
                variables = {**(variables or {}), "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}
            elif number % 11 == 0:
                variables = {
                    **(variables or {}),
                    "FUNCTION_SHIELD_MODE": "off",
                    "FUNCTION_SHIELD_POLICY": "old",
                }
            self.function(
                name,
                Runtime=RUNTIMES[number % len(RUNTIMES)],
                Architectures=["arm64" if number % 3 else "x86_64"],
                Layers=other[: number % 5],
                Tags={"team": "payments" if number % 4 == 0 else "search", "number": str(number)},
                variables=variables,
            )
            if number % 6 == 0:
                version = self.client.publish_version(FunctionName=name)["Version"]
                self.client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
            names.append(name)
        return names

    def state(self, name: str) -> str:
        """Everything that Lambda returns about a function and its aliases, versions and tags, as
        one text.
        """
        configuration = self.client.get_function_configuration(FunctionName=name)
        versions = self.client.list_versions_by_function(FunctionName=name)["Versions"]
        aliases = self.client.list_aliases(FunctionName=name)["Aliases"]
        tags = self.client.list_tags(Resource=configuration["FunctionArn"])["Tags"]
        whole = {
            "configuration": configuration,
            "versions": versions,
            "aliases": aliases,
            "tags": tags,
        }
        for answer in (whole, configuration):
            answer.pop("ResponseMetadata", None)
        return json.dumps(whole, sort_keys=True, indent=1)

    def states(self, names: list[str]) -> dict[str, str]:
        """`state` of each function."""
        return {name: self.state(name) for name in names}

    def variables(self, name: str) -> dict[str, str]:
        """A function's environment."""
        answer = self.client.get_function_configuration(FunctionName=name)
        return dict(answer.get("Environment", {}).get("Variables", {}))

    def layers(self, name: str) -> list[str]:
        """The names of a function's layers, in order."""
        answer = self.client.get_function_configuration(FunctionName=name)
        return [layer["Arn"].split(":")[6] for layer in answer.get("Layers", [])]
