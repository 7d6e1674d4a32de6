"""The table of roads (roads.yaml). Without the guard every road works, and under it none does. In a
dry run each works and makes its event.

The servers and the name server say what arrived, except where the server is the road's own.
FSHIELD_ROADS=all takes the roads with every CPython and Node.js of this machine.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import support
from tests.egress import places
from tests.egress.network import Done, Network
from tests.egress.roads import table
from tests.egress.roads.table import Road, Runner

EACH = pytest.mark.parametrize(
    ("road", "runner"),
    [
        pytest.param(road, runner, id=f"{runner.name}-{road.kind}-{road.name}".replace(" ", "_"))
        for road, runner in table.cases()
    ],
)
#: Attempts for a road that must win a race, where it can be won.
TRIES = 3
#: How long to try a race, in seconds, where it can be won and where it cannot.
SECONDS = {None: "90", "alert": "90", "block": "2" if table.ALL else "1"}
OWN_RUN = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh")
PLACES = (places.API, places.PLAIN, places.WRONG, places.RESOLVER, places.PROXY_NAME)


class Roads:
    """Takes roads. Each one runs without the guard only once."""

    def __init__(self, network: Network, folder: Path) -> None:
        self._network, self._folder = network, folder
        self._bare: dict[tuple[str, str, Runner], Done] = {}

    def bare(self, road: Road, runner: Runner) -> Done:
        key = (road.kind, road.name, runner)
        if key not in self._bare:
            for _ in range(TRIES if road.rare else 1):
                self._bare[key] = self.take(road, runner, None)
                if works(road, self._bare[key]):
                    break
        return self._bare[key]

    def take(self, road: Road, runner: Runner, mode: str | None) -> Done:
        policy = support.rules({"mode": mode, "allow": list(road.allow)}) if mode else None
        env = {
            "PYTHONPATH": str(support.ROOT),
            "SSL_CERT_FILE": str(self._network.authority),
            "NODE_EXTRA_CA_CERTS": str(self._network.authority),
            "ROAD_PLACES": " ".join(PLACES),
            "ROAD_SECONDS": SECONDS[mode],
            **road.env,
        }
        return self._network.run(
            table.command(road, runner),
            policy=policy,
            env=env,
            stdin="",
            timeout=180,
            cwd=self._folder,
            within=OWN_RUN if road.own_run else (),
        )


@pytest.fixture(scope="module")
def roads(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Roads:
    return Roads(network, tmp_path_factory.mktemp("roads"))


def works(road: Road, done: Done) -> bool:
    """Whether the road worked, by what arrived."""
    connections = done.arrived.of("connection")
    match road.arrives:
        case "said":
            return any(note["bytes"] for note in connections)
        case "wrong":
            return any(note["bytes"] and note["address"] == places.WRONG for note in connections)
        case "thief":
            # As text, or as the labels of a question in a datagram.
            labels = json.dumps("\5token\5thief").strip('"')
            return any(map(done.arrived.holding, (f"token.{places.THIEF}", labels)))
        case "asked":
            return any(note["method"] for note in done.arrived.of("proxy"))
        case "heard":
            return "HEARD" in done.result.stdout.splitlines()
        case "done":
            return "done" in done.result.stdout.splitlines()


def named(road: Road, done: Done, mode: str) -> bool:
    """Whether an event of the run is about the road, or about the server that it leads to."""
    return any(
        event["mode"] == mode
        and (
            (road.event.items() <= event["details"].items() and road.message in event["message"])
            or (road.arrives == "wrong" and event["details"].get("ip") == places.WRONG)
        )
        for event in done.result.of("outbound_connectivity")
    )


def shown(done: Done) -> list[tuple[str, str, dict[str, object]]]:
    """The run's events, as the message of a failing test."""
    return [(event["mode"], event["message"], event["details"]) for event in done.result.violations]


@EACH
def test_bare_it_works(road: Road, runner: Runner, roads: Roads) -> None:
    done = roads.bare(road, runner)
    assert works(road, done), (done.result, done.arrived)


@EACH
def test_guarded_it_does_not(road: Road, runner: Runner, roads: Roads) -> None:
    done = roads.take(road, runner, "block")
    assert works(road, done) == bool(road.open), (done.result, done.arrived)
    assert road.quiet or road.open or named(road, done, "block"), shown(done)
    assert {mode for mode, _, _ in shown(done)} <= {"block"}


@EACH
def test_a_dry_run_names_it_and_changes_nothing(road: Road, runner: Runner, roads: Roads) -> None:
    bare = roads.bare(road, runner)
    for _ in range(TRIES if road.rare else 1):
        done = roads.take(road, runner, "alert")
        if done.result.stdout == bare.result.stdout:
            break
    assert works(road, done), (done.result, done.arrived)
    assert (done.result.returncode, done.result.stdout) == (
        bare.result.returncode,
        bare.result.stdout,
    ), done.result
    assert road.open or named(road, done, "alert"), shown(done)
    assert {mode for mode, _, _ in shown(done)} <= {"alert"}
