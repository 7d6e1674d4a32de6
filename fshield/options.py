"""Options and arguments that several commands take, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on stdout.")]

# ---- AWS ----

Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="As for the AWS CLI.", show_default=False)
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="As for the AWS CLI.", show_default=False)
]
Endpoint = Annotated[
    str | None, typer.Option("--endpoint-url", metavar="URL", help="As for the AWS CLI.", show_default=False)
]

# ---- events ----

Events = Annotated[
    list[str] | None,
    typer.Argument(metavar="[EVENTS]...", help="Logs with events, packed or not; - is stdin.", show_default=False),
]
LogGroup = Annotated[
    str | None,
    typer.Option(
        "--log-group", metavar="NAME", help="Read a CloudWatch log group in place of files.", show_default=False
    ),
]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="With --log-group: 30m, 4h, 7d, 2w ago, or a time.")
]
Function = Annotated[
    str | None,
    typer.Option("--function", metavar="NAME", help="Only this Lambda function's events.", show_default=False),
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

# ---- the function that is thought of ----

FunctionRegion = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="The function's AWS region: it decides what `aws:` means.",
        show_default=False,
    ),
]
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
Layer = Annotated[
    Path | None,
    typer.Option(
        "--layer",
        metavar="DIR",
        help="An unpacked layer. Else FSHIELD_LAYER, else build/layer of the checkout.",
        show_default=False,
    ),
]
