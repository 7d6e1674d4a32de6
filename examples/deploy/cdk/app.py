"""A stack with two functions, both under FunctionShield, open. ``cdk synth`` after
``./build.sh``."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Aspects, Environment, Stack
from aws_cdk import aws_lambda as lambda_
from shield import FunctionShield

HERE = Path(__file__).resolve().parent
DIST = HERE.parent.parent.parent / "dist"

app = App()
stack = Stack(app, "Thumbnails", env=Environment(region="eu-central-1"))
lambda_.Function(
    stack,
    "Thumbnailer",
    code=lambda_.Code.from_asset(str(HERE.parent.parent / "thumbnailer")),
    handler="app.handler",
    runtime=lambda_.Runtime.PYTHON_3_13,
    architecture=lambda_.Architecture.ARM_64,
)
lambda_.Function(
    stack,
    "Traced",
    code=lambda_.Code.from_inline("def handler(event, context):\n    return 'fine'\n"),
    handler="index.handler",
    runtime=lambda_.Runtime.PYTHON_3_13,
)
# Start with monitor, read the events, then default or a policy of your own.
Aspects.of(app).add(
    FunctionShield(
        stack,
        dist=str(DIST),
        policy={"*": "monitor", "Thumbnailer": "default"},
        # Another tool's wrapper goes on working, guarded.
        next_wrappers={"Traced": "/opt/otel-instrument"},
    )
)
app.synth()
