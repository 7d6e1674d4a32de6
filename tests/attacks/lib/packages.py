"""Installs packages for attacks on `only_for`: stripe requires requests, and requests requires
urllib3.

The attack itself is part of tintbox, which no package requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

URLLIB3 = """
import socket


dialled = []


def dial(address, *options):
    with socket.create_connection(address, 5) as connection:
        dialled.append(address)
        connection.sendall(b"hello")
    return True
"""

REQUESTS = """
import urllib3


def get(address):
    return urllib3.dial(address)


async def fetch(address):
    import asyncio

    _, writer = await asyncio.open_connection(*address)
    writer.close()
    return True
"""

# A module of tintbox, in a folder named like one of the standard library's.
INNER_PLACE = "lib/python3.0/inner.py"
INNER = """
import urllib3


def drive(address):
    return urllib3.dial(address)
"""

STRIPE = '''
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

pool = ThreadPoolExecutor(1)
hooks = []
kept = None
home = "127.0.0.1", 9


def work():
    """What the function wants of this package: to reach its own host, where nobody listens."""
    if kept:
        load(kept)
    for hook in hooks:
        hook()
    try:
        return charge(home)
    except OSError:
        return False


def charge(address):
    return requests.get(address)


async def acharge(address):
    return await requests.fetch(address)


def load(path):
    """What it keeps in a file, if anything."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def call(function, *arguments):
    """A callback of the caller's."""
    return function(*arguments)


def warm():
    """Starts the pool's thread."""
    return pool.submit(threading.get_ident).result()


def in_thread(function, *arguments):
    done = []
    thread = threading.Thread(target=lambda: done.append(function(*arguments)))
    thread.start()
    thread.join()
    return done[0] if done else False
'''


def install(root: Path, name: str, files: Mapping[str, str], requires: Iterable[str] = ()) -> None:
    """Write what pip would write: the files, METADATA and RECORD."""
    info = root / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}\nText.\n"
    )
    for file, text in files.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text)
    record = "".join(f"{file},,\n" for file in (*files, f"{info.name}/RECORD"))
    (info / "RECORD").write_text(record)


def install_all(root: Path) -> None:
    """Install the honest packages."""
    install(root, "urllib3", {"urllib3/__init__.py": URLLIB3})
    install(
        root,
        "requests",
        {"requests/__init__.py": REQUESTS},
        ["urllib3<3,>=1.21", "PySocks!=1.5.7 ; extra == 'socks'"],
    )
    install(root, "stripe", {"stripe/__init__.py": STRIPE}, ["requests>=2.20; python_version>'3'"])


def claim(root: Path, name: str, requires: str, files: Iterable[str] = ()) -> None:
    """Write metadata that lists `files` as those of another package, as a wheel can. If several
    claim a name, the order of the folder decides which is read. It therefore writes so many that
    one of its own comes first.
    """
    for number in range(200):
        info = root / f"{name}-0.{number}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\nRequires-Dist: {requires}\n"
            "Requires-Dist: requests\n"
        )
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
