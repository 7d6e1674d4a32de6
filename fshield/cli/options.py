"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

POLICY_HELP = "A policy: a file (.yaml or compiled), or a name in policies/ or in the layer."


def policy_file(text: str | Path) -> Path:
    """Find the policy's file: the path itself, ``policies/NAME.yaml`` in this folder, or the
    layer's compiled policy.
    """
    named = Path(text)
    if named.exists() or named.suffix or len(named.parts) > 1:
        return named
    source = Path("policies", f"{text}.yaml")
    if source.exists():
        return source
    from fshield.errors import CouldNotRun  # noqa: PLC0415 - commands import what they need
    from fshield.local.layer import find_layer  # noqa: PLC0415

    try:
        compiled = find_layer().policy_file(str(text))
    except CouldNotRun:
        return named
    return compiled if compiled.exists() else named


Policy = Annotated[
    Path,
    typer.Option(
        "--policy", "-p", metavar="POLICY", parser=policy_file, help=POLICY_HELP, show_default=False
    ),
]
# For commands that start a program: names in the layer come first, so `default` is the layer's.
PolicyOrName = Annotated[
    str | None,
    typer.Option("--policy", "-p", metavar="POLICY", help=POLICY_HELP, show_default="default"),
]
OptionalPolicy = Annotated[
    Path | None,
    typer.Option(
        "--policy", "-p", metavar="POLICY", parser=policy_file, help=POLICY_HELP, show_default=False
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on stdout.")]

# ---- AWS ----

Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="The functions' AWS region. Default: the AWS CLI's.",
        show_default=False,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="As for the AWS CLI.", show_default=False),
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint-url", metavar="URL", help="As for the AWS CLI.", show_default=False),
]

# ---- events ----

Events = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[EVENTS]...",
        help="Logs with events, compressed or not; - is stdin.",
        show_default=False,
    ),
]
LogGroup = Annotated[
    str | None,
    typer.Option(
        "--log-group",
        metavar="NAME",
        help="In place of files: a CloudWatch log group.",
        show_default=False,
    ),
]
Since = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="With --log-group: 30m, 4h, 7d, 2w ago, or a time."
    ),
]
# The default is `fshield.evidence.tables.loggroups.AT_MOST_USD`.
Spending = Annotated[
    float,
    typer.Option(
        "--at-most", metavar="USD", min=0, help="With --log-group: what Logs Insights may cost."
    ),
]
Function = Annotated[
    str | None,
    typer.Option(
        "--function", metavar="NAME", help="Only this Lambda function's events.", show_default=False
    ),
]
Own = Annotated[
    list[str] | None,
    typer.Option(
        "--own",
        metavar="MODULE",
        help="The function's own code, besides the handler's module. May be repeated.",
        show_default=False,
    ),
]

Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        metavar="PLACE",
        help="Allow what is held back: HOST:PORT, a path, a module, as shown. May be repeated.",
        show_default=False,
    ),
]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="PACKAGE",
        help="A dependency that may act by itself. May be repeated.",
        show_default=False,
    ),
]

# ---- the function that is asked about ----

Environment = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        metavar="NAME=VALUE",
        help="A variable of the function's configuration. May be repeated.",
        show_default=False,
    ),
]
Code = Annotated[
    Path | None,
    typer.Option(
        "--code",
        metavar="FOLDER|ZIP",
        help="The function's package: what its own code names counts as its own.",
        show_default=False,
    ),
]
Layer = Annotated[
    Path | None,
    typer.Option(
        "--layer",
        metavar="DIR",
        help="An unpacked layer. Default: FSHIELD_LAYER, else build/layer of the checkout.",
        show_default=False,
    ),
]
