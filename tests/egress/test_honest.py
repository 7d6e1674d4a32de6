"""Honest clients (honest.yaml) get the same answers as without the guard, and cause no event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import support
from tests.egress import places
from tests.egress.network import Done, Network
from tests.egress.roads.table import HERE, interpreted, runners

TABLE = yaml.safe_load((HERE.parent / "honest.yaml").read_text())
_LANGUAGES = ("python", "node", "command")


def command(row: dict[str, Any], authority: Path) -> list[str]:
    if "command" in row:
        return [str(authority) if part == "CA" else part for part in row["command"]]
    language = "python" if "python" in row else "node"
    return interpreted(language, runners()[language][0].program, row[language])


def run(network: Network, name: str, mode: str | None) -> Done:
    row = TABLE["clients"][name]
    policy = support.rules({"mode": mode, "allow": TABLE["policy"]}) if mode else None
    authority = str(network.authority)
    env = {
        "PYTHONPATH": str(support.ROOT),
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        "NODE_EXTRA_CA_CERTS": authority,
        "ROAD_PLACES": " ".join(
            (places.API, places.PLAIN, places.WRONG, places.RESOLVER, places.PROXY_NAME)
        ),
        **row.get("env", {}),
    }
    return network.run(command(row, network.authority), policy=policy, env=env, stdin="")


@pytest.mark.parametrize("name", TABLE["clients"], ids=lambda name: name.replace(" ", "_"))
def test_an_honest_client(network: Network, name: str) -> None:
    bare = run(network, name, None)
    assert bare.result.returncode == 0 and bare.result.stdout, bare
    for mode in ("block", "alert"):
        done = run(network, name, mode)
        assert (done.result.returncode, done.result.stdout, done.result.violations) == (
            0,
            bare.result.stdout,
            [],
        ), f"{mode}: {done.result}"


def test_the_connection_of_a_challenge_is_kept(network: Network) -> None:
    """Otherwise the test of a second CONNECT would test nothing."""
    (first, second) = run(network, "curl by a proxy that challenges", "block").arrived.of("proxy")
    assert first["target"] == second["target"] == f"{places.API}:443"
    assert first["peer"] == second["peer"]
