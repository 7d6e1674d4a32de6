"""The digests of layer versions on Lambda, and of the engines that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from fshield.errors import CouldNotRun
from fshield.fleet.api.arn import ARCH_FIELD, ARCHITECTURES, layer_version
from fshield.fleet.api.client import speaking
from fshield.fleet.api.patience import Patience
from fshield.fleet.fixes import explained
from fshield.fleet.request import Account
from fshield.local import carried
from fshield.release import lists, sums


def codes(account: Account, arns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each layer version's ARN and CodeSha256; ``{arch}`` in one stands for both architectures.

    Raises:
        CouldNotRun: one cannot be looked at.
    """
    patience = Patience()
    with speaking():
        client = account.function_client()
    for arn in arns:
        for architecture in ARCHITECTURES if ARCH_FIELD in arn else ("",):
            version = layer_version(arn.replace(ARCH_FIELD, architecture))
            ask = partial(
                client.get_layer_version,
                LayerName=version.layer_arn,
                VersionNumber=version.version,
            )
            try:
                answer: Any = patience.call(ask)
            except ClientError as error:
                reason, fix = explained(error)
                raise CouldNotRun(f"{version.arn}: {reason}", fix) from error
            yield version.arn, str(answer["Content"].get("CodeSha256", ""))


def known_engines(named: Iterable[Path], trust: lists.Trust) -> dict[str, str]:
    """Digests of engine layers, and the origin of each: layers in this fshield or its checkout, and
    those in the lists `named`.

    Raises:
        CouldNotRun: a list cannot be read, is not a list, or is not trusted.
    """
    found: dict[str, str] = {}
    for architecture in carried.ARCHITECTURES:
        path = carried.folder() / carried.name(architecture)
        if path.is_file():
            found[sums.digest(path.read_bytes())] = str(path)
    for path in named:
        for name, digest in lists.read(path, trust)[0].items():
            found.setdefault(digest, f"{path}: {name}")
    return found
