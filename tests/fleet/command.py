"""Runs fshield as people do: in its own process."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from typing import Any

from tests import forked
from tests.fleet.stand_in import KEYS, REGION, StandIn


@dataclass
class Ran:
    """The result of a run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """An environment without this machine's AWS configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nothing = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    return {**kept, **nothing, "AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": "80", **more}


def arguments(stand_in: StandIn, *words: str) -> list[str]:
    """The arguments that point fshield at the stand-in."""
    region = [] if "--region" in words else ["--region", REGION]
    return [*words, *region, "--endpoint-url", stand_in.url]


def fshield(stand_in: StandIn, *words: str, keys: bool = True) -> Ran:
    """Run fshield against the stand-in, and wait for it to end."""
    ran = forked.fshield(*arguments(stand_in, *words), env=environment(**(KEYS if keys else {})))
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def interrupted(stand_in: StandIn, *words: str, after: int) -> Ran:
    """Run fshield, and send it one SIGINT after it has changed `after` functions."""
    start = stand_in.operations["UpdateFunctionConfiguration"]
    process = forked.start(*arguments(stand_in, *words), env=environment(**KEYS))
    over = time.monotonic() + 120
    while stand_in.operations["UpdateFunctionConfiguration"] < start + after:
        assert process.poll() is None, process.communicate(10)
        assert time.monotonic() < over
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(120)
    assert process.returncode is not None
    return Ran(process.returncode, out, err)
