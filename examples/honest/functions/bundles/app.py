"""Packs texts as zip and as tar, and unpacks an uploaded archive."""

import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tagwright import tag


def handler(event, context):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, unpacked = folder / "source", folder / "unpacked"
        source.mkdir()
        unpacked.mkdir()
        for file, text in event["texts"].items():
            (source / file).write_text(text)
        with zipfile.ZipFile(shutil.make_archive(str(folder / "texts"), "zip", source)) as packed:
            packed.extractall(unpacked)
        with tarfile.open(shutil.make_archive(str(folder / "texts"), "gztar", source)) as packed:
            members = sorted(member.name for member in packed if member.isfile())
        found = {file.name: len(file.read_text()) for file in unpacked.iterdir()}
    return {"unpacked": dict(sorted(found.items())), "members": members, "tag": tag("bundle")}
