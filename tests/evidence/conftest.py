"""An AWS of its own for each test."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.evidence.cloud import Cloud
from tests.evidence.insights import insights
from tests.fleet.stand_in import KEYS


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of an empty moto."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        # Remove what an earlier test in this process left.
        urllib.request.urlopen(f"{endpoint}/moto-api/reset", b"").close()
        yield endpoint
    finally:
        server.stop()


@pytest.fixture
def cloud(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """CloudWatch with a query engine."""
    with insights(monkeypatch) as asked:
        yield Cloud(aws, asked)
