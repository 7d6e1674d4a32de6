"""Real clients against real servers. What the policy allows works as it does without the guard. Of
everything else, nothing arrives.

The servers and the resolver say what arrived, not the client.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests import support
from tests.egress import places
from tests.egress.network import Arrived, Network
from tests.egress.table import POLICY, Client, Destination, filled, read

CLIENTS = {client.name: client for client in read()}


def cases(*wanted: bool) -> pytest.MarkDecorator:
    """Each client with each of its destinations, allowed or not."""
    found = [
        (client, one)
        for client in CLIENTS.values()
        for one in client.destinations
        if one.allowed in wanted
    ]
    names = [f"{client.name}-{one.name}" for client, one in found]
    return pytest.mark.parametrize(("client", "destination"), found, ids=names)


EACH = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
RULE = "outbound_connectivity"
#: What may arrive in a guarded run, and nothing else.
NAMES = {places.API, places.PLAIN, f"{places.BUCKET}.{places.SUFFIX}", places.PROXY_NAME}
#: The requests that the proxy may get. A request for a path at the plain name also goes through the
#: proxy.
TARGETS = {f"{name}:443" for name in NAMES - {places.PROXY_NAME}}
ENDS = {(places.SHARED, 443), (places.SHARED6, 443), (places.S3, 443), (places.SHARED, 80)}


@dataclass
class Run:
    """One client's run over all of its destinations."""

    mode: str
    client: str
    results: dict[str, dict[str, Any]]
    guarded: support.Guarded
    arrived: Arrived

    def token(self, destination: Destination) -> str:
        return token(self.client, self.mode, destination.name)

    def proof(self, destination: Destination) -> list[str]:
        """The notes that prove this destination was reached."""
        return self.arrived.holding(filled(destination.proof, self.token(destination)))

    def result(self, destination: Destination) -> dict[str, Any]:
        """What the client got, with this run's token replaced by TOKEN."""
        text = json.dumps(self.results[destination.name])
        found: dict[str, Any] = json.loads(text.replace(self.token(destination), "TOKEN"))
        return found

    def events(self, destination: Destination) -> list[support.Event]:
        """The events about this destination."""
        wanted = filled(destination.event, self.token(destination))
        return [
            event
            for event in self.guarded.of(RULE)
            if wanted.items() <= event["details"].items()
            and destination.reason in (None, event["reason"])
        ]


def token(*parts: str) -> str:
    """A word that occurs nowhere else."""
    return "t" + hashlib.sha256("/".join(parts).encode()).hexdigest()[:12]


def details(run: Run) -> list[tuple[str, dict[str, Any]]]:
    """The run's events, as the message of a failing test."""
    return [(event["reason"], event["details"]) for event in run.guarded.of(RULE)]


def document(mode: str) -> str | None:
    """The policy for a run."""
    if mode in {"bare", "monitor"}:
        return None if mode == "bare" else mode
    policy = yaml.safe_load(POLICY.read_text())
    if mode == "alert":
        policy["policy"][RULE]["mode"] = "alert"
    return yaml.safe_dump(policy, sort_keys=False)


class Runs:
    """Runs each client when its run is first needed."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._made: dict[tuple[str, str], Run] = {}

    def of(self, client: Client, mode: str) -> Run:
        """This client's run: without the guard, in block or alert mode, or under the posture
        monitor. With `allowed`: block mode, allowed destinations only."""
        key = (client.name, mode)
        if key not in self._made:
            self._made[key] = self._run(client, mode)
        return self._made[key]

    def _run(self, client: Client, mode: str) -> Run:
        sent = {
            one.name: filled(one.words, token(client.name, mode, one.name))
            for one in client.destinations
            if one.allowed or mode != "allowed"
        }
        authority = str(self._network.authority)
        env = {
            "SSL_CERT_FILE": authority,
            "REQUESTS_CA_BUNDLE": authority,
            "AWS_CA_BUNDLE": authority,
            "NODE_EXTRA_CA_CERTS": authority,
            "AWS_REGION": places.REGION,
            "AWS_DEFAULT_REGION": places.REGION,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_XRAY_DAEMON_ADDRESS": f"{places.XRAY}:{places.XRAY_PORT}",
            **client.env,
        }
        done = self._network.run(
            client.command, policy=document(mode), env=env, stdin=json.dumps(sent)
        )
        assert done.result.returncode == 0, done.result.stderr
        return Run(mode, client.name, json.loads(done.result.stdout), done.result, done.arrived)


@pytest.fixture(scope="session")
def runs(network: Network) -> Runs:
    return Runs(network)


@cases(True, False)
def test_bare_it_arrives(client: Client, destination: Destination, runs: Runs) -> None:
    """Without this, the tests below could not fail."""
    run = runs.of(client, "bare")
    assert ("ok" in run.result(destination)) == destination.exists, run.result(destination)
    if "times" in destination.words:
        # The server numbers the requests of a connection: request 2 shows that the connection was
        # kept.
        assert len(set(run.result(destination)["ok"])) == destination.words["times"]
    if "lookup" not in destination.words and not (
        destination.allowed and "resolve" in destination.words
    ):
        assert run.proof(destination)


@cases(True)
def test_what_is_allowed_works(client: Client, destination: Destination, runs: Runs) -> None:
    result = runs.of(client, "block").result(destination)
    assert result == runs.of(client, "bare").result(destination), details(runs.of(client, "block"))


@cases(False)
def test_the_rest_does_not_arrive(client: Client, destination: Destination, runs: Runs) -> None:
    run = runs.of(client, "block")
    assert "error" in run.result(destination)
    assert run.proof(destination) == []
    assert {event["mode"] for event in run.events(destination)} == {"block"}, details(run)


@EACH
def test_nothing_else_arrives(client: Client, runs: Runs) -> None:
    """Checked against what every server and the resolver saw during the whole run."""
    arrived = runs.of(client, "block").arrived
    assert set(arrived.queries) <= NAMES
    assert {note["server_name"] for note in arrived.of("hello")} <= NAMES
    assert {note["host"] for note in arrived.of("request")} <= NAMES
    assert {(note["address"], note["port"]) for note in arrived.of("connection")} <= ENDS
    assert {note["port"] for note in arrived.of("datagram")} <= {places.XRAY_PORT}
    assert {note["address"] for note in arrived.of("proxy")} <= {places.PROXY}
    for note in arrived.of("proxy"):
        # None is a connection that carried no bytes.
        target = note["target"]
        assert target is None or target in TARGETS or urlsplit(target).hostname == places.PLAIN, (
            note
        )
    # A connection that was cut carried no bytes. What did arrive is TLS on 443 and a request on 80.
    for note in arrived.of("connection"):
        assert note["bytes"] == 0 or note["port"] == 80 or note["first"].startswith("16"), note


@EACH
def test_what_is_allowed_makes_no_event(client: Client, runs: Runs) -> None:
    assert details(runs.of(client, "allowed")) == []


@EACH
def test_alert_changes_nothing(client: Client, runs: Runs) -> None:
    run, bare = runs.of(client, "alert"), runs.of(client, "bare")
    for one in client.destinations:
        if one.exists:
            assert run.result(one) == bare.result(one), one.name
        if "lookup" not in one.words and not (one.allowed and "resolve" in one.words):
            assert run.proof(one), one.name
    assert {event["mode"] for event in run.guarded.of(RULE)} <= {"alert"}


@cases(False)
def test_alert_reports(client: Client, destination: Destination, runs: Runs) -> None:
    run = runs.of(client, "alert")
    assert run.events(destination), (run.result(destination), details(run))


@EACH
def test_monitor_tells_of_all_and_changes_nothing(client: Client, runs: Runs) -> None:
    run, bare = runs.of(client, "monitor"), runs.of(client, "bare")
    named = {event["details"].get(key) for event in run.guarded.of(RULE) for key in ("host", "ip")}
    for one in client.destinations:
        if one.exists:
            assert run.result(one) == bare.result(one), one.name
        where = first_target(filled(one.words, run.token(one)), one.by)
        # An event names an address by the names that it was looked up by. X-Ray's address needs no
        # rule.
        same = {places.API, places.PLAIN} if where == places.SHARED else set()
        assert named & {where, *same} or where == places.XRAY, one.name


def first_target(words: dict[str, Any], by: str | None) -> str:
    """The first name or address that the words lead to."""
    if by is not None:
        return by
    if "datagram" in words:
        return str(words["datagram"][0])
    if "resolver" in words:
        return str(words["resolver"])
    if "target" in words:
        return str(words["target"]).rpartition(":")[0]
    if "bucket" in words:
        host = urlsplit(words.get("endpoint", f"https://{places.SUFFIX}")).hostname or ""
        return host if words.get("style") == "path" else f"{words['bucket']}.{host}"
    return (
        urlsplit(words["url"]).hostname or ""
        if "url" in words
        else str(words.get("lookup", words.get("resolve")))
    )
