"""Tracers of other vendors in the same function: their wrappers run, their traces arrive, and the
rules hold.

The packages are the real ones from PyPI (``fetch.sh``). The scripts in ``wrappers/`` do what the
scripts in the vendors' layers do, which no package registry has.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fshield.local.cache import cache_folder
from fshield.local.emulator import Function, Invocation
from tests.others.collector import Collector
from tests.support import LAYER, SCRATCH, Event, policy_file, rules

HERE = Path(__file__).parent
FUNCTION = HERE / "function"
OUTSIDE = "127.66.66.66"
#: The Python that the packages were fetched for, without the packages of the tests.
PYTHON = Path(sys.executable).resolve()
ALL = rules("block", "block", "block", "block", native_code="alert", runtime_api="block")
HELD = dict.fromkeys(("outbound", "tmp", "child", "source"), 13)
RULES = {"create_child_process", "outbound_connectivity", "read_handler", "read_write_tmp"}
PASSED = dict.fromkeys(HELD, "passed")
# A layer without a guard: its launcher only runs the next wrapper, or the runtime.
_HOLLOW = """#!/bin/sh
if [ -n "$FUNCTION_SHIELD_NEXT_WRAPPER" ]; then exec "$FUNCTION_SHIELD_NEXT_WRAPPER" "$@"; fi
exec "$@"
"""


def packages(name: str, pinned: str | None = None) -> Path:
    """The packages that fetch.sh installed from a lock file. Skipped if they are missing, or failed
    if they are required."""
    folder = cache_folder("others") / name
    lock = folder / "complete.lock"
    if lock.exists() and lock.read_bytes() == (HERE / (pinned or f"{name}.lock")).read_bytes():
        return folder / "packages"
    if "others" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
        pytest.fail("the other tools are not here: tests/others/fetch.sh has not been run")
    pytest.skip("the other tools are not here: run tests/others/fetch.sh")


@contextmanager
def layers(name: str) -> Iterator[dict[bool, Path]]:
    """Two folders that play /opt: the tools' layers beside ours, and beside a layer that guards
    nothing."""
    source, made = packages(name), {}
    for guarded in (True, False):
        opt = SCRATCH / f"{name}-{os.getpid()}" / ("guarded" if guarded else "bare") / "opt"
        shutil.copytree(LAYER, opt)
        if not guarded:
            (opt / "function-shield").write_text(_HOLLOW)
        for file in (HERE / "wrappers").iterdir():
            if file.is_file():
                shutil.copy(file, opt / ("python" if file.suffix else "") / file.name)
        for entry in source.iterdir():
            (opt / "python" / entry.name).symlink_to(entry)
        made[guarded] = opt
    yield made
    shutil.rmtree(SCRATCH / f"{name}-{os.getpid()}", ignore_errors=True)


@pytest.fixture(scope="module")
def opts() -> Iterator[dict[bool, Path]]:
    """As `layers`, for the tools that work with the same releases of their dependencies."""
    with layers("others") as made:
        yield made


Trace = tuple[str, tuple[str, ...]]


@dataclass
class Run:
    """A function's answers, and what the collector got."""

    invocations: list[Invocation]
    collector: Collector
    outside: Collector

    def answer(self, opt: Path) -> list[Any]:
        """The answers, with a fixed name for the folder that plays /opt."""
        return [_replaced(one.response, str(opt)) for one in self.invocations]


def _replaced(value: Any, opt: str) -> Any:
    if isinstance(value, str):
        return value.replace(opt, "/opt")
    if isinstance(value, list):
        return [_replaced(one, opt) for one in value]
    if isinstance(value, dict):
        return {key: _replaced(one, opt) for key, one in value.items()}
    return value


@contextmanager
def started(
    opt: Path, wrapper: str | None, collector: Collector, outside: Collector, **variables: str
) -> Iterator[Function]:
    """Start the function behind `wrapper`, with every tracer configured for the collector."""
    at = f"http://127.0.0.1:{collector.port}"
    environment = {
        "PATH": f"{PYTHON.parent}:/usr/local/bin:/usr/bin:/bin",
        "OUTSIDE_PORT": str(outside.port),
        "OTEL_EXPORTER_OTLP_ENDPOINT": at,
        "DD_TRACE_AGENT_URL": at,
        "DD_TRACE_ENABLED": "true",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DSN": f"http://key@127.0.0.1:{collector.port}/7",
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{collector.daemon.getsockname()[1]}",
        **variables,
    }
    if wrapper:
        environment["FUNCTION_SHIELD_NEXT_WRAPPER"] = str(opt / wrapper)
    with Function(
        FUNCTION, "app.handler", python=PYTHON, layer=opt, policy=policy_file(ALL), env=environment
    ) as function:
        yield function


def run(
    opt: Path,
    wrapper: str | None,
    events: Sequence[dict[str, Any]],
    traces: Sequence[Trace],
    **variables: str,
) -> Run:
    """Invoke the function with each of `events`, and wait until all of `traces` have arrived."""
    with Collector() as collector, Collector(OUTSIDE) as outside:
        with started(opt, wrapper, collector, outside, **variables) as function:
            invocations = [function.invoke(event) for event in events]
            for path, words in traces:
                if not collector.await_(path, words):
                    pytest.fail(
                        f"{words} did not arrive at {path}; {collector.paths()} did. {invocations}"
                    )
        return Run(invocations, collector, outside)


_OTEL = ("/v1/traces", ("opentelemetry.instrumentation.aws_lambda", "faas.name"))
_DATADOG = ("/v0.", ("aws.lambda",))
# OpenTelemetry's distro sets OTEL_TRACES_EXPORTER, which Datadog's tracer reads too.
_DATADOG_BY_OTLP = ("/v1/traces", ("aws.lambda", "_dd."))
#: For each wrapper: the path that its traces go to, and words in them.
TRACES: dict[str, list[Trace]] = {
    "otel-instrument": [_OTEL],
    "datadog_wrapper": [_DATADOG],
    "ddtrace_and_datadog": [_DATADOG],
    "both": [_OTEL, _DATADOG_BY_OTLP],
    "three": [_OTEL, _DATADOG_BY_OTLP],
}
SENTRY: Trace = ("/api/7/envelope/", ("an order that nobody made", "LookupError"))
# A handler that can be imported only once. With this instrumentation, OpenTelemetry imports the
# handler in its sitecustomize, and ddtrace-run causes a second import.
ONCE = {"three": {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "aws-lambda"}}


@pytest.mark.parametrize("wrapper", TRACES)
def test_traces_arrive_and_attacks_do_not(opts: dict[bool, Path], wrapper: str) -> None:
    """The answers equal those without the guard, except for the attacks."""
    events = ({"order": 1}, {"order": 2, "attack": True})
    runs = {
        one: run(opts[one], wrapper, events, TRACES[wrapper], **ONCE.get(wrapper, {}))
        for one in (True, False)
    }
    answers = {guarded: one.answer(opts[guarded]) for guarded, one in runs.items()}
    assert all(one.error is None for both in runs.values() for one in both.invocations), runs
    assert answers[True][1].pop("attempts") == HELD
    assert not runs[True].outside.received
    assert answers[False][1].pop("attempts") == PASSED, (
        "without the guard every attack must succeed, otherwise the test proves nothing"
    )
    assert runs[False].outside.paths() == {"/stolen"}
    for answer in (*answers[True], *answers[False]):
        # In a guarded wrapper, PYTHONPATH is already set. "X:$PYTHONPATH" ends with a colon only
        # without the guard.
        answer["pythonpath"] = answer["pythonpath"] and answer["pythonpath"].rstrip(":")
    assert answers[True] == answers[False]
    assert blocked(runs[True]) == sorted(RULES)
    events_seen = [event["event"] for one in runs[True].invocations for event in one.events]
    assert events_seen.count("armed") == 1
    assert runs[True].collector.paths() == runs[False].collector.paths()


def blocked(run: Run) -> list[str]:
    """The rules that blocked an act of the function.

    Some acts of the tracers are blocked too, and the tracers work without them: ddtrace tries a
    file in /tmp, and Sentry starts git to find the release, and reads source lines for a traceback.
    """
    events = [
        event for one in run.invocations for event in one.events if event["event"] == "violation"
    ]
    theirs = [
        event
        for event in events
        if event["mode"] == "block" and asked(event) == FUNCTION / "app.py"
    ]
    return sorted(event["policy"] for event in theirs)


def asked(event: Event) -> Path:
    """The file of the caller."""
    return Path((event.get("origin") or {}).get("file") or "/")


def test_sentry_and_powertools_beside_two_tracers(opts: dict[bool, Path]) -> None:
    """Errors reach Sentry, and metrics and log lines reach stdout. The emulator samples no trace,
    so X-Ray's daemon gets nothing."""
    segments = []
    events = ({"order": 1}, {"order": 2, "attack": True}, {"raise": True})
    for guarded in (True, False):
        seen = run(
            opts[guarded], "both", events, [*TRACES["both"], SENTRY], WITH="sentry,powertools"
        )
        first, second, third = seen.invocations
        assert first.error is None and second.error is None, seen.invocations
        assert third.error is not None and third.error["errorType"] == "LookupError"
        assert second.response["attempts"] == (HELD if guarded else PASSED)
        assert set(first.response["tracers"]) == {
            "datadog_lambda",
            "ddtrace",
            "opentelemetry.sdk.trace",
            "sentry_sdk",
        }
        assert any('"Orders"' in line and "CloudWatchMetrics" in line for line in first.output), (
            first.output
        )
        assert any('"message":"an order"' in line for line in first.output), first.output
        segments.append(len(seen.collector.segments))
        if guarded:
            # After the function has raised, Sentry also tries to read the handler's source lines.
            assert set(blocked(seen)) == RULES
    assert segments[0] == segments[1]


def test_a_collector_that_no_rule_allows_gets_nothing(opts: dict[bool, Path]) -> None:
    """A tracer's exporter is no way out. Its connection is judged like any other, and the function
    goes on."""
    for guarded in (True, False):
        with Collector() as collector, Collector(OUTSIDE) as outside:
            at = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{OUTSIDE}:{outside.port}"}
            with started(opts[guarded], "otel-instrument", collector, outside, **at) as function:
                done = function.invoke({"order": 1})
            assert done.error is None
            assert outside.paths() == (set() if guarded else {"/v1/traces"})
        if guarded:
            rest = function.rest.events if function.rest else []
            hosts = [
                event["details"]["ip"]
                for event in [*done.events, *rest]
                if event.get("policy") == "outbound_connectivity"
            ]
            assert OUTSIDE in hosts
