"""The pytest plugin: ``@pytest.mark.function_shield(policy="default")`` runs a test under the
guard.

pytest imports this file wherever fshield is installed, so it is small; what does the work is
imported by the first test that is marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fshield.testing.shield import FunctionShield

MARKER = "function_shield"
_HELP = (
    "function_shield(policy=…, env=None, timeout=None, handler=…): run this test in a process of"
    " its own under FunctionShield. policy: a policy's name in the layer, or a file (.yaml or"
    " compiled) relative to the rootdir. handler: the function's, as app.handler, below the rootdir"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "function_shield_policy", "policy of tests whose marker names none", default="default"
    )
    parser.addini("function_shield_handler", "handler of tests whose marker names none", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _HELP)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if item.get_closest_marker(MARKER) is None or item.config.pluginmanager.has_plugin(
        "function_shield_child"
    ):
        return None
    from fshield.testing.parent import protocol  # noqa: PLC0415

    protocol(item, nextitem)
    return True


@pytest.fixture
def function_shield(request: pytest.FixtureRequest) -> Iterator[FunctionShield]:
    """What the guard reported in this test so far. See `fshield.testing.FunctionShield`."""
    child = request.config.pluginmanager.get_plugin("function_shield_child")
    if child is None:
        pytest.fail(
            "this test is not under the guard: mark it with @pytest.mark.function_shield",
            pytrace=False,
        )
    yield child.shield
