"""A fresh stand-in for Lambda for each test, with the engine's layers in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.insights import insights
from tests.fleet.functions import Fleet
from tests.fleet.rolling import Roller, policies
from tests.fleet.stand_in import StandIn, running


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with running() as started, insights(monkeypatch):
        yield started


@pytest.fixture
def fleet(stand_in: StandIn) -> Fleet:
    made = Fleet(stand_in)
    made.engines()
    return made


@pytest.fixture
def roll(
    stand_in: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Roller:
    return Roller(stand_in, policies(tmp_path), monkeypatch, capsys)


# moto's server logs each request. pytest would show the whole log for each failing test.
logging.getLogger("werkzeug").setLevel(logging.WARNING)
