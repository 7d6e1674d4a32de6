"""``fshield invoke --image`` and ``--sandbox``, as people type them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fshield.local.container import ContainerFunction, connect
from tests import support

Make = Callable[[str], Path]
HELLO = """
    import os

    def handler(event, context):
        print("hello from", os.getuid())
        return {"uid": os.getuid(), "event": event}
"""


def fshield(
    *arguments: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fshield", *map(str, arguments)],
        env={**os.environ, "FSHIELD_LAYER": str(support.LAYER), "COLUMNS": "200", **(env or {})},
        cwd=support.ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def event(shared_path: Path) -> Path:
    path = shared_path / "event.json"
    path.write_text('{"n": 1}')
    return path


def test_in_an_image(image: str, function_folder: Make, event: Path) -> None:
    folder = function_folder(HELLO)
    done = fshield("invoke", folder, "--handler", "app.handler", "--event", event, "--image", image)
    assert done.returncode == 0, done.stderr
    assert '"event": {"n": 1}' in done.stdout
    assert "hello from 0" in done.stdout
    # The emulator's own lines are not part of the function's output.
    assert "RequestId" not in done.stdout
    assert "(rapid)" not in done.stdout


def test_in_the_sandbox(image: str, function_folder: Make, event: Path) -> None:
    folder = function_folder(HELLO)
    options = ("--image", image, "--sandbox", "--policy", "strict", "--json", "--count", "2")
    done = fshield("invoke", folder, "--handler", "app.handler", "--event", event, *options)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    first, second = answer["invocations"]
    assert first["response"] == second["response"] == {"uid": 993, "event": {"n": 1}}
    assert first["stdout"] == "hello from 993\n"
    assert [each["event"] for each in first["events"]] == ["armed"]


def test_a_handler_that_raises(image: str, function_folder: Make, event: Path) -> None:
    folder = function_folder("def handler(event, context):\n    open('/tmp/x', 'w')\n")
    done = fshield(
        "invoke",
        folder,
        "--handler",
        "app.handler",
        "--event",
        event,
        "--image",
        image,
        "--sandbox",
    )
    assert done.returncode == 1, done.stderr
    assert "PolicyViolation" in done.stdout


def test_a_closed_folder_is_said_in_one_sentence(
    image: str, function_folder: Make, event: Path
) -> None:
    folder = function_folder(HELLO)
    folder.chmod(0o700)
    done = fshield(
        "invoke",
        folder,
        "--handler",
        "app.handler",
        "--event",
        event,
        "--image",
        image,
        "--sandbox",
    )
    assert done.returncode == 2
    assert "cannot read it" in done.stderr
    assert "chmod -R a+rX" in done.stderr


def test_no_such_image(image: str, function_folder: Make, event: Path) -> None:
    folder = function_folder(HELLO)
    for name in ("localhost:1/nothing:here", "Not An Image"):
        done = fshield(
            "invoke", folder, "--handler", "app.handler", "--event", event, "--image", name
        )
        assert done.returncode == 2
        assert f"the image {name} is not here" in done.stderr
        assert len(done.stderr.splitlines()) == 2, done.stderr


def test_nothing_is_left_behind(image: str, function_folder: Make) -> None:
    function = ContainerFunction(function_folder(HELLO), "app.handler", image=image, sandbox=True)
    with function:
        container, network = function.container.name, function.network.name
    client = connect()
    assert container not in [each.name for each in client.containers.list(all=True)]
    assert network not in [each.name for each in client.networks.list()]
    client.close()


def test_without_docker_it_says_so(tmp_path: Path, function_folder: Make, event: Path) -> None:
    folder = function_folder(HELLO)
    env = {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    done = fshield(
        "invoke", folder, "--handler", "app.handler", "--event", event, "--image", "any", env=env
    )
    assert done.returncode == 2
    assert "no daemon answers" in done.stderr
    assert "docker info" in done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert done.stdout == ""


def test_an_interpreter_and_an_image_do_not_go_together(function_folder: Make, event: Path) -> None:
    folder = function_folder(HELLO)
    done = fshield(
        "invoke",
        folder,
        "--handler",
        "app.handler",
        "--event",
        event,
        "--image",
        "any",
        "--python",
        "python3",
    )
    assert done.returncode == 2
    assert "--python" in done.stderr
