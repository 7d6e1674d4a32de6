"""``fshield attach`` and ``fshield detach``."""

from __future__ import annotations

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
    LayerArnOption,
    MaxFailuresOption,
    NameOption,
    OrganizationOption,
    PolicyLayerOption,
    RegionsOption,
    RoleNameOption,
    RuntimeOption,
    SignersOption,
    SumsOption,
    TagOption,
    TimeoutOption,
    UnlistedOption,
    UnsignedOption,
    YesOption,
    needs_boto3,
)
from fshield.fleet.exceptions import read_known
from fshield.fleet.request import Asked, RunOptions, Selection
from fshield.release.lists import Trust


def attach(
    functions: FunctionsArgument = None,
    layer_arn: LayerArnOption = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            help="A policy in the layer; start with monitor.",
            show_default=False,
        ),
    ] = None,
    policy_layer_arn: PolicyLayerOption = None,
    listed: SumsOption = None,
    signers: SignersOption = None,
    unsigned: UnsignedOption = False,
    unlisted: UnlistedOption = False,
    tag: TagOption = None,
    everything: AllOption = False,
    name: NameOption = None,
    exclude: ExcludeOption = None,
    runtime: RuntimeOption = None,
    include_untried: Annotated[
        bool,
        typer.Option(
            "--include-untried",
            help="With --all: also runtimes on which the guard is not tested (docs/runtimes.md).",
        ),
    ] = False,
    known: Annotated[
        Path | None,
        typer.Option(
            "--known",
            metavar="FILE",
            help="Known refusals, which do not change the exit status: PATTERN, or PATTERN = KIND.",
            show_default=False,
        ),
    ] = None,
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
    """Put the guard on functions: the layer last, the variables, and an existing wrapper kept as
    the next one."""
    needs_boto3("attach", as_json)
    from fshield.fleet import changes  # noqa: PLC0415

    with output.reporting(as_json):
        exceptions = read_known(known)
    changes.change(
        "attach",
        Selection(
            functions or (),
            tag or (),
            everything,
            name or (),
            exclude or (),
            runtime or (),
            include_untried,
        ),
        changes.Attaching(
            layer_arn or (),
            policy_layer_arn or (),
            policy,
            None if unlisted else listed or (),
            Trust(signers, unsigned),
        ),
        Asked(
            region or (), profile, endpoint_url, role_name, account or (), organization, concurrency
        ),
        RunOptions(yes, dry_run, concurrency, max_failures, timeout, as_json, exceptions),
    )


def detach(
    functions: FunctionsArgument = None,
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
    """Take the guard off functions: layers and variables become what attach found."""
    needs_boto3("detach", as_json)
    from fshield.fleet import changes  # noqa: PLC0415

    changes.change(
        "detach",
        Selection(functions or (), tag or (), everything, name or (), exclude or (), runtime or ()),
        changes.Detaching(),
        Asked(
            region or (), profile, endpoint_url, role_name, account or (), organization, concurrency
        ),
        RunOptions(yes, dry_run, concurrency, max_failures, timeout, as_json),
    )
