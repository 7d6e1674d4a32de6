"""``fshield rollout``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from fshield import output
from fshield.cli import options
from fshield.cli.fleet.options import (
    AccountsOption,
    AllOption,
    ConcurrencyOption,
    DryRunOption,
    ExcludeOption,
    FunctionsArgument,
    MaxFailuresOption,
    NameOption,
    OrganizationOption,
    RegionsOption,
    RoleNameOption,
    RuntimeOption,
    TagOption,
    TimeoutOption,
    YesOption,
    needs_boto3,
)
from fshield.fleet.request import Asked, RunOptions, Selection


def rollout(
    archive: Annotated[
        Path,
        typer.Argument(
            metavar="POLICIES.ZIP", help="The zip that `fshield package` made.", show_default=False
        ),
    ],
    functions: FunctionsArgument = None,
    canary: Annotated[
        list[str] | None,
        typer.Option(
            "--canary",
            metavar="SHARE",
            help="Share of functions, or of calls, to start with: 5%, or in steps: 5%,25%.",
            show_default="5%",
        ),
    ] = None,
    alias: Annotated[
        str | None,
        typer.Option(
            "--alias",
            metavar="NAME",
            help="Publish a version, and move a share of this alias's calls to it.",
            show_default=False,
        ),
    ] = None,
    watch: Annotated[
        str,
        typer.Option("--watch", metavar="TIME", help="Watch each share this long: 30m, 4h, 2d."),
    ] = "30m",
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="How often to read the logs.")
    ] = "30s",
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            metavar="TIME",
            help="Ignore acts that were blocked already in this time before.",
        ),
    ] = "1d",
    max_blocked: Annotated[
        int,
        typer.Option(
            "--max-blocked", metavar="N", min=0, help="Roll back at more than N newly blocked acts."
        ),
    ] = 0,
    min_starts: Annotated[
        int,
        typer.Option(
            "--min-starts",
            metavar="N",
            min=0,
            help="Continue only after N cold starts under the new policies.",
        ),
    ] = 1,
    go_back: Annotated[
        bool, typer.Option("--back", help="Roll back the rollout in progress.")
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="Where progress is kept. Default: POLICIES.ZIP.rollout.",
            show_default=False,
        ),
    ] = None,
    layer_name: Annotated[
        str, typer.Option("--layer-name", metavar="NAME", help="The policy layer's name.")
    ] = "function-shield-policies",
    tag: TagOption = None,
    everything: AllOption = False,
    name: NameOption = None,
    exclude: ExcludeOption = None,
    runtime: RuntimeOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    concurrency: ConcurrencyOption = 4,
    max_failures: MaxFailuresOption = None,
    timeout: TimeoutOption = 120,
    region: RegionsOption = None,
    role_name: RoleNameOption = None,
    account: AccountsOption = None,
    organization: OrganizationOption = False,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Publish a policy layer, give it to a share of the guarded functions, or of an alias's calls,
    watch what is blocked there, and continue, or roll back."""
    needs_boto3("rollout", as_json)
    from fshield.evidence.cloudwatch import stretch  # noqa: PLC0415
    from fshield.fleet.rollout import command, stages, work  # noqa: PLC0415

    with output.reporting(as_json):
        rules = work.Rules(
            stretch("--watch", watch),
            max(timedelta(seconds=1), stretch("--every", every)),
            stretch("--baseline", baseline),
            max_blocked,
            min_starts,
        )
        request = command.Request(
            archive, layer_name, stages.shares(canary or ["5%"]), rules, journal, go_back, alias
        )
    command.rollout(
        request,
        Selection(functions or (), tag or (), everything, name or (), exclude or (), runtime or ()),
        Asked(
            region or (), profile, endpoint_url, role_name, account or (), organization, concurrency
        ),
        RunOptions(yes, dry_run, concurrency, max_failures, timeout, as_json),
    )
