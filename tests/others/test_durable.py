"""A durable function: Lambda's SDK and its local runner, from PyPI (``fetch.sh``).

The runner plays the durable service. It invokes the function under Lambda's emulator, and the SDK
in the function sends its checkpoints to the runner. On AWS they go to Lambda's own API, which
`default` allows (``aws: [lambda]``).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fshield.local.emulator import Function, free_ports
from tests.others.test_others import HERE, PYTHON, packages
from tests.support import LAYER, UNGUARDED


def ask(port: int, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@contextmanager
def runner(port: int, function: int, source: Path) -> Iterator[None]:
    """The SDK's local runner, in front of the emulator on the port `function`."""
    words = ["-m", "aws_durable_execution_sdk_python_testing.cli", "start-server", "--skip-time"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    words += ["--local-runner-endpoint", f"http://127.0.0.1:{port}"]
    words += ["--lambda-endpoint", f"http://127.0.0.1:{function}"]
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    process = subprocess.Popen(
        [PYTHON, *words],
        env={**os.environ, **keys, "PYTHONPATH": str(source)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


def execution(folder: Path, event: Any, *, guarded: bool) -> tuple[Any, list[dict[str, Any]]]:
    """The result of one durable execution, and the events of its invocations."""
    source = packages("durable")
    shutil.copytree(HERE / "durable", folder)
    for entry in source.iterdir():
        (folder / entry.name).symlink_to(entry)
    (port,) = free_ports(1)
    environment = {"AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{port}"}
    with (
        Function(
            folder,
            "app.handler",
            python=PYTHON,
            layer=LAYER if guarded else None,
            policy="default" if guarded else None,
            env=environment,
            guarded=guarded,
        ) as function,
        runner(port, function._port, source),
    ):
        begun = ask(
            port,
            "start-durable-execution",
            {
                "AccountId": "123456789012",
                "FunctionName": "function",
                "FunctionQualifier": "$LATEST",
                "ExecutionName": "one",
                "ExecutionTimeoutSeconds": 120,
                "ExecutionRetentionPeriodDays": 1,
                "InvocationId": "first",
                "Input": json.dumps(event),
            },
        )
        place = f"2025-12-01/durable-executions/{quote(begun['ExecutionArn'], safe='')}"
        for _ in range(480):
            state = ask(port, place)
            if state["Status"] != "RUNNING":
                break
            time.sleep(0.25)
    assert function.rest
    return (state["Status"], json.loads(state["Result"])), function.rest.events


def test_a_durable_function_answers_as_without_the_guard(tmp_path: Path) -> None:
    event = {"item": "hat"}
    bare, _ = execution(tmp_path / "bare", event, guarded=False)
    guarded, events = execution(tmp_path / "guarded", event, guarded=True)
    assert guarded == bare == ("SUCCEEDED", [3, [1, 2, 3]])
    assert [each["event"] for each in events] == ["armed"]


def test_the_rules_hold_in_its_steps(tmp_path: Path) -> None:
    found, events = execution(tmp_path / "f", {"item": "hat", "attack": True}, guarded=True)
    assert found == ("SUCCEEDED", [3, [1, 2, 3], "passed" if UNGUARDED else "refused"])
    (violation,) = (each for each in events if each["event"] == "violation")
    assert (violation["policy"], violation["origin"]["function"]) == ("read_write_tmp", "attack")
    # The step runs once, however often the handler is replayed.
    assert violation["count"] == 1 and violation["requestId"]
