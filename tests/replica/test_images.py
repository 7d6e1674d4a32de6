"""Builds the Dockerfiles of examples/deploy/image. The images start their function under the guard.

Their base images cannot be pulled everywhere, so stand-ins replace them. The replica replaces AWS's
image. For ``python:3.x-slim``, it gets an interpreter under /usr/local with the runtime client, and
no bootstrap.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fshield.local import pins
from fshield.local.components import emulator, runtime_client
from fshield.local.container import connect
from tests.support import LAYER, ROOT, interpreters

FOLDER = ROOT / "examples" / "deploy" / "image"
DATA = "function-shield-image-test"
ASK = """
import time, urllib.request
url = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"
for _ in range(600):
    try:
        print(urllib.request.urlopen(url, b"{}", timeout=20).read().decode())
        break
    except OSError:
        time.sleep(0.1)
"""
# Large parts of an interpreter that a function does not need.
_LEFT_OUT = {"test", "tests", "__pycache__", "idlelib", "tkinter", "site-packages"}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build context with only what the Dockerfiles copy."""
    folder = tmp_path_factory.mktemp("context")
    shutil.copytree(LAYER, folder / "build" / "layer")
    shutil.copytree(ROOT / "examples" / "thumbnailer", folder / "examples" / "thumbnailer")
    shutil.copytree(FOLDER, folder / "examples" / "deploy" / "image")
    # AWS's images have boto3, and the stand-ins do not. So check only what the dependency does on
    # import.
    (folder / "examples" / "thumbnailer" / "boto3.py").write_text(
        "def client(name):\n    return None\n"
    )
    return folder


def version(python: Path) -> tuple[int, int]:
    output = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout
    major, minor, *_ = output.split()[1].split(".")
    return int(major), int(minor)


def has_pip(python: Path) -> bool:
    """Whether this Python has its own prefix, like ``python:3.x-slim`` and unlike a distribution's
    Python."""
    major, minor = version(python)
    prefix = python.resolve().parent.parent
    return (prefix / "lib" / f"python{major}.{minor}" / "site-packages" / "pip").is_dir()


@pytest.fixture(scope="module")
def slim(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The stand-in for ``python:3.x-slim``."""
    found = [
        (version(path), path)
        for path in interpreters()
        if version(path) <= pins.RUNTIME_CLIENT_NEWEST and has_pip(path)
    ]
    if not found or max(found)[0] < (3, 10):
        pytest.skip("no CPython here that can be copied into an image")
    (major, minor), python = max(found)
    folder = tmp_path_factory.mktemp("slim")
    prefix = python.resolve().parent.parent
    for part in ("bin", "lib"):
        shutil.copytree(
            prefix / part,
            folder / "local" / part,
            symlinks=True,
            ignore=lambda _, names: _LEFT_OUT & set(names),
        )
    site = folder / "local" / "lib" / f"python{major}.{minor}" / "site-packages"
    shutil.copytree(runtime_client(python, (major, minor)), site)
    shutil.copytree(
        prefix / "lib" / f"python{major}.{minor}" / "site-packages" / "pip", site / "pip"
    )
    shutil.copy(emulator(), folder / "aws-lambda-rie")
    (folder / "Dockerfile").write_text(
        f"FROM {image}\nCOPY local/ /usr/local/\nRUN ln -sf python{major}.{minor}"
        " /usr/local/bin/python3\nCOPY aws-lambda-rie /usr/local/bin/aws-lambda-rie\nRUN rm -rf"
        " /var/runtime /lambda-entrypoint.sh\nENV PATH=/usr/local/bin:/usr/bin:/bin"
        " LD_LIBRARY_PATH=/usr/local/lib\nENTRYPOINT []\n"
    )
    name = f"{DATA}-base"
    build(folder, folder / "Dockerfile", name)
    yield name
    connect().images.remove(name, force=True)


def build(folder: Path, dockerfile: Path, name: str, **arguments: str) -> str:
    """Build an image as ``docker build`` does, without a network. Returns the output."""
    client = connect()
    output = client.api.build(
        path=str(folder),
        dockerfile=str(dockerfile.relative_to(folder)),
        tag=name,
        buildargs=arguments,
        network_mode="none",
        rm=True,
        forcerm=True,
        decode=True,
    )
    lines = [line.get("stream", "") + line.get("error", "") for line in output]
    text = "".join(lines)
    assert "Successfully tagged" in text, text
    return text


@contextmanager
def running(name: str, command: list[str] | None, entry: list[str] | None) -> Iterator[Any]:
    container = connect().containers.run(
        name, command, entrypoint=entry, detach=True, network_mode="none"
    )
    try:
        yield container
    finally:
        container.remove(force=True)


def events(container: Any) -> list[dict[str, Any]]:
    lines = container.logs().decode("utf-8", "replace").splitlines()
    found = [json.loads(line) for line in lines if line.startswith('{"function_shield"')]
    assert found, "\n".join(lines)
    return found


def check(container: Any, python: str) -> None:
    """Check that the function started under the guard, and that the dependency's act was
    reported."""
    wanted = {"outbound_connectivity", "read_handler", "create_child_process"}
    deadline = time.monotonic() + 60
    code, answer = container.exec_run([python, "-c", ASK])
    assert code == 0, answer
    # Docker hands on what the container writes a little later.
    while time.monotonic() < deadline:
        found = events(container)
        violations = {event["policy"] for event in found if event["event"] == "violation"}
        if wanted <= violations:
            break
        time.sleep(0.2)
    armed = next(event for event in found if event["event"] == "armed")
    assert armed["policy_name"] == "monitor" and "interpreter" in armed["rings"]
    assert wanted <= violations
    assert {event["mode"] for event in found if event["event"] == "violation"} == {"alert"}


def test_awss_base_image(image: str, context: Path) -> None:
    name = f"{DATA}-aws"
    output = build(context, context / "examples/deploy/image/Dockerfile.aws", name, BASE=image)
    assert '"event":"self_test"' in output or '"rings"' in output, output
    try:
        with running(name, None, None) as container:
            check(container, "/usr/bin/python3")
    finally:
        connect().images.remove(name, force=True)


def test_a_slim_image(slim: str, context: Path) -> None:
    name = f"{DATA}-slim"
    build(context, context / "examples/deploy/image/Dockerfile.slim", name, BASE=slim)
    entry = next(
        json.loads(line.removeprefix("ENTRYPOINT "))
        for line in (FOLDER / "Dockerfile.slim").read_text().splitlines()
        if line.startswith("ENTRYPOINT ")
    )
    try:
        # As AWS documents it: run the emulator before the image's own entry point.
        with running(name, ["app.handler"], ["/usr/local/bin/aws-lambda-rie", *entry]) as container:
            check(container, "/usr/local/bin/python3")
    finally:
        connect().images.remove(name, force=True)


def test_a_guard_that_does_not_arm_ends_the_build(
    image: str, context: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "context"
    shutil.copytree(context, folder)
    for policy in (folder / "build" / "layer" / "function-shield.d" / "policies").iterdir():
        policy.write_bytes(policy.read_bytes()[:-8])
    with pytest.raises(AssertionError, match="non-zero code: 78"):
        build(
            folder, folder / "examples/deploy/image/Dockerfile.aws", f"{DATA}-damaged", BASE=image
        )
