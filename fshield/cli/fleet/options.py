"""Options that the commands of the fleet share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fshield import aws_library, output

FunctionArgument = Annotated[str, typer.Argument(metavar="FUNCTION", help="Its name or ARN.")]
FunctionsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="FUNCTION...", help="Names or ARNs.", show_default=False),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="K=V",
        help="Functions with this tag. May be repeated: all of them.",
        show_default=False,
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Every function of the region.")]
NameOption = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        metavar="PATTERN",
        help="With --all: only functions whose names match, like team-*. May be repeated.",
        show_default=False,
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="With --all: no functions whose names match. May be repeated.",
        show_default=False,
    ),
]
RuntimeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        metavar="PATTERN",
        help="With --all: only functions whose runtimes match, like python3.*. May be repeated.",
        show_default=False,
    ),
]
RegionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="The functions' AWS regions: one, or several with commas. Default: the AWS CLI's.",
        show_default=False,
    ),
]
RoleNameOption = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        metavar="NAME",
        help="Assume this role in each --account, or in each of the --organization.",
        show_default=False,
    ),
]
AccountsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        metavar="ID",
        help="With --role-name: an account, or several with commas.",
        show_default=False,
    ),
]
OrganizationOption = Annotated[
    bool,
    typer.Option(
        "--organization", help="With --role-name: every active account of the organization."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether --all is meant.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show the change, and change nothing.")
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        max=64,
        help="Functions at the same time, per region and account.",
    ),
]
MaxFailuresOption = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        help="Start no more after N failures. Default: continue.",
        show_default=False,
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=1,
        max=3600,
        help="How long to wait until a change is live.",
    ),
]
LayerArnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layer-arn",
        metavar="ARN",
        help=(
            "The engine's layer version; {arch} in it stands for the architecture. May be repeated,"
            " one for each."
        ),
        show_default=False,
    ),
]
PolicyLayerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy-layer-arn",
        metavar="ARN",
        help="A layer with policies, after the engine's.",
        show_default=False,
    ),
]
SumsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--sums",
        metavar="FILE",
        help=(
            "Signed SHA256SUMS of a release, or of builds of yours: their engines may be attached"
            " besides the one that fshield has with it. May be repeated."
        ),
        show_default=False,
    ),
]
SignersOption = Annotated[
    Path | None,
    typer.Option(
        "--signers",
        metavar="FILE",
        help="Who may sign --sums, in ssh-keygen's format. Default: signers that fshield knows.",
        show_default=False,
    ),
]
UnsignedOption = Annotated[
    bool, typer.Option("--unsigned", help="Accept --sums without a signature.")
]
UnlistedOption = Annotated[
    bool, typer.Option("--unlisted", help="Attach an engine whose bytes are on no list.")
]


# Commands import their implementation when they run: boto3 takes longer to import than `fshield
# check` takes to run, and may be missing.


def needs_boto3(command: str, as_json: bool) -> None:
    """End the command if boto3 is missing, before anything imports it."""
    with output.reporting(as_json):
        aws_library.require(f"fshield {command}")
