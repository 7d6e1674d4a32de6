"""An Aspect that puts every function of a scope under FunctionShield, open.

    Aspects.of(app).add(FunctionShield(stack, dist="../../../dist", policy="monitor"))

It works on the CloudFormation resource, behind all constructs, so that functions
of other people's constructs are guarded as well.
"""

from __future__ import annotations

from pathlib import Path

import jsii
from aws_cdk import Annotations, IAspect, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

WRAPPER = "/opt/function-shield"
MAX_LAYERS = 5
# Managed runtimes whose bootstrap runs the wrapper:
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
WRAPPED = ("python3.", "nodejs")


@jsii.implements(IAspect)
class FunctionShield:
    """Guards each function that it visits.

    Args:
        stack: where the layers are made.
        dist: the folder with the zips that build.sh makes.
        policy: a policy's name, or a mapping of function ids to names with ``*`` for the rest.
        policies: the zip that ``fshield package`` made, if you have your own policies.
        next_wrappers: another tool's exec wrapper, by the function's id. Lambda has only one slot
            for a wrapper, and the CDK does not let an Aspect in Python read a function's variables.
    """

    def __init__(
        self,
        stack: Stack,
        dist: str,
        policy: str | dict[str, str] = "monitor",
        policies: str | None = None,
        next_wrappers: dict[str, str] | None = None,
    ) -> None:
        self._next_wrappers = next_wrappers or {}
        self._policy = policy if isinstance(policy, dict) else {"*": policy}
        self._stack = stack
        self._dist = Path(dist)
        self._layers: dict[str, lambda_.LayerVersion] = {}
        self._policies = (
            lambda_.LayerVersion(
                stack, "FunctionShieldPolicies", code=lambda_.Code.from_asset(policies)
            )
            if policies
            else None
        )
        # Made here: what an Aspect adds to the tree during a visit may not be visited itself.
        for architecture, name in (
            (lambda_.Architecture.ARM_64, "arm64"),
            (lambda_.Architecture.X86_64, "x86_64"),
        ):
            self._layers[name] = lambda_.LayerVersion(
                stack,
                f"FunctionShield{name.title().replace('_', '')}",
                code=lambda_.Code.from_asset(str(self._dist / f"function-shield-layer-{name}.zip")),
                compatible_architectures=[architecture],
                description=f"FunctionShield, open (exec wrapper, {name})",
                removal_policy=RemovalPolicy.RETAIN,
            )

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK for each construct."""
        if isinstance(node, lambda_.CfnFunction):
            self._guard(node)

    def _guard(self, function: lambda_.CfnFunction) -> None:
        stack = Stack.of(function)
        notes = Annotations.of(function)
        if function.package_type == "Image":
            notes.add_warning(
                "FunctionShield: layers do not apply to images; COPY the layer into /opt instead"
            )
            return
        if not (function.runtime or "").startswith(WRAPPED):
            notes.add_error(
                f"FunctionShield: {function.runtime} does not run exec wrappers; name it in its"
                " bootstrap"
            )
            return
        architecture = (stack.resolve(function.architectures) or ["x86_64"])[0]
        layers = list(stack.resolve(function.layers) or [])
        added = [
            layer for layer in (self._layers[architecture], self._policies) if layer is not None
        ]
        if len(layers) + len(added) > MAX_LAYERS:
            notes.add_error(
                f"FunctionShield: {len(layers)} layers are there already, and {MAX_LAYERS} is the"
                " most"
            )
            return
        # Last: a layer after the guard's could replace its files.
        function.add_property_override(
            "Layers", [*layers, *(stack.resolve(each.layer_version_arn) for each in added)]
        )
        identity = function.node.path.split("/")[-2]
        if identity in self._next_wrappers:
            function.add_property_override(
                "Environment.Variables.FUNCTION_SHIELD_NEXT_WRAPPER", self._next_wrappers[identity]
            )
        function.add_property_override("Environment.Variables.AWS_LAMBDA_EXEC_WRAPPER", WRAPPER)
        name = self._policy.get(identity, self._policy.get("*"))
        if name is not None:
            function.add_property_override("Environment.Variables.FUNCTION_SHIELD_POLICY", name)
