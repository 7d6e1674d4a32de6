"""Where events lie: files, folders, patterns of names, S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

from fshield import aws_library
from fshield.errors import CouldNotRun, shown
from fshield.evidence.cloudwatch import Connection, said_by
from fshield.files import scratch
from fshield.language.aws import region_asked

_S3 = "s3://"
_PATTERN = frozenset("*?[")


def is_place(name: str) -> bool:
    """Whether `name` is more than one file: a folder, a pattern, or of S3."""
    if name.startswith(_S3):
        return True
    return Path(name).is_dir() or (bool(_PATTERN & set(name)) and not Path(name).exists())


def local(name: str) -> list[str]:
    """The files of a folder (all below it), of a pattern, or of a name, in the order of their
    names.

    Raises:
        CouldNotRun: there are none.
    """
    if not is_place(name):
        return [name]
    path = Path(name)
    if path.is_dir():
        found = sorted(str(each) for each in path.rglob("*") if _is_log(each, path))
    else:
        matching = glob(name, recursive=True)  # noqa: PTH207 - a pattern may be absolute
        found = sorted(each for each in matching if Path(each).is_file())
    if not found:
        raise CouldNotRun(f"{shown(name)}: no file is there", "name files of events, or a folder")
    return found


def _is_log(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden


@contextmanager
def at_hand(names: list[str], connection: Connection) -> Iterator[dict[str, str]]:
    """Files for all of `names`, in order, with what each is known by later. What is in S3 is
    fetched into a folder that is gone afterwards.

    Raises:
        CouldNotRun: something is not there, or AWS says no.
    """
    with scratch() as folder:
        files: dict[str, str] = {}
        for number, name in enumerate(names):
            if name.startswith(_S3):
                files |= _fetched(name, Path(folder, str(number)), connection)
            else:
                files |= {each: str(Path(each).resolve()) for each in local(name)}
        yield files


def _fetched(name: str, folder: Path, connection: Connection) -> dict[str, str]:
    """The objects below an ``s3://BUCKET/PREFIX``, as files in the order of their keys."""
    aws_library.require("reading S3")
    import boto3  # noqa: PLC0415 - half a second that commands without S3 do without

    bucket, _, prefix = name.removeprefix(_S3).partition("/")
    folder.mkdir()
    files: dict[str, str] = {}
    with said_by("S3"):
        session = boto3.Session(
            profile_name=connection.profile, region_name=region_asked(connection.region)
        )
        client: Any = session.client("s3", endpoint_url=connection.endpoint_url)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for found in (each for page in pages for each in page.get("Contents", ())):
            if found["Size"]:
                path = folder / f"{len(files):08}"
                client.download_file(bucket, found["Key"], str(path))
                changed = found["LastModified"].timestamp()
                os.utime(path, (changed, changed))
                files[str(path)] = f"{_S3}{bucket}/{found['Key']}"
    if not files:
        raise CouldNotRun(f"{shown(name)}: no object is there", "name s3://BUCKET/PREFIX")
    return files
