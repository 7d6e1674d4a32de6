"""Looks up layer versions before any function is told to use them.

`publish` writes the layer's policies into its description, because attach must know them: a
function whose policy is in none of its layers does not start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fshield.errors import CouldNotRun, closest
from fshield.fleet.api.arn import ARCH_FIELD, ARCHITECTURES, LayerVersion, layer_version
from fshield.fleet.api.patience import Patience
from fshield.fleet.fixes import DENIED, code_of, explained
from fshield.fleet.plan import Wanted
from fshield.release import sums

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

#: https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
MAX_DESCRIPTION = 256
_POLICIES = re.compile(r"\bpolicies: (?P<names>[A-Za-z0-9_ -]+?)(?P<more> …| and \d+ more)?\s*\Z")
_POLICY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z|/opt/\S+\Z")


def description(what: str, policies: Iterable[str]) -> str:
    """The description of a layer: what it is, and as many of its policies as there is room for."""
    names = sorted(policies)
    for shown in range(len(names), -1, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        text = f"{what}; policies: {' '.join(names[:shown])}{more}"
        if len(text) <= MAX_DESCRIPTION:
            return text
    return what[:MAX_DESCRIPTION]


def described_policies(text: str) -> tuple[frozenset[str], bool] | None:
    """The policies in a description, and whether these are all; None if it names none."""
    found = _POLICIES.search(text)
    return (frozenset(found["names"].split()), not found["more"]) if found else None


@dataclass(frozen=True)
class Layer:
    """A layer version that was looked up.

    Args:
        architectures: of its description; empty if it names none, or may not be read.
        policies: of its description, and whether these are all; None if it names none.
        sha256: of its zip, from Lambda; "" if that may not be read.
    """

    version: LayerVersion
    architectures: tuple[str, ...]
    policies: tuple[frozenset[str], bool] | None
    sha256: str = ""


def look_up(client: LambdaClient, version: LayerVersion, patience: Patience) -> Layer:
    """The layer version as Lambda knows it. Raises CouldNotRun if it does not exist."""
    try:
        answer = patience.call(
            lambda: client.get_layer_version(
                LayerName=version.layer_arn, VersionNumber=version.version
            )
        )
    except ClientError as error:
        if code_of(error) in DENIED:
            # The caller may lack lambda:GetLayerVersion for a layer of another account, which does
            # not matter.
            return Layer(version, (), None)
        reason, fix = explained(error)
        if code_of(error) == "ResourceNotFoundException":
            reason, fix = (
                "there is no such layer version",
                "`fshield publish` prints the ARNs of those that are",
            )
        raise CouldNotRun(f"{version.arn}: {reason}", fix) from error
    return Layer(
        version,
        tuple(answer.get("CompatibleArchitectures") or ()),
        described_policies(answer.get("Description") or ""),
        sums.of_code(str(answer["Content"].get("CodeSha256") or "")),
    )


def wanted(
    client: LambdaClient,
    region: str,
    arns: Sequence[str],
    policy_arns: Sequence[str],
    policy: str,
    patience: Patience,
    known: Mapping[str, str] | None = None,
) -> tuple[Wanted, list[str]]:
    """The task of attach, with every layer version looked up.

    Args:
        arns: ``--layer-arn``; ``{arch}`` in one stands for the architecture.
        policy_arns: ``--policy-layer-arn``.
        policy: ``--policy``.
        known: SHA-256 of the engines that may be attached; None: any.

    Returns:
        that, and notes to print before.

    Raises:
        CouldNotRun: a layer version does not exist, is in another region, is an unknown engine, or
            no layer has the policy.
    """
    if not _POLICY_NAME.match(policy):
        raise CouldNotRun(
            f"--policy {policy}: is not a policy's name",
            "the name of a policy in the layer, like monitor",
        )
    engines: dict[str, str] = {}
    found: list[Layer] = []
    for arn in arns:
        for architecture in ARCHITECTURES if ARCH_FIELD in arn else ("",):
            version = _here(arn.replace(ARCH_FIELD, architecture), region)
            layer = look_up(client, version, patience)
            found.append(layer)
            _refuse_unknown(layer, known)
            for each in _architectures(layer, architecture):
                if engines.setdefault(each, version.arn) != version.arn:
                    raise CouldNotRun(
                        f"--layer-arn names two layers for {each}: {engines[each]} and"
                        f" {version.arn}",
                        "name one layer for each architecture",
                    )
    extra = [look_up(client, _here(arn, region), patience) for arn in policy_arns]
    notes = _policy_is_there(policy, found, extra)
    return Wanted(engines, policy, tuple(layer.version.arn for layer in extra)), notes


def _refuse_unknown(layer: Layer, known: Mapping[str, str] | None) -> None:
    """Raise CouldNotRun for an engine that is on no list."""
    if known is None or layer.sha256 in known:
        return
    why = "is on no list of engines" if layer.sha256 else "may not be looked at: its bytes decide"
    raise CouldNotRun(
        f"{layer.version.arn}: {why}",
        "publish the one that fshield has (`fshield publish`), name the list that it is on with"
        " --sums, or --unlisted",
    )


def _here(arn: str, region: str) -> LayerVersion:
    version = layer_version(arn)
    if version.region != region:
        raise CouldNotRun(
            f"{arn}: is in {version.region}, and functions of {region} cannot use it",
            f"fshield publish --region {region}, or --region {version.region}",
        )
    return version


def _architectures(layer: Layer, asked: str) -> tuple[str, ...]:
    """The architectures that an engine's layer version is for. Raises CouldNotRun if nothing
    tells.
    """
    says = layer.architectures or tuple(
        each for each in ARCHITECTURES if layer.version.name.endswith(each)
    )
    if asked:
        if says and asked not in says:
            raise CouldNotRun(
                f"{layer.version.arn}: is for {', '.join(says)}, by its own words",
                "look at the name and {arch} in it",
            )
        return (asked,)
    if len(says) != 1:
        raise CouldNotRun(
            f"{layer.version.arn}: does not say which architecture it is for, and the engine is"
            " made for one",
            "publish it with `fshield publish`, or with --compatible-architectures",
        )
    return says


def _policy_is_there(policy: str, engines: Sequence[Layer], extra: Sequence[Layer]) -> list[str]:
    """Notes about a policy that may be missing. Raises CouldNotRun if it certainly is."""
    if policy.startswith("/"):
        return []
    known: set[str] = set()
    for engine in engines:
        # Functions of either architecture must find the policy, in the engine's layer or another
        # one.
        sources = [engine.policies, *(layer.policies for layer in extra)]
        names = {name for source in sources if source for name in source[0]}
        known |= names
        if policy in names:
            continue
        if all(source and source[1] for source in sources):
            near = closest(policy, known)
            raise CouldNotRun(
                f"--policy {policy}: no layer has it, and a function without its policy does not"
                " start",
                (
                    f"did you mean {near}?"
                    if near
                    else (
                        f"one of {', '.join(sorted(known))}; or name the layer that has it with"
                        " --policy-layer-arn"
                    )
                ),
            )
        return [
            f"nothing says whether a layer has the policy {policy}; a function without it does not"
            " start: try one first"
        ]
    return []
