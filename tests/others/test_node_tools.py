"""Tracers for Node, with AWS's runtime client: the answers equal those of a bare run, the rules
hold, and ``default`` reports nothing else.

The packages are the real ones from npm (``fetch.sh``), configured as their makers document. The
layers of OpenTelemetry and of Application Signals add a file that `NODE_OPTIONS` names. Datadog's
layer replaces the handler.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.others.test_others import packages
from tests.runtimes.api import Served, serve
from tests.runtimes.conftest import node_id
from tests.runtimes.test_node import BUFFERED, CLIENTS, HELD, MODULE
from tests.support import nodes

PINNED = "node/package-lock.json"
BARE = ["passed", "passed", "passed", "ECONNREFUSED"]
#: Without a collector.
_OTEL = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
#: OpenTelemetry's layer detects only Lambda. Without this setting, the package asks the metadata
#: server of every cloud, which is blocked. AWS's layer omits these detectors on Lambda.
_DETECTORS = {"opentelemetry": {"OTEL_NODE_RESOURCE_DETECTORS": "env"}}
_SCRIPTS = {
    "opentelemetry": "@opentelemetry/auto-instrumentations-node/build/src/register.js",
    "signals": "@aws/aws-distro-opentelemetry-node-autoinstrumentation/build/src/register.js",
}


def variables(tool: str) -> dict[str, str]:
    """The environment variables that a tool's documentation asks for."""
    folder = packages("node", PINNED) / "node_modules"
    if tool == "datadog":
        return {
            "_HANDLER": f"{folder}/datadog-lambda-js/dist/handler.handler",
            "DD_LAMBDA_HANDLER": "app.handler",
            "DD_FLUSH_TO_LOG": "true",
            "NODE_PATH": str(folder),
        }
    return {
        **_OTEL,
        **_DETECTORS.get(tool, {}),
        "NODE_OPTIONS": f"--require {folder / _SCRIPTS[tool]}",
    }


@pytest.fixture(params=[one for one in nodes() if node_id(one) != "system"], ids=node_id)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Served]:
    """Run a function behind a tool, with a policy or bare."""
    client = CLIENTS / "4.0.2"
    if not (client / "index.mjs").exists():
        if "runtimes" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail("tests/runtimes/fetch.sh has not been run")
        pytest.skip("run tests/runtimes/fetch.sh")

    def start(tool: str, policy: str | None, *, module: bool = False, **more: str) -> Served:
        folder = tmp_path / str(policy)
        folder.mkdir()
        name, source = ("app.mjs", MODULE) if module else ("app.js", BUFFERED)
        (folder / name).write_text(source)
        env = {"LAMBDA_RUNTIME_DIR": str(client), **variables(tool), **more}
        handler = env.pop("_HANDLER", "app.handler")
        events = list(range(12)) if "AWS_LAMBDA_MAX_CONCURRENCY" in more else [0, 1]
        command = [request.param, client / "index.mjs"]
        return serve(command, task=folder, events=events, policy=policy, env=env, handler=handler)

    return start


def check(bare: Served, guarded: Served) -> None:
    """Check that the tool is active, that each answer equals the bare one except for the acts, and
    that each event is about an act of the function."""
    assert {tuple(body["rules"]) for body in bare.bodies} == {tuple(BARE)}, bare.output
    assert {tuple(body["rules"]) for body in guarded.bodies} == {tuple(HELD)}, guarded.output

    def asked(done: Served) -> list[Any]:
        return sorted(body["event"] for body in done.bodies)

    assert asked(guarded) == asked(bare)
    acts = {
        event["details"].get("path") or event["details"].get("ip") for event in guarded.violations
    }
    sources = {path for path in acts if Path(path).stem == "app"}
    assert acts - sources == {"/tmp/function-shield-node", "/usr/bin/uname", "127.66.66.66"}
    assert len(sources) == 1, "the function's own source is sealed, whatever handler is named"


@pytest.mark.parametrize("module", [False, True], ids=["CommonJS", "module"])
def test_datadog(run: Callable[..., Served], module: bool) -> None:
    """Datadog's handler is the one that the runtime knows. It loads the function's own."""
    bare = run("datadog", None, module=module)
    guarded = run("datadog", "default", module=module)
    check(bare, guarded)
    for done in (bare, guarded):
        assert "aws.lambda.enhanced.invocations" in done.output
        assert '"name":"aws.lambda"' in done.output


def test_datadog_on_a_managed_instance(run: Callable[..., Served]) -> None:
    """In each worker thread, Datadog's handler loads the function's own."""
    managed = {
        "AWS_LAMBDA_MAX_CONCURRENCY": "8",
        "AWS_LAMBDA_NODEJS_WORKER_COUNT": "4",
        # The client waits for events in libuv's threads. If all of them wait and no event comes, no
        # thread is left to send the last answer.
        "UV_THREADPOOL_SIZE": "16",
    }
    check(run("datadog", None, **managed), run("datadog", "default", **managed))


@pytest.mark.parametrize("tool", _SCRIPTS)
def test_opentelemetry(run: Callable[..., Served], tool: str) -> None:
    check(run(tool, None), run(tool, "default"))
