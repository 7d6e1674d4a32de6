"""``fshield attach`` and its kin: the guard on functions that other people own."""

from __future__ import annotations

from typing import Annotated

import typer

from fshield.fleet.request import Account, Manner, Selection

RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="As for the AWS CLI.", show_default=False)
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="As for the AWS CLI.", show_default=False)
]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint-url", metavar="URL", help="As for the AWS CLI.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on stdout.")]
FunctionsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="FUNCTION...", help="Names or ARNs.", show_default=False)
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="K=V", help="Functions with this tag. May be repeated: all of them.", show_default=False
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Every function of the region.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether --all is meant.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the change, and change nothing.")]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, max=64, help="Functions at the same time.")
]
MaxFailuresOption = Annotated[
    int | None,
    typer.Option(
        "--max-failures", metavar="N", min=1, help="Begin no more once N failed. Else go on.", show_default=False
    ),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, max=3600, help="Wait so long for a change to be live.")
]
LayerArnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layer-arn",
        metavar="ARN",
        help="The engine's layer version; {arch} in it stands for the architecture. May be repeated, one for each.",
        show_default=False,
    ),
]
PolicyLayerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy-layer-arn", metavar="ARN", help="A layer with policies, after the engine's.", show_default=False
    ),
]
_EXIT = "Exit codes: 0 every function is as asked, 1 some are, 2 none is, or it could not run. Interrupted: the same."
# The commands import their work when they are called: boto3 takes longer to import than `fshield check` takes to run.


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command(epilog=_EXIT)(attach)
    app.command(epilog=_EXIT)(detach)


def attach(
    functions: FunctionsArgument = None,
    layer_arn: LayerArnOption = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", "-p", metavar="NAME", help="A policy in the layer; start with monitor.", show_default=False
        ),
    ] = None,
    policy_layer_arn: PolicyLayerOption = None,
    tag: TagOption = None,
    everything: AllOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    concurrency: ConcurrencyOption = 4,
    max_failures: MaxFailuresOption = None,
    timeout: TimeoutOption = 120,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the guard on functions: the layer last, the variables, and an existing wrapper kept as the next one."""
    from fshield.fleet import rollout  # noqa: PLC0415

    rollout.change(
        "attach",
        Selection(functions or (), tag or (), everything),
        rollout.attaching(layer_arn or (), policy_layer_arn or (), policy),
        Account(region, profile, endpoint_url, concurrency),
        Manner(yes, dry_run, concurrency, max_failures, timeout, as_json),
    )


def detach(
    functions: FunctionsArgument = None,
    tag: TagOption = None,
    everything: AllOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    concurrency: ConcurrencyOption = 4,
    max_failures: MaxFailuresOption = None,
    timeout: TimeoutOption = 120,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the guard off functions: layers and variables become what attach found."""
    from fshield.fleet import rollout  # noqa: PLC0415

    rollout.change(
        "detach",
        Selection(functions or (), tag or (), everything),
        rollout.detaching,
        Account(region, profile, endpoint_url, concurrency),
        Manner(yes, dry_run, concurrency, max_failures, timeout, as_json),
    )
