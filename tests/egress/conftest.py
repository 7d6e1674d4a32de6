"""The test network, made once for all tests in this folder. If it cannot be made, one line says
why."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.egress.network import Network, NoNetwork

_lacking: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print that line, whatever the verbosity of pytest."""
    if _lacking:
        terminalreporter.write_line(f"tests/egress skipped: {_lacking[0]}")


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The servers of places.py. If the network cannot be made, the test is skipped; it fails if
    FSHIELD_TEST_REQUIRE names egress."""
    try:
        made = Network(tmp_path_factory.mktemp("network"))
    except NoNetwork as error:
        message = f"no test network: {error}"
        if "egress" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail(message, pytrace=False)
        _lacking.append(message)
        pytest.skip(message)
    yield made
    made.close()
