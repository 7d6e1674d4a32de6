"""Reads table.yaml: the clients, and the destinations that each of them can express."""

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
    """Where a client is sent, and the expected result.

    Args:
        words: what the client is told.
        allowed: whether the policy allows it.
        event: details of the event, if the destination is not allowed.
        reason: the reason that the event must have; "" for any.
        exists: whether a run without the guard gets an answer.
        proof: what the servers note when the request arrives.
        by: the proxy that the client uses.
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
        """What a client must support to reach this destination."""
        return _WORDS & set(self.words)


@dataclass(frozen=True)
class Client:
    """A program, the destinations that it is sent to, and its additional environment variables."""

    name: str
    program: Path
    destinations: tuple[Destination, ...]
    env: dict[str, str]

    @property
    def command(self) -> list[str]:
        """The command line."""
        runner = shutil.which("node") or "node" if self.program.suffix == ".js" else sys.executable
        return [runner, str(self.program)]


def filled(value: Any, token: str) -> Any:
    """Replace TOKEN in `value` by the token."""
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
