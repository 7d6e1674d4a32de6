"""AWS's own library, which only the commands that talk to AWS need: the extra ``fshield[aws]``."""

from __future__ import annotations

import importlib.util

from fshield.errors import CouldNotRun

_FIX = "pip install boto3 beside fshield, or install fshield's wheel with its extra: FILE.whl[aws]"


def require(what: str) -> None:
    """Fail with a fix if boto3 is missing, which `what` needs.

    Raises:
        CouldNotRun: it is missing.
    """
    if importlib.util.find_spec("boto3") is None:
        raise CouldNotRun(f"{what} needs boto3, which the extra fshield[aws] installs", _FIX)
