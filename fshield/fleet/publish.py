"""``fshield publish``: publishes the layers in regions. Each version's description says what it
contains.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from fshield import output
from fshield.engine.package import FOLDER
from fshield.errors import CouldNotRun
from fshield.fleet.api.arn import ARCHITECTURES, layer_number
from fshield.fleet.api.client import could_not, speaking
from fshield.fleet.api.layers import description
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.fixes import BUSY, code_of
from fshield.fleet.request import Account
from fshield.fleet.run import interruptible
from fshield.fleet.show import Show
from fshield.local.progress import waiting_for
from fshield.version import VERSION

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_LAUNCHER, _CORE = "function-shield", "function-shield.d/function-shield.so"
#: The beginning of our descriptions, so that --keep deletes nothing else.
_OURS = "FunctionShield, open "
_BUILD = "fshield's wheel has them, ./build.sh makes them; --dist names another folder"
_PACKAGE = "make it: fshield package DIR -o policies.zip"


@dataclass(frozen=True)
class Archive:
    """A layer to publish.

    Args:
        layer: its name.
        architecture: that it is for; None for policies, which are for both.
        content: the zip.
        text: the description.
    """

    layer: str
    architecture: str | None
    content: bytes
    text: str

    @property
    def digest(self) -> str:
        """What Lambda calls CodeSha256."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


@dataclass(frozen=True)
class Published:
    """One layer in one region.

    Args:
        arn: of the version; None if there is a `problem`.
        fresh: it was published now; False: the newest version has the same bytes.
        removed: older versions that were deleted.
        kept: older versions that were not deleted, and why.
    """

    region: str
    archive: Archive
    arn: str | None = None
    fresh: bool = False
    removed: tuple[int, ...] = ()
    kept: tuple[str, ...] = ()
    problem: CouldNotRun | None = None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "region": self.region,
            "layer": self.archive.layer,
            "architecture": self.archive.architecture,
            "arn": self.arn,
            "fresh": self.fresh,
            "sha256": hashlib.sha256(self.archive.content).hexdigest(),
            "description": self.archive.text,
            "removed": list(self.removed),
            "kept": list(self.kept),
            "problem": (
                {"message": self.problem.message, "fix": self.problem.fix} if self.problem else None
            ),
        }


def engines(folder: Path, prefix: str) -> list[Archive]:
    """The engine's layers of both architectures, from the build's `folder`. Raises
    CouldNotRun."""
    found = []
    for architecture in ARCHITECTURES:
        path = folder / f"function-shield-layer-{architecture}.zip"
        content = _content(path)
        with _opened(path, content) as archive:
            names = set(archive.namelist())
            if not {_LAUNCHER, _CORE} <= names:
                raise CouldNotRun(f"{path}: is not the engine's layer", _BUILD)
            if VERSION.encode() not in archive.read(_CORE):
                raise CouldNotRun(
                    f"{path}: is of another version than this fshield, {VERSION}", "./build.sh"
                )
            policies = _policies(names)
        text = description(f"{_OURS}{VERSION} ({architecture})", policies)
        found.append(Archive(f"{prefix}-{architecture}", architecture, content, text))
    return found


def policies(path: Path, name: str) -> Archive:
    """A policy layer, as ``fshield package`` wrote it. Raises CouldNotRun."""
    content = _content(path, _PACKAGE)
    with _opened(path, content, _PACKAGE) as archive:
        names = set(archive.namelist())
    found = _policies(names)
    if not found or any(not each.startswith(f"{FOLDER}/") for each in names):
        raise CouldNotRun(f"{path}: is not a policy layer", _PACKAGE)
    return Archive(name, None, content, description(f"{_OURS}policies", found))


def _content(path: Path, fix: str = _BUILD) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", fix) from error


def _opened(path: Path, content: bytes, fix: str = _BUILD) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise CouldNotRun(f"{path}: is not a zip", fix) from error


def _policies(names: set[str]) -> list[str]:
    return sorted(
        Path(name).stem
        for name in names
        if name.startswith(f"{FOLDER}/") and name.endswith(".policy")
    )


class Publisher:
    """Publishes to one region.

    Args:
        organization: its accounts may use the versions; None: this account only.
        keep: how many versions of ours to keep; None: all.
    """

    def __init__(
        self,
        client: LambdaClient,
        patience: Patience,
        *,
        organization: str | None,
        keep: int | None,
        dry_run: bool,
    ) -> None:
        self._client = client
        self._patience = patience
        self._organization = organization
        self._keep = keep
        self._dry_run = dry_run
        self._used: frozenset[str] | None = None

    def __call__(self, archive: Archive) -> Published:
        """Publish, unless the newest version has these bytes already. Raises nothing but
        Stopped."""
        region = self._client.meta.region_name
        try:
            arn = self._same(archive)
            fresh = arn is None
            if self._dry_run:
                return Published(region, archive, arn, fresh)
            if arn is None:
                arn = self._publish(archive)
            if self._organization:
                self._share(archive.layer, layer_number(arn))
            removed, kept = self._retain(archive.layer) if self._keep else ((), ())
        except (ClientError, BotoCoreError) as error:
            return Published(region, archive, problem=could_not(error))
        return Published(region, archive, arn, fresh, removed, kept)

    def _versions(self, layer: str) -> list[Any]:
        page: Any = self._patience.call(partial(self._client.list_layer_versions, LayerName=layer))
        found = list(page["LayerVersions"])
        while page.get("NextMarker"):
            marker = page["NextMarker"]
            page = self._patience.call(
                partial(self._client.list_layer_versions, LayerName=layer, Marker=marker)
            )
            found += page["LayerVersions"]
        return sorted(found, key=lambda version: int(version["Version"]), reverse=True)

    def _same(self, archive: Archive) -> str | None:
        """The newest version's ARN, if it has the same bytes and description."""
        try:
            versions = self._versions(archive.layer)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        if not versions or versions[0].get("Description") != archive.text:
            return None
        number = int(versions[0]["Version"])
        found = self._patience.call(
            partial(self._client.get_layer_version, LayerName=archive.layer, VersionNumber=number)
        )
        return (
            str(versions[0]["LayerVersionArn"])
            if found["Content"].get("CodeSha256") == archive.digest
            else None
        )

    def _publish(self, archive: Archive) -> str:
        architectures = [archive.architecture] if archive.architecture else list(ARCHITECTURES)
        answer: Any = self._patience.call(
            partial(
                self._client.publish_layer_version,
                LayerName=archive.layer,
                Description=archive.text,
                Content={"ZipFile": archive.content},
                CompatibleArchitectures=architectures,  # type: ignore[arg-type]
                LicenseInfo="Apache-2.0",
            )
        )
        return str(answer["LayerVersionArn"])

    def _share(self, layer: str, number: int) -> None:
        try:
            self._patience.call(
                partial(
                    self._client.add_layer_version_permission,
                    LayerName=layer,
                    VersionNumber=number,
                    StatementId=f"organization-{self._organization}",
                    Action="lambda:GetLayerVersion",
                    Principal="*",
                    OrganizationId=str(self._organization),
                )
            )
        except ClientError as error:
            if code_of(error) != BUSY:  # the statement exists already
                raise

    def _retain(self, layer: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Delete all but the newest versions of ours that no function of this account and region
        uses."""
        removed, kept = [], []
        ours = [
            v for v in self._versions(layer) if str(v.get("Description") or "").startswith(_OURS)
        ]
        for version in ours[self._keep :]:
            number = int(version["Version"])
            if version["LayerVersionArn"] in self._in_use():
                kept.append(f"{number}: in use")
                continue
            self._patience.call(
                partial(self._client.delete_layer_version, LayerName=layer, VersionNumber=number)
            )
            removed.append(number)
        return tuple(removed), tuple(kept)

    def _in_use(self) -> frozenset[str]:
        """The layer versions that functions here use, in any of their versions."""
        if self._used is None:
            used: set[str] = set()
            page: Any = self._patience.call(
                partial(self._client.list_functions, FunctionVersion="ALL")
            )
            while True:
                used |= {
                    layer["Arn"]
                    for function in page["Functions"]
                    for layer in function.get("Layers") or ()
                }
                if not page.get("NextMarker"):
                    break
                marker = page["NextMarker"]
                page = self._patience.call(
                    partial(self._client.list_functions, FunctionVersion="ALL", Marker=marker)
                )
            self._used = frozenset(used)
        return self._used


def publish(
    archives: Sequence[Archive],
    regions: Sequence[str],
    profile: str | None,
    endpoint_url: str | None,
    *,
    organization: str | None,
    keep: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """The work of ``fshield publish``."""
    patience = Patience()
    done: list[Published] = []
    show = Show(len(archives) * max(1, len(regions)), "publish", as_json)
    with interruptible(patience.stop, show.say), speaking():
        for region in regions or (None,):
            client = Account(region, profile, endpoint_url).function_client()
            publisher = Publisher(
                client, patience, organization=organization, keep=keep, dry_run=dry_run
            )
            for archive in archives:
                if patience.stop.is_set():
                    break
                try:
                    with waiting_for(f"{archive.layer} to {client.meta.region_name}"):
                        done.append(publisher(archive))
                except Stopped:
                    break
                if not as_json:
                    _print(done[-1], dry_run)
    good = sum(not each.problem for each in done)
    total = len(archives) * max(1, len(regions))
    code = output.FINE if good == total else output.FINDINGS if good else output.COULD_NOT_RUN
    attach = attach_with(done)
    if as_json:
        output.print_json(
            {
                "ok": code == output.FINE,
                "interrupted": patience.stop.is_set(),
                "dry_run": dry_run,
                "layers": [each.as_dict() for each in done],
                "layer_arn": attach,
            }
        )
    else:
        to = output.console()
        for line in attach:
            to.print(Text.assemble(("attach with  ", "dim"), line), soft_wrap=True)
        if good < total:
            to.print(
                f"{good} of {total} published; run the command again for the rest", soft_wrap=True
            )
    raise typer.Exit(code)


def attach_with(done: Sequence[Published]) -> list[str]:
    """The options for attach, one line per region; with ``{arch}`` if both architectures have the
    same number.
    """
    lines = []
    for region in dict.fromkeys(each.region for each in done):
        here = [each for each in done if each.region == region and each.arn]
        arns = [str(each.arn) for each in here if each.archive.architecture]
        general = {
            str(each.arn).replace(str(each.archive.architecture), "{arch}")
            for each in here
            if each.archive.architecture
        }
        if len(general) == 1 and len(arns) == len(ARCHITECTURES):
            arns = list(general)
        options = [f"--layer-arn '{arn}'" for arn in arns]
        options += [
            f"--policy-layer-arn {each.arn}" for each in here if not each.archive.architecture
        ]
        if options:
            lines.append(f"--region {region} {' '.join(options)}")
    return lines


def _print(each: Published, dry_run: bool) -> None:
    to = output.console()
    if each.problem:
        what, style = "failed", "bold red"
        detail = f"{each.problem.message}; {each.problem.fix or ''}"
    elif dry_run:
        what, style = ("would", "bold cyan") if each.fresh else ("nothing", "dim")
        detail = (
            each.archive.text
            if each.fresh
            else f"version {layer_number(str(each.arn))} has the same bytes"
        )
    elif each.fresh:
        what, style, detail = "done", "bold green", f"version {layer_number(str(each.arn))}"
    else:
        what, style, detail = (
            "nothing",
            "dim",
            f"version {layer_number(str(each.arn))} has the same bytes",
        )
    if each.removed:
        detail += f"; removed {', '.join(map(str, each.removed))}"
    if each.kept:
        detail += f"; kept {', '.join(each.kept)}"
    to.print(
        Text.assemble(
            (f"{what:8}", style), f"{each.region}  ", (each.archive.layer, "bold"), f"  {detail}"
        ),
        soft_wrap=True,
    )
