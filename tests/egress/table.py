"""Reads table.yaml: the clients, and which destinations each of them has words for."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.egress.places import PROXY_PORT

HERE = Path(__file__).resolve().parent
POLICY = HERE / "policy.yaml"
_WORDS = {
    "url",
    "host",
    "server_name",
    "bucket",
    "target",
    "lookup",
    "resolve",
    "resolver",
    "datagram",
    "follow",
}
_EXPECTED = {"allowed", "event", "reason", "exists", "proof", "by"}


@dataclass(frozen=True)
class Destination:
    """Where a client is sent, and what must come of it.

    Args:
        words: what the client is told.
        allowed: by the policy.
        event: details that the event has, where it is not allowed.
        reason: and its reason, where it must be this one.
        exists: a bare run gets an answer.
        proof: what the servers have seen where it arrived.
        by: the proxy that the client goes by.
    """

    name: str
    words: dict[str, Any]
    allowed: bool
    event: dict[str, Any]
    reason: str | None
    exists: bool
    proof: str
    by: str | None

    @property
    def needs(self) -> set[str]:
        """What a client must speak."""
        return _WORDS & set(self.words)


@dataclass(frozen=True)
class Client:
    """A program, the destinations that it is sent to, and its part of the environment."""

    name: str
    program: Path
    destinations: tuple[Destination, ...]
    env: dict[str, str]

    @property
    def command(self) -> list[str]:
        """How it starts."""
        runner = shutil.which("node") or "node" if self.program.suffix == ".js" else sys.executable
        return [runner, str(self.program)]


def filled(value: Any, token: str) -> Any:
    """`value` with the token where the table says TOKEN."""
    return json.loads(json.dumps(value).replace("TOKEN", token))


def _destination(name: str, row: dict[str, Any]) -> Destination:
    return Destination(
        name=name,
        words={key: value for key, value in row.items() if key not in _EXPECTED},
        allowed=row.get("allowed", False),
        event=row.get("event", {}),
        reason=row.get("reason"),
        exists=row.get("exists", True),
        proof=row.get("proof", "TOKEN"),
        by=row.get("by"),
    )


def _proxied(host: str) -> dict[str, str]:
    url = f"http://{host}:{PROXY_PORT}"
    return {"HTTPS_PROXY": url, "https_proxy": url, "HTTP_PROXY": url, "http_proxy": url}


def read() -> list[Client]:
    """All clients of the table."""
    table = yaml.safe_load((HERE / "table.yaml").read_text())
    destinations = [_destination(name, row) for name, row in table["destinations"].items()]
    return [
        Client(
            name,
            HERE / "clients" / row["program"],
            tuple(
                one
                for one in destinations
                if one.needs <= set(row["speaks"]) and one.by == row.get("by")
            ),
            _proxied(row["by"]) if "by" in row else {},
        )
        for name, row in table["clients"].items()
    ]
