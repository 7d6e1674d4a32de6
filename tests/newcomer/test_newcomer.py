"""Runs the steps of docs/attaching.md in a fresh container that has nothing but the repository."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from fshield.errors import CouldNotRun
from fshield.local.cache import cache_folder
from fshield.local.container import connect
from tests.evidence.insights import insights
from tests.newcomer import path
from tests.replica.image import debian_image
from tests.support import ROOT, rules, run_guarded

REGION = "eu-central-1"
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
}
PAGE = (ROOT / "docs" / "attaching.md").read_text()
GROUP = "/aws/lambda/my-function"
_WAIT_S = 900
_REQUIRED = "newcomer" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")


def test_the_script_is_the_pages() -> None:
    """The script has the commands below these headings, in order."""
    script = path.script(PAGE)
    place = 0
    for start in (
        "git clone /source",
        "./build.sh",
        "publish-layer-version",
        "jq -s",
        "update-function-configuration",
        "start-query",
        "get-query-results",
        "fshield learn",
        "fshield package",
        "make demo",
    ):
        place = script.index(start, place)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """moto on loopback, with the function `my-function` and its log under the policy `monitor`."""
    # Imported here because it is slow, and the other test does not need it.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    options: dict[str, Any] = {
        "endpoint_url": address,
        "region_name": REGION,
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    role = boto3.client("iam", **options).create_role(RoleName="r", AssumeRolePolicyDocument="{}")[
        "Role"
    ]["Arn"]
    boto3.client("lambda", **options).create_function(
        FunctionName="my-function",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Architectures=["x86_64"],
        Code={"ZipFile": b"PK\5\6" + bytes(18)},
        Environment={"Variables": {"KEPT": "yes"}},
    )
    logs = boto3.client("logs", **options)
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="one")
    # A file: `learn` holds back what code without a file does.
    function = tmp_path / "app.py"
    function.write_text(
        "import socket\ntry: socket.create_connection(('127.66.66.66', 9), 1)\nexcept OSError: pass"
    )
    seen = run_guarded(
        [sys.executable, function],
        policy=rules("alert", "alert", "alert", "alert"),
        env={"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": str(tmp_path)},
    )
    now = int(time.time() * 1000)
    entries: Any = [
        {"timestamp": now, "message": json.dumps(event, separators=(",", ":"))}
        for event in seen.events
    ]
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=entries)
    with insights(monkeypatch, others=True):
        yield address
    server.stop()


@pytest.mark.skipif(not _REQUIRED, reason="takes minutes: set FSHIELD_TEST_REQUIRE=newcomer")
def test_the_readmes_path_does_what_it_says(aws: str) -> None:
    """The container has its own root, home and /tmp. Its programs (git, make, Python, jq, aws) are
    this machine's.

    It shares this machine's network, so that pip reaches its index, and moto on loopback can be
    reached.
    """
    tools = cache_folder("deploy", "awscli")
    if not (tools / "complete.lock").exists():
        pytest.fail("the AWS CLI is missing: run tests/deploy/fetch.sh")
    if not all(
        shutil.which(program, path="/usr/bin") for program in ("git", "make", "jq", "python3")
    ):
        pytest.fail("git, make, jq and python3 are not all in /usr/bin")
    try:
        image, client = debian_image(), connect()
    except CouldNotRun as error:
        pytest.fail(str(error))
    work = ROOT / "build" / f"newcomer-{os.getpid()}"
    work.mkdir(parents=True)
    (work / "script").write_text(path.script(PAGE))
    python = Path(os.path.realpath(tools / "bin" / "python")).parents[1]
    binds = [f"{ROOT}:/source:ro", f"{work}:/home/newcomer", f"{tools}:{tools}:ro", "/usr:/usr:ro"]
    places = (str(python), "/etc/ssl", "/etc/pip.conf", "/etc/resolv.conf", "/etc/hosts")
    binds += [
        f"{place}:{place}:ro"
        for place in places
        if Path(place).exists() and not place.startswith("/usr/")
    ]
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or "proxy" in name.lower()
    }
    variables |= {
        "HOME": "/home/newcomer",
        "PATH": f"/usr/bin:/bin:{tools}/bin",
        "AWS_ENDPOINT_URL": aws,
        **KEYS,
    }
    variables |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    container = client.containers.create(
        image,
        entrypoint=["/bin/bash", "/home/newcomer/script"],
        working_dir="/home/newcomer",
        environment=variables,
        network_mode="host",
        volumes=binds,
    )
    try:
        container.start()
        status = container.wait(timeout=_WAIT_S)["StatusCode"]
        output = container.logs().decode("utf-8", "replace")
        client.containers.run(
            image,
            entrypoint=["/bin/chmod", "-R", "a+rwX", "/home/newcomer"],
            volumes=binds,
            remove=True,
        )
        repo = work / "function-shield"
        assert status == 0, output[-6000:]
        assert output.rstrip().endswith("== done")
        assert (repo / "policies-of-mine" / "my-function.yaml").exists()
        assert (repo / "policies.zip").exists()
        _matches_readme(output)
    finally:
        container.remove(force=True)
        client.close()
        shutil.rmtree(work, ignore_errors=True)
    _attached(aws)


def _matches_readme(output: str) -> None:
    """Whether the demo ends as README's table says: each act is blocked by its rule, and the honest
    work is done."""
    demo = output.split("== demo", 1)[1]
    assert "5 of 5 acts stopped and named; same response, same picture" in demo, demo
    for rule in ("outbound_connectivity", "read_handler", "create_child_process", "read_write_tmp"):
        assert rule in demo, demo


def _attached(aws: str) -> None:
    function = boto3.client(
        "lambda",
        endpoint_url=aws,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    ).get_function_configuration(FunctionName="my-function")
    assert [layer["Arn"].split(":")[6] for layer in function["Layers"]] == [
        "function-shield-x86_64"
    ]
    assert function["Environment"]["Variables"] == {
        "KEPT": "yes",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/function-shield",
        "FUNCTION_SHIELD_POLICY": "monitor",
    }
