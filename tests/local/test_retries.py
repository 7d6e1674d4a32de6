"""Clients that retry: a blocked call fails soon, with a traceback that names the rule. It makes one
event, and a count."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import Function, Invocation
from tests.support import LAYER

# Not allowed by any rule of `default`: one by address and one by name.
TARGETS = {
    "127.66.66.66": "http://127.66.66.66:4443",
    "collector.evil.example": "https://collector.evil.example",
}

# Each prints how often it tried: by its own settings, by its defaults, or in a typical hand-written
# loop.
CLIENTS = {
    "requests": (
        """
        import requests
        from requests.adapters import HTTPAdapter

        def call(url, attempts):
            session = requests.Session()
            session.trust_env = False
            session.mount(url, HTTPAdapter(max_retries=3))
            attempts.extend(range(4))
            session.get(url, timeout=5)
        """
    ),
    "urllib": (
        """
        import urllib.request

        def call(url, attempts):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            while True:
                attempts.append(url)
                try:
                    return opener.open(url, timeout=5)
                except OSError:
                    if len(attempts) == 4:
                        raise
        """
    ),
    "boto3": (
        """
        import boto3
        OPTIONS = {}
        """
    ),
    "boto3, legacy mode": (
        """
        import boto3
        from botocore.config import Config
        OPTIONS = {"config": Config(retries={"mode": "legacy", "max_attempts": 2})}
        """
    ),
}
BOTO3 = """
def call(url, attempts):
    client = boto3.client("s3", endpoint_url=url, region_name="eu-central-1",
                          aws_access_key_id="none", aws_secret_access_key="none", **OPTIONS)
    client.meta.events.register("before-send", lambda **_: attempts.append(url))
    client.list_buckets()
"""
HANDLER = """
import time, traceback

def handler(event, context):
    began, attempts = time.monotonic(), []
    try:
        call(event["url"], attempts)
    except Exception:
        seconds = time.monotonic() - began
        said = traceback.format_exc()
        return {"traceback": said, "seconds": seconds, "attempts": len(attempts)}
    return "reached"
"""
# boto3 sleeps between its attempts, for random and growing times. Nothing else here waits.
SECONDS = 20.0


def source(client: str) -> str:
    """A function that makes a call with this client."""
    return (
        textwrap.dedent(CLIENTS[client]) + (BOTO3 if client.startswith("boto3") else "") + HANDLER
    )


def outbound(invocation: Invocation) -> list[dict[str, Any]]:
    return [event for event in invocation.events if event.get("policy") == "outbound_connectivity"]


def counts(invocation: Invocation) -> list[tuple[int, bool]]:
    """For each line, its count and whether it counts repeats."""
    return [(event["count"], event.get("repeats", False)) for event in outbound(invocation)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("client", CLIENTS)
def test_retries(client: str, target: str, function_folder: Callable[[str], Path]) -> None:
    folder = function_folder(source(client))
    with Function(
        folder, "app.handler", python=sys.executable, layer=LAYER, policy="default", timeout=60
    ) as function:
        first, second = (function.invoke({"url": TARGETS[target]}) for _ in range(2))
    for invocation in (first, second):
        assert invocation.error is None, invocation.error
        assert (
            "PolicyViolation: [Errno 13] outbound_connectivity: "
            in invocation.response["traceback"]
        )
        assert target in invocation.response["traceback"]
        assert "(policy default, default.yaml:" in invocation.response["traceback"]
        assert invocation.response["seconds"] < SECONDS
        assert invocation.response["attempts"] >= 3, "it did not retry, so this test proves nothing"
        assert {event["mode"] for event in outbound(invocation)} == {"block"}
        assert len({event["requestId"] for event in outbound(invocation)}) == 1
    # The first event is written in full at once. The repeats are written as one line when the
    # invocation ends. In a later invocation the kind is already known.
    assert counts(first) == [(1, False), (first.response["attempts"] - 1, True)]
    assert counts(second) == [(second.response["attempts"], True)]
    for event in (*outbound(first), *outbound(second)):
        assert target in (event["details"]["host"], event["details"]["ip"])
