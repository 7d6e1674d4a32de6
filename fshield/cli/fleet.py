"""``fshield attach`` and its kin: the guard on functions that other people own."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from fshield import aws_library, output
from fshield.cli import options
from fshield.errors import CouldNotRun
from fshield.fleet import iam
from fshield.fleet.exceptions import read_known
from fshield.fleet.ready import Wanted
from fshield.fleet.request import Account, Manner, Selection
from fshield.local import carried
from fshield.release.lists import Trust

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
        help="Of --all, only functions with such a name, like team-*. May be repeated.",
        show_default=False,
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Of --all, no function with such a name. May be repeated.",
        show_default=False,
    ),
]
RuntimeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        metavar="PATTERN",
        help="Of --all, only functions with such a runtime, like python3.*. May be repeated.",
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether --all is meant.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show the change, and change nothing.")
]
ConcurrencyOption = Annotated[
    int,
    typer.Option("--concurrency", metavar="N", min=1, max=64, help="Functions at the same time."),
]
MaxFailuresOption = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        help="Begin no more once N failed. Else go on.",
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
        help="Wait so long for a change to be live.",
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
        help="Who may sign --sums, as ssh-keygen has it. Else those that fshield knows.",
        show_default=False,
    ),
]
UnsignedOption = Annotated[
    bool, typer.Option("--unsigned", help="Believe --sums without a signature.")
]
UnlistedOption = Annotated[
    bool, typer.Option("--unlisted", help="Attach an engine whose bytes are on no list.")
]


class ModeWord(str, Enum):
    """What ``mode`` can be asked for."""

    ALERT = "alert"
    OFF = "off"
    POLICY = "policy"


# The commands import their work when they are called: boto3 takes longer to import than `fshield
# check` takes to run, and may not be there.


def _needs_boto3(command: str, as_json: bool) -> None:
    with output.reporting(as_json):
        aws_library.require(f"fshield {command}")


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
            help="Of --all, runtimes too on which no test runs the guard (docs/runtimes.md).",
        ),
    ] = False,
    known: Annotated[
        Path | None,
        typer.Option(
            "--known",
            metavar="FILE",
            help="Refusals that the exit status leaves out: lines PATTERN, or PATTERN = KIND.",
            show_default=False,
        ),
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    concurrency: ConcurrencyOption = 4,
    max_failures: MaxFailuresOption = None,
    timeout: TimeoutOption = 120,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Put the guard on functions: the layer last, the variables, and an existing wrapper kept as
    the next one."""
    _needs_boto3("attach", as_json)
    from fshield.fleet import rollout  # noqa: PLC0415

    with output.reporting(as_json):
        exceptions = read_known(known)
    rollout.change(
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
        rollout.attaching(
            layer_arn or (),
            policy_layer_arn or (),
            policy,
            None if unlisted else listed or (),
            Trust(signers, unsigned),
        ),
        Account(region, profile, endpoint_url, concurrency),
        Manner(yes, dry_run, concurrency, max_failures, timeout, as_json, exceptions),
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
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Take the guard off functions: layers and variables become what attach found."""
    _needs_boto3("detach", as_json)
    from fshield.fleet import rollout  # noqa: PLC0415

    rollout.change(
        "detach",
        Selection(functions or (), tag or (), everything, name or (), exclude or (), runtime or ()),
        rollout.detaching,
        Account(region, profile, endpoint_url, concurrency),
        Manner(yes, dry_run, concurrency, max_failures, timeout, as_json),
    )


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
            help="List only these, like 'no guard'. May be repeated. The sum is of all.",
            show_default=False,
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer with CSV.")] = False,
    concurrency: ConcurrencyOption = 4,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Say what is guarded, by which engine and policy, what has drifted, and what only looks
    guarded."""
    _needs_boto3("status", as_json)
    from fshield.fleet.api import reading  # noqa: PLC0415

    reading.status(
        Selection(functions or (), tag or (), everything),
        Account(region, profile, endpoint_url, concurrency),
        layer_arn or (),
        policy,
        aliases=aliases,
        concurrency=concurrency,
        as_json=as_json,
        states=state or (),
        as_csv=as_csv,
    )


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
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Change a function's mode, and wait until it is live."""
    _needs_boto3("mode", as_json)
    from fshield.fleet import mode as switching  # noqa: PLC0415

    switching.mode_command(
        function,
        switching.Mode(to.value),
        alias,
        Account(region, profile, endpoint_url),
        force=force,
        timeout=timeout,
        as_json=as_json,
    )


def publish(
    dist: Annotated[
        Path | None,
        typer.Option(
            "--dist",
            metavar="DIR",
            help="The folder with the engine's two layers. Else those that fshield carries.",
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
            help="Else function-shield (-x86_64, -arm64), or function-shield-policies.",
            show_default=False,
        ),
    ] = None,
    organization_id: Annotated[
        str | None,
        typer.Option(
            "--organization-id",
            metavar="ID",
            help="Its accounts may use the versions (o-…).",
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
                "Delete all but the newest N versions of ours that no function here uses. Else"
                " none."
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
    _needs_boto3("publish", as_json)
    from fshield.fleet import publish as publishing  # noqa: PLC0415

    with output.reporting(as_json):
        if organization_id and not re.fullmatch(r"o-[a-z0-9]{10,32}", organization_id):
            raise CouldNotRun(
                f"--organization-id {organization_id}: is none",
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


def ready(
    function: FunctionArgument,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="How far to look back: 12h, 14d, 4w, or a time.")
    ] = "30d",
    days: Annotated[
        float, typer.Option(metavar="N", min=0, help="Days under observation that are enough.")
    ] = 7,
    cold_starts: Annotated[
        int, typer.Option(metavar="N", min=0, help="Cold starts that are enough.")
    ] = 20,
    quiet_days: Annotated[
        float, typer.Option(metavar="N", min=0, help="Days without a new kind of act.")
    ] = 3,
    policy: options.OptionalPolicy = None,
    log_group: Annotated[
        str | None,
        typer.Option(
            "--log-group", metavar="NAME", help="Else the function's own.", show_default=False
        ),
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            metavar="SOURCE",
            help="Logs, a folder or a table of evidence in place of the log group.",
            show_default=False,
        ),
    ] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Say from its log whether a function that only reports can be enforced: go or no-go, and
    why."""
    _needs_boto3("ready", as_json)
    from fshield.fleet import readiness  # noqa: PLC0415

    readiness.ready(
        function,
        since,
        Wanted(days, cold_starts, quiet_days),
        policy,
        Account(region, profile, endpoint_url),
        log_group,
        evidence or [],
        as_json,
    )


def iam_policy(
    command: Annotated[
        str, typer.Argument(metavar="COMMAND", help=f"One of {', '.join(iam.NEEDS)}.")
    ],
    region: options.Region = None,
    account: Annotated[
        str,
        typer.Option(
            "--account", metavar="ID", help="Of the functions. Else any.", show_default=False
        ),
    ] = "*",
    function: Annotated[
        str,
        typer.Option(
            "--function",
            metavar="NAME",
            help="A name, or a pattern like team-*. Else any.",
            show_default=False,
        ),
    ] = "*",
    layer_name: Annotated[
        str, typer.Option("--layer-name", metavar="NAME", help="Of the guard's layers.")
    ] = "function-shield-*",
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="OPTION",
            help="Only for these options of COMMAND, like --with=--all. Else for any.",
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
    )  # taken, as by the commands beside it: the answer is JSON, from a table
    with output.reporting(False):
        output.print_json(
            iam.document(
                command,
                partition=iam.partition(region),
                region=region or "*",
                account=account,
                function=function,
                layer=layer_name,
                options=option,
            )
        )
