"""What the tests of programs that speak DNS share: a separate network, and queries."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message

from tests.support import (
    LAUNCHER,
    PIPE_BYTES,
    UNGUARDED,
    Event,
    clean_environment,
    policy_file,
    rules,
    split_events,
)

NAMESERVER = Path(__file__).with_name("nameserver.py")
ENTRIES = [{"host": "api.allowed.example"}, {"host": "*.allowed.example"}]
ALLOWED_NAME = "api.allowed.example"
POLICY = rules({"mode": "block", "allow": ENTRIES})
REPORTS = rules({"mode": "alert", "allow": ENTRIES})


def namespaces() -> bool:
    return (
        subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False).returncode
        == 0
    )


@dataclass
class Run:
    """A program's output, and what its network saw."""

    returncode: int
    lines: list[str]
    stderr: str
    events: list[Event]
    asked: list[bytes]
    tcp: list[str]
    heard: list[str]

    @property
    def names(self) -> list[str]:
        """The names in the questions that the server got."""
        return [
            dns.message.from_wire(packet, ignore_trailing=True)
            .question[0]
            .name.to_text(omit_final_dot=True)
            for packet in self.asked
        ]

    @property
    def violations(self) -> list[Event]:
        return [event for event in self.events if event["event"] == "violation"]


Runner = Callable[..., Run]


def runner(folder: Path) -> Runner:
    """A function that runs a command in a separate network. `folder` is for its files."""

    def go(*command: str, policy: Any = POLICY, guarded: bool = True) -> Run:
        seen = folder / "seen.json"
        inside = [
            "unshare",
            "-rnm",
            sys.executable,
            str(NAMESERVER),
            str(seen),
            str(folder / "resolv.conf"),
            "--",
        ]
        launcher = [str(LAUNCHER)] if guarded and not UNGUARDED else []
        done = subprocess.run(
            [*inside, *launcher, *command],
            env=clean_environment(
                {"FUNCTION_SHIELD_POLICY": policy_file(policy), "AWS_LAMBDA_RUNTIME_API": ""}
            ),
            cwd=folder,
            capture_output=True,
            pipesize=PIPE_BYTES,
            text=True,
            timeout=60,
            check=False,
        )
        stderr, events = split_events(done.stderr)
        noted = json.loads(seen.read_text())
        asked = [bytes.fromhex(packet) for packet in noted["asked"]]
        return Run(
            done.returncode,
            done.stdout.splitlines(),
            stderr,
            events,
            asked,
            noted["tcp"],
            noted["heard"],
        )

    return go


def python(run: Runner, code: str, **options: Any) -> Run:
    return run(sys.executable, "-c", code, **options)


def packet(
    name: str,
    identity: int = 7,
    kind: int = 1,
    *,
    flags: int = 0x0100,
    more: bytes = b"",
    records: int = 0,
) -> bytes:
    """A DNS query."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        struct.pack(">6H", identity, flags, 1, 0, 0, records)
        + labels
        + b"\0"
        + struct.pack(">2H", kind, 1)
        + more
    )
