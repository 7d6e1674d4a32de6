"""Packs a folder of policies into a layer of its own. The same policies always give the same
bytes."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from fshield.engine.compiler import compile_policy
from fshield.engine.floor import beside, narrowed
from fshield.engine.policy_tests import refuse_failures
from fshield.errors import CouldNotRun, Finding
from fshield.language.loader import load
from fshield.language.review import findings

FOLDER = "function-shield.d/policies"
# The names that Lambda permits for a function. A policy is chosen by the function's name.
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
# The earliest date that a zip file can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def package(folder: Path) -> tuple[bytes, list[str], list[Finding]]:
    """The zip of a policy layer with every ``*.yaml`` of `folder`.

    Returns:
        the zip, the names of the policies in it, and the warnings and notes about them.

    Raises:
        CouldNotRun: there is no policy, or one whose name cannot be used.
        PolicyError: one of them is wrong, or fails a test of its own.
    """
    files = policy_files(folder)
    collected: list[Finding] = []
    compiled: dict[str, bytes] = {}
    for path in files:
        policy, floor = load(path), beside(path)
        refuse_failures(policy, floor)
        collected += [*findings(policy), *(narrowed(policy, floor) if floor else ())]
        compiled[path.stem] = compile_policy(policy)
    return (
        zip_files({f"{FOLDER}/{name}.policy": content for name, content in compiled.items()}),
        list(compiled),
        collected,
    )


def policy_files(folder: Path) -> list[Path]:
    """The policies in `folder`, by name. Raises CouldNotRun."""
    if not folder.is_dir():
        raise CouldNotRun(
            f"{folder}: is not a folder", "name a folder with policies in it (*.yaml)"
        )
    files = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")), key=lambda path: path.name)
    if not files:
        raise CouldNotRun(f"{folder}: no *.yaml in it", "name a folder with policies in it")
    seen: dict[str, Path] = {}
    for path in files:
        if not _NAME.match(path.stem):
            raise CouldNotRun(
                f"{path}: a policy is chosen by this name, and {path.stem!r} cannot be one",
                "letters, digits, `-` and `_`, at most 64, as functions are named",
            )
        if path.stem in seen:
            raise CouldNotRun(
                f"{path}: {seen[path.stem].name} is a policy of the same name",
                "rename one of the two",
            )
        seen[path.stem] = path
    return files


def zip_files(contents: dict[str, bytes]) -> bytes:
    """A zip that depends on nothing but `contents`: no clock, no owner, no compressor."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # always Unix, so that the mode below is used
            info.external_attr = (0o100644) << 16
            archive.writestr(info, contents[name])
    return buffer.getvalue()
