"""``fshield mode``."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from fshield.cli import options
from fshield.cli.fleet.options import (
    AccountsOption,
    FunctionArgument,
    OrganizationOption,
    RegionsOption,
    RoleNameOption,
    TimeoutOption,
    needs_boto3,
)
from fshield.fleet.request import Asked


class ModeWord(str, Enum):
    """The modes that ``mode`` can set."""

    ALERT = "alert"
    OFF = "off"
    POLICY = "policy"


def mode(
    function: FunctionArgument,
    to: Annotated[
        ModeWord,
        typer.Argument(
            metavar="alert|off|policy",
            help="Dry run, unguarded, or what the policy says.",
            show_default=False,
        ),
    ],
    alias: Annotated[
        str | None,
        typer.Option(
            "--alias",
            metavar="NAME",
            help="Publish a version and move this alias to it.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Even if $LATEST holds more changes, or the alias splits its traffic."
        ),
    ] = False,
    timeout: TimeoutOption = 120,
    region: RegionsOption = None,
    role_name: RoleNameOption = None,
    account: AccountsOption = None,
    organization: OrganizationOption = False,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Change a function's mode, and wait until it is live."""
    needs_boto3("mode", as_json)
    from fshield.fleet import mode as switching  # noqa: PLC0415

    switching.mode_command(
        function,
        switching.Mode(to.value),
        alias,
        Asked(region or (), profile, endpoint_url, role_name, account or (), organization),
        force=force,
        timeout=timeout,
        as_json=as_json,
    )
