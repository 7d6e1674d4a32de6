"""``fshield iam-policy``."""

from __future__ import annotations

from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.fleet import iam


def iam_policy(
    command: Annotated[
        str, typer.Argument(metavar="COMMAND", help=f"One of {', '.join(iam.NEEDS)}.")
    ],
    region: options.Region = None,
    account: Annotated[
        str,
        typer.Option(
            "--account",
            metavar="ID",
            help="The functions' account. Default: any.",
            show_default=False,
        ),
    ] = "*",
    function: Annotated[
        str,
        typer.Option(
            "--function",
            metavar="NAME",
            help="A name, or a pattern like team-*. Default: any.",
            show_default=False,
        ),
    ] = "*",
    layer_name: Annotated[
        str, typer.Option("--layer-name", metavar="NAME", help="Of the guard's layers.")
    ] = "function-shield-*",
    role_name: Annotated[
        str,
        typer.Option(
            "--role-name",
            metavar="NAME",
            help="The role that COMMAND assumes. Default: any.",
            show_default=False,
        ),
    ] = "*",
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="OPTION",
            help="Only for these options of COMMAND, like --with=--all. Default: for all.",
            show_default=False,
        ),
    ] = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Print the IAM policy with the least that a command needs. Calls nothing."""
    del (
        profile,
        endpoint_url,
        as_json,
    )  # accepted as by the other fleet commands, but without effect: the answer is always JSON
    with output.reporting(False):
        output.print_json(
            iam.document(
                command,
                partition=iam.partition(region),
                region=region or "*",
                account=account,
                function=function,
                layer=layer_name,
                role=role_name,
                options=option,
            )
        )
