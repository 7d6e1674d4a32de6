"""``fshield publish``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.cli.fleet.options import DryRunOption, needs_boto3
from fshield.errors import CouldNotRun
from fshield.local import carried


def publish(
    dist: Annotated[
        Path | None,
        typer.Option(
            "--dist",
            metavar="DIR",
            help="The folder with the engine's two layers. Default: those that fshield carries.",
            show_default=False,
        ),
    ] = None,
    policies: Annotated[
        Path | None,
        typer.Option(
            "--policies",
            metavar="FILE",
            help="A policy layer of `fshield package`, in place of the engine's.",
            show_default=False,
        ),
    ] = None,
    layer_name: Annotated[
        str | None,
        typer.Option(
            "--layer-name",
            metavar="NAME",
            help="Default: function-shield (-x86_64, -arm64), or function-shield-policies.",
            show_default=False,
        ),
    ] = None,
    organization_id: Annotated[
        str | None,
        typer.Option(
            "--organization-id",
            metavar="ID",
            help="Let this organization's accounts use the versions (o-…).",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            metavar="N",
            min=1,
            help=(
                "Delete old versions of ours that no function here uses, except the newest N."
                " Default: delete none."
            ),
            show_default=False,
        ),
    ] = None,
    dry_run: DryRunOption = False,
    region: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            metavar="REGION",
            help="As for the AWS CLI. May be repeated.",
            show_default=False,
        ),
    ] = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Publish the engine's layers of both architectures, or a policy layer, to one region or
    several."""
    needs_boto3("publish", as_json)
    from fshield.fleet import publish as publishing  # noqa: PLC0415

    with output.reporting(as_json):
        if organization_id and not re.fullmatch(r"o-[a-z0-9]{10,32}", organization_id):
            raise CouldNotRun(
                f"--organization-id {organization_id} is not an organization",
                "o-… , from aws organizations describe-organization",
            )
        if policies:
            archives = [publishing.policies(policies, layer_name or "function-shield-policies")]
        else:
            archives = publishing.engines(dist or carried.folder(), layer_name or "function-shield")
        publishing.publish(
            archives,
            region or (),
            profile,
            endpoint_url,
            organization=organization_id,
            keep=keep,
            dry_run=dry_run,
            as_json=as_json,
        )
