"""``fshield ready``."""

from __future__ import annotations

from typing import Annotated

import typer

from fshield.cli import options
from fshield.cli.fleet.options import FunctionArgument, needs_boto3
from fshield.fleet.ready_checks import Wanted
from fshield.fleet.request import Account


def ready(
    function: FunctionArgument,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="How far to look back: 12h, 14d, 4w, or a time.")
    ] = "30d",
    days: Annotated[
        float, typer.Option(metavar="N", min=0, help="Days of observation that are needed.")
    ] = 7,
    cold_starts: Annotated[
        int, typer.Option(metavar="N", min=0, help="Cold starts that are needed.")
    ] = 20,
    quiet_days: Annotated[
        float, typer.Option(metavar="N", min=0, help="Days without a new kind of act.")
    ] = 3,
    policy: options.OptionalPolicy = None,
    log_group: Annotated[
        str | None,
        typer.Option(
            "--log-group",
            metavar="NAME",
            help="The log group. Default: the function's own.",
            show_default=False,
        ),
    ] = None,
    at_most: options.Spending = 5.0,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            metavar="SOURCE",
            help="Logs, a folder or a table of evidence in place of the log group. Asks AWS nothing"
            " that is not in S3.",
            show_default=False,
        ),
    ] = None,
    env: options.Environment = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Say from its log whether a function that only reports can be enforced: go or no-go, and
    why."""
    if not evidence:
        needs_boto3("ready", as_json)
    from fshield.fleet import ready as work  # noqa: PLC0415

    work.ready(
        function,
        since,
        Wanted(days, cold_starts, quiet_days),
        policy,
        Account(region, profile, endpoint_url),
        log_group,
        at_most,
        evidence or [],
        env or [],
        as_json,
    )
