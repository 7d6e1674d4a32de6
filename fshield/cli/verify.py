"""``fshield verify``: checks that files and published layers are those of a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from fshield import aws_library, output
from fshield.cli import options
from fshield.errors import CouldNotRun
from fshield.release import lists, sums


@dataclass(frozen=True)
class _Checked:
    """One file or layer version.

    Args:
        name: the file, or the ARN.
        known_as: its name in the list; None if it is not listed.
        problem: what is wrong; None: nothing.
    """

    name: str
    sha256: str
    known_as: str | None
    problem: str | None

    def as_dict(self) -> dict[str, str | bool | None]:
        """For ``--json``."""
        return {**vars(self), "ok": self.problem is None}


def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Files of a release.", show_default=False),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            metavar="ARN",
            help="A layer version, by its CodeSha256. May be repeated.",
            show_default=False,
        ),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--sums",
            metavar="FILE",
            help="The release's list. Default: SHA256SUMS beside the first file, or here.",
            show_default=False,
        ),
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option(
            "--signers",
            metavar="FILE",
            help="Allowed signers, in ssh-keygen's format. Default: those that fshield knows.",
            show_default=False,
        ),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Accept a list without a signature.")
    ] = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.Endpoint = None,
    as_json: options.Json = False,
) -> None:
    """Check files, and layer versions on Lambda, against the signed list of a release."""
    with output.reporting(as_json):
        if not files and not layers:
            raise CouldNotRun("what is to be verified?", "name FILE, or --layer ARN")
        path = listed or (files[0].parent if files else Path()) / sums.NAME
        known, by = lists.read(path, lists.Trust(signers, unsigned))
        checked = [_file(each, known) for each in files or ()]
        if layers:
            aws_library.require("fshield verify --layer")
            from fshield.fleet import published  # noqa: PLC0415 - it imports boto3
            from fshield.fleet.request import Account  # noqa: PLC0415

            account = Account(region, profile, endpoint_url)
            checked += [_layer(arn, code, known) for arn, code in published.codes(account, layers)]
    good = all(each.problem is None for each in checked)
    if as_json:
        output.print_json(
            {
                "ok": good,
                "list": str(path),
                "signed_by": by,
                "checked": [each.as_dict() for each in checked],
            }
        )
    else:
        _print(checked, path, by)
    if not good:
        raise typer.Exit(output.FINDINGS)


def _file(path: Path, known: sums.Sums) -> _Checked:
    try:
        found = sums.digest(path.read_bytes())
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", "name a file of the release") from error
    expected = known.get(path.name)
    if expected is None:
        return _Checked(str(path), found, None, "is not on the list")
    problem = None if found == expected else "its bytes are not those of the release"
    return _Checked(str(path), found, path.name, problem)


def _layer(arn: str, code_sha256: str, known: sums.Sums) -> _Checked:
    found = sums.of_code(code_sha256)
    name = next((each for each, value in known.items() if value == found), None)
    return _Checked(arn, found, name, None if name else "its bytes are not on the list")


def _print(checked: list[_Checked], path: Path, by: str | None) -> None:
    to = output.console()
    for each in checked:
        word, style = ("wrong", "bold red") if each.problem else ("ok", "bold green")
        remark = each.problem or ("" if Path(each.name).name == each.known_as else each.known_as)
        line = Text.assemble((f"{word:6}", style), output.printable(each.name))
        to.print(line.append(f"  {remark}" if remark else ""), soft_wrap=True)
    who = f"signed by {by}" if by else "not signed, or not asked: the list alone was compared"
    to.print(Text(f"{path}: {who}", "dim"), soft_wrap=True)
