"""Signatures of a release's list: ssh-keygen's, which needs no network and no package.

https://man.openbsd.org/ssh-keygen.1#ALLOWED_SIGNERS
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from fshield.errors import CouldNotRun

NAMESPACE = "function-shield-release"
SUFFIX = ".sig"
#: The signers of releases that this fshield knows.
SIGNERS = Path(__file__).resolve().parents[1] / "allowed_signers"
_TIMEOUT_S = 30


def verify(content: bytes, signature: Path, signers: Path) -> str:
    """Verify `content`. Returns the signer.

    Args:
        content: the bytes that were signed.
        signature: a file of ``ssh-keygen -Y sign``.
        signers: a file of allowed signers.

    Raises:
        CouldNotRun: none of them did, or that cannot be checked.
    """
    for path, fix in (
        (signature, "take it from the release, or --unsigned to compare the sums alone"),
        (signers, "--signers FILE names who may sign"),
    ):
        if not path.is_file():
            raise CouldNotRun(f"{path}: no such file", fix)
    if not _any_signer(signers):
        raise CouldNotRun(
            f"{signers} lists no signer",
            "--signers FILE with the release key's line, or --unsigned to compare the sums alone",
        )
    found = _ssh_keygen("find-principals", "-s", str(signature), "-f", str(signers), content=b"")
    names = found.stdout.decode("utf-8", "replace").split("\n")[0].strip()
    for name in names.split(","):
        options = ("-I", name, "-n", NAMESPACE, "-s", str(signature), "-f", str(signers))
        if name and _ssh_keygen("verify", *options, content=content).returncode == 0:
            return name
    raise CouldNotRun(
        f"{signature}: is not the signature of a signer in {signers} for this list",
        "do not install these files; take them from the release again",
    )


def sign(path: Path, key: Path) -> Path:
    """Sign the file at `path` with a private key, or with a public one whose agent signs. Raises
    CouldNotRun."""
    signature = path.with_name(path.name + SUFFIX)
    signature.unlink(missing_ok=True)
    done = _ssh_keygen("sign", "-f", str(key), "-n", NAMESPACE, str(path), content=b"")
    if done.returncode != 0 or not signature.is_file():
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CouldNotRun(f"{path} was not signed: {lines[-1] if lines else ''}", "look at the key")
    return signature


def _any_signer(signers: Path) -> bool:
    lines = signers.read_text("utf-8", "replace").splitlines()
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def _ssh_keygen(what: str, *options: str, content: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise CouldNotRun(
            "signatures are checked by ssh-keygen, which is not here", "install openssh-client"
        )
    return subprocess.run(
        [program, "-Y", what, *options],
        input=content,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
