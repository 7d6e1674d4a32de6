"""Checks whether this machine has what an attack needs."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import support
from tests.attacks.building import LIB, compiler
from tests.attacks.corpus import Attack

SOCKETS = {
    "vsock": (socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    "alg": (socket.AF_ALG, socket.SOCK_SEQPACKET, 0),
    "mptcp": (socket.AF_INET, socket.SOCK_STREAM, 262),
}
# With -fstack-clash-protection, gcc writes this into a function with a large frame: sub $4096,
# %rsp; orq $0, (%rsp).
PROBE = bytes.fromhex("4881ec00100000 48830c2400")
SQLITE = {
    "sqlite_tokenizer": "c.execute('select fts3_tokenizer(?)', ['simple']).fetchone()",
    "sqlite_extensions": "c.enable_load_extension(True)",
}


@functools.cache
def _has(word: str, python: str) -> bool:
    match word:
        case "node" | "x86_64":
            return (
                shutil.which("node") is not None if word == "node" else os.uname().machine == word
            )
        case "gcc" | "static":
            return bool(compiler())
        # Always available in a namespace: an empty /run, and a second mount of /tmp or of a folder
        # below it.
        case (
            "root"
            | "own_run"
            | "log"
            | "log_file"
            | "mounted"
            | "mounted_folder"
            | "snapshot"
            | "listener"
            | "packages"
            | "metadata"
            | "record"
        ):
            return word != "root" or os.geteuid() == 0
        case "resolver" | "namespace":
            done = subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False)
            return done.returncode == 0
        case "one-filesystem":
            return Path("/tmp").stat().st_dev == support.ROOT.stat().st_dev
        case "locale" | "language":
            return Path("/usr/lib/locale/C.utf8").is_dir()
        case _ if word in PROBES:
            return PROBES[word]()
        case _ if word in SOCKETS:
            return _opens(*SOCKETS[word])
        case "io_uring":
            path = Path("/proc/sys/kernel/io_uring_disabled")
            return path.exists() and path.read_text().strip() == "0"
        case "unprobed":
            return PROBE not in Path(python).resolve().read_bytes()
        case _ if word in SQLITE:
            return _runs(python, SQLITE[word])
        case _ if word.startswith("module:"):
            done = subprocess.run(
                [python, "-c", f"import {word[7:]}"], capture_output=True, check=False
            )
            return done.returncode == 0
    return False


def _opens(*kind: int) -> bool:
    """Whether the kernel supports this kind of socket."""
    try:
        socket.socket(*kind).close()
    except OSError:
        return False
    return True


def _runs(python: str, code: str) -> bool:
    """Whether this Python's SQLite can run `code`, with a connection ``c``."""
    whole = f"import sqlite3; c = sqlite3.connect(':memory:'); {code}"
    return subprocess.run([python, "-c", whole], capture_output=True, check=False).returncode == 0


def _signals_as_libc() -> bool:
    """Whether Python can send a signal with the same system call as libc does."""
    linux = tuple(int(part) for part in os.uname().release.split(".")[:2])
    return glibc() < (2, 34) or linux >= (6, 9)


def _keeps_attributes() -> bool:
    """Whether a file in /tmp can have user extended attributes."""
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        try:
            os.setxattr(file.name, "user.loot", b"1")
            return "user.loot" in os.listxattr(file.name)
        except OSError:
            return False


def _asks_avahi() -> bool:
    """Whether libc asks Avahi for names below .local."""
    with contextlib.suppress(OSError):
        for line in Path("/etc/nsswitch.conf").read_text("utf-8").splitlines():
            if line.startswith("hosts:") and "mdns4_minimal" in line:
                return any(Path("/usr/lib").glob("**/libnss_mdns4_minimal.so.2"))
    return False


def _makes_devices() -> bool:
    """Whether a namespace can have a veth device."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import devices; sys.exit(devices.make() < 1)"
    )
    command = ["unshare", "-rnm", sys.executable, "-c", code, str(LIB)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _types() -> bool:
    """Whether the kernel lets a program push input into its terminal (TIOCSTI). Before Linux 6.2 it
    always does."""
    switch = Path("/proc/sys/dev/tty/legacy_tiocsti")
    return not switch.exists() or switch.read_text().strip() == "1"


PROBES = {
    "xattr": _keeps_attributes,
    "libc_signal": _signals_as_libc,
    "multicast": _asks_avahi,
    "typing": _types,
    "veth": _makes_devices,
}


@functools.cache
def version(python: Path) -> tuple[int, int, int]:
    out = subprocess.run(
        [python, "-I", "-c", "import sys; print(*sys.version_info[:3])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return int(out[0]), int(out[1]), int(out[2])


def glibc() -> tuple[int, int]:
    name = os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0.0"
    major, minor = name.split()[-1].split(".")[:2]
    return int(major), int(minor)


@functools.cache
def node() -> tuple[int, int]:
    found = shutil.which("node")
    if not found:
        return 0, 0
    major, minor = (
        subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        .stdout[1:]
        .split(".")[:2]
    )
    return int(major), int(minor)


def with_modules(attack: Attack, python: Path) -> Path:
    """This Python, or one of the same version that has the packages which the attack needs."""
    modules = [word for word in attack.needs if word.startswith("module:")]
    if all(_has(word, str(python)) for word in modules) or not support.PACKAGES.exists():
        return python
    return support.PACKAGES if version(support.PACKAGES)[:2] == version(python)[:2] else python


def missing(attack: Attack, python: Path) -> str:
    """The first thing that this attack needs and this machine lacks; "" if it can run."""
    needs, python = set(attack.needs), with_modules(attack, python)
    if attack.language == "js":
        needs.add("node")
    if attack.language == "c":
        needs.add("gcc")
    for word in sorted(needs):
        found = re.fullmatch(r"(python|glibc|node)(>=|<)(\d+)\.(\d+)(?:\.(\d+))?", word)
        if found:
            have: tuple[int, ...] = (
                version(python)
                if found[1] == "python"
                else glibc()
                if found[1] == "glibc"
                else node()
            )
            wanted = tuple(int(part) for part in found.groups()[2:] if part)
            if (have >= wanted) != (found[2] == ">="):
                return word
        elif not _has(word, str(python)):
            return word
    return ""
