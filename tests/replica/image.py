"""Makes the stand-in's image: AWS's own Python image if it can be pulled, otherwise a similar one
made from Debian.

``python -m tests.replica.image`` prints the image's name. The Debian image has the relevant parts
of AWS's: the entry point that starts the emulator, ``/var/runtime`` with the runtime client and a
bootstrap that honours the exec wrapper, ``/var/lang/bin/python3``, ``/var/task``, ``/opt``, and the
sandbox's user. It is made once and kept in the cache.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fshield.errors import CouldNotRun
from fshield.local import sandbox
from fshield.local.cache import cache_folder
from fshield.local.components import emulator, runtime_client
from fshield.local.container import DEFAULT_IMAGE, connect
from fshield.local.progress import waiting_for

SUITE, VERSION = "trixie", (3, 13)
PACKAGES = ("python3", "ca-certificates")
NAME = "function-shield-replica"
_DEBOOTSTRAP_S = 900
# Large parts that the image does not need.
_LEFT_OUT = (
    "./dev/",
    "./proc/",
    "./sys/",
    "./var/cache/apt/",
    "./var/lib/apt/lists/",
    "./usr/share/doc/",
    "./usr/share/man/",
    "./usr/share/locale/",
    "./usr/share/i18n/",
    "./var/log/",
    "./tmp/",
    "./debootstrap/",
)

BOOTSTRAP = """#!/bin/bash
# As Lambda's: the runtime, or the exec wrapper with the runtime as its arguments.
export AWS_EXECUTION_ENV=AWS_Lambda_python{0}.{1}
export _HANDLER="${{_HANDLER:-$1}}"
unset HOME
if [ -z "$AWS_LAMBDA_EXEC_WRAPPER" ]; then
    exec -- /var/lang/bin/python{0}.{1} /var/runtime/bootstrap.py
fi
exec -- "$AWS_LAMBDA_EXEC_WRAPPER" /var/lang/bin/python{0}.{1} /var/runtime/bootstrap.py
"""
ENTRY = """#!/bin/sh
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap "$@"
"""
CHANGES = (
    'ENTRYPOINT ["/lambda-entrypoint.sh"]',
    "WORKDIR /var/task",
    (
        "ENV LANG=en_US.UTF-8 TZ=:/etc/localtime LAMBDA_TASK_ROOT=/var/task"
        " LAMBDA_RUNTIME_DIR=/var/runtime PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin"
        " LD_LIBRARY_PATH=/var/lang/lib:/var/runtime:/opt/lib"
    ),
)


def replica_image() -> str:
    """The name of the image, which Docker then has.

    Raises:
        CouldNotRun: Docker, debootstrap or the network is missing.
    """
    client = connect()
    try:
        return _pulled(client) or _made(client)
    finally:
        client.close()


def debian_image() -> str:
    """The name of the image made from Debian. This machine's programs run in it, and its libraries
    are known.

    Raises:
        CouldNotRun: Docker, debootstrap or the network is missing.
    """
    client = connect()
    try:
        return _made(client)
    finally:
        client.close()


def _pulled(client: Any) -> str | None:
    """AWS's own image, if Docker has it or can pull it at the first attempt."""
    if client.images.list(name=DEFAULT_IMAGE):
        return DEFAULT_IMAGE
    try:
        # Other images are pulled only from a registry that answers at once, because the daemon
        # waits long for one that does not.
        client.api.timeout = 10
        client.images.get_registry_data(DEFAULT_IMAGE)
        client.api.timeout = 600
        with waiting_for(f"pulling {DEFAULT_IMAGE}"):
            client.images.pull(DEFAULT_IMAGE)
    except Exception:
        # Whatever the error (no registry, no name, a timeout), there is another way.
        return None
    return DEFAULT_IMAGE


def _made(client: Any) -> str:
    # The same pinned downloads that local runs use.
    python = Path(shutil.which(f"python{VERSION[0]}.{VERSION[1]}") or sys.executable)
    runtime, rie = runtime_client(python, VERSION), emulator()
    base = debian(SUITE, PACKAGES)
    digest = hashlib.sha256()
    for part in (Path(__file__).read_text("utf-8"), runtime.name, rie.name, base.name):
        digest.update(part.encode() + b"\0")
    name = f"{NAME}:{digest.hexdigest()[:12]}"
    if client.images.list(name=name):
        return name
    with (
        waiting_for(f"making the image {name}"),
        tempfile.TemporaryDirectory(dir=base.parent) as scratch,
    ):
        tarball = Path(scratch) / "image.tar"
        with tarfile.open(tarball, "w") as archive:
            _add_lambda(archive, runtime, rie)
            _add_rest(archive, base)
        client.api.timeout = 600
        client.api.import_image(
            src=str(tarball), repository=NAME, tag=name.partition(":")[2], changes=list(CHANGES)
        )
    return name


def _add_rest(archive: tarfile.TarFile, base: Path) -> None:
    """Add everything of `base` that `archive` does not have in another version. Docker accepts each
    path only once."""
    have = {name.removeprefix("./") for name in archive.getnames()}
    with tarfile.open(base) as source:
        for member in source:
            if member.name.removeprefix("./") not in have:
                archive.addfile(member, source.extractfile(member) if member.isreg() else None)


def _add_lambda(archive: tarfile.TarFile, runtime: Path, rie: Path) -> None:
    for folder in ("var/task", "opt", "var/lang/bin", "tmp", "dev", "proc", "sys"):
        _add(archive, folder, kind=tarfile.DIRTYPE)
    for name in ("python3", f"python{VERSION[0]}.{VERSION[1]}"):
        _add(
            archive,
            f"var/lang/bin/{name}",
            kind=tarfile.SYMTYPE,
            target=f"/usr/bin/python{VERSION[0]}.{VERSION[1]}",
        )
    archive.add(runtime, "var/runtime", filter=_of_root)
    _add(archive, "var/runtime/bootstrap", BOOTSTRAP.format(*VERSION).encode())
    _add(archive, "lambda-entrypoint.sh", ENTRY.encode())
    archive.add(rie, "usr/local/bin/aws-lambda-rie", filter=_of_root)
    user = f"sbx_user1051:x:{sandbox.UID}:{sandbox.GID}::/home/sbx_user1051:/sbin/nologin\n"
    _add(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n" + user.encode(), mode=0o644)


def _add(
    archive: tarfile.TarFile,
    name: str,
    content: bytes = b"",
    *,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
    mode: int = 0o755,
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.linkname = kind, mode, len(content), target
    archive.addfile(member, io.BytesIO(content))


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode |= 0o444 | (0o111 if member.isdir() else 0)
    return member


def debian(suite: str, packages: Sequence[str]) -> Path:
    """A tarball of a small Debian with `packages`. It is made on first use.

    Raises:
        CouldNotRun: debootstrap or the network is missing.
    """
    architecture = os.uname().machine
    path = cache_folder("replica") / f"debian-{suite}-{architecture}-{'-'.join(packages)}.tar"
    if path.is_file():
        return path
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise CouldNotRun(
            "making an image of Debian needs debootstrap and root",
            "apt-get install debootstrap, and run this once as root",
        )
    with (
        waiting_for("making a Debian by debootstrap (a minute or three)"),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".debootstrap-") as scratch,
    ):
        root = Path(scratch) / "root"
        done = subprocess.run(
            [
                "debootstrap",
                "--variant=minbase",
                f"--include={','.join(packages)}",
                suite,
                str(root),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DEBOOTSTRAP_S,
            check=False,
        )
        if done.returncode != 0:
            words = done.stdout.strip().splitlines() or ["it said nothing"]
            raise CouldNotRun(
                f"debootstrap failed: {words[-1]}", "see whether the Debian mirror can be reached"
            )
        pack(root, path)
    return path


def pack(root: Path, path: Path) -> None:
    """Pack the folder of a root file system into a tarball at `path`, which appears whole or not at
    all."""
    partial = path.with_suffix(f".{os.getpid()}")

    def wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if f"{member.name}/".startswith(_LEFT_OUT) else member

    with tarfile.open(partial, "w") as archive:
        archive.add(root, ".", filter=wanted)
    partial.replace(path)


if __name__ == "__main__":
    print(replica_image())
