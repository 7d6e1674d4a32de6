"""``fshield status``."""

from __future__ import annotations

from typing import Annotated

import typer

from fshield.cli import options
from fshield.cli.fleet.options import (
    AccountsOption,
    ConcurrencyOption,
    FunctionsArgument,
    OrganizationOption,
    RegionsOption,
    RoleNameOption,
    TagOption,
    needs_boto3,
)
from fshield.fleet.request import Asked, Selection


def status(
    functions: FunctionsArgument = None,
    layer_arn: Annotated[
        list[str] | None,
        typer.Option(
            "--layer-arn",
            metavar="ARN",
            help="The engine that they should have; {arch} as in attach.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            help="The policy that they should have.",
            show_default=False,
        ),
    ] = None,
    tag: TagOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every function of the region; as without names.")
    ] = False,
    aliases: Annotated[
        bool,
        typer.Option("--aliases/--no-aliases", help="Look at the versions that aliases point to."),
    ] = True,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="List only this state, like 'no guard'. May be repeated. Counts are of all.",
            show_default=False,
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer with CSV.")] = False,
    concurrency: ConcurrencyOption = 4,
    region: RegionsOption = None,
    role_name: RoleNameOption = None,
    account: AccountsOption = None,
    organization: OrganizationOption = False,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Say what is guarded, by which engine and policy, what has drifted, and what only looks
    guarded."""
    needs_boto3("status", as_json)
    from fshield.fleet import overview  # noqa: PLC0415
    from fshield.fleet.api.reading import Wanted  # noqa: PLC0415

    overview.status(
        Selection(functions or (), tag or (), everything),
        Asked(
            region or (), profile, endpoint_url, role_name, account or (), organization, concurrency
        ),
        Wanted(layer_arn or (), policy, aliases, concurrency),
        as_json=as_json,
        states=state or (),
        as_csv=as_csv,
    )
