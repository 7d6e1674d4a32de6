"""SnapStart with a real snapshot: CRIU freezes the runtime, ends it, and restores it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fshield.local import components
from tests.runtimes.api import Api
from tests.support import LAUNCHER, ROOT, SCRATCH, clean_environment, policy_file, split_events

CRIU = shutil.which("criu")


def _works() -> bool:
    if CRIU is None or shutil.which("gcc") is None or os.geteuid() != 0:
        return False
    return subprocess.run([CRIU, "check"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _works(), reason="no working CRIU or no gcc on this machine")
PYTHON = Path(os.path.realpath(sys.executable))
HANDLER = """
import os
def act():
    try: open("/tmp/function-shield-criu", "w")
    except PermissionError: return "refused"
seen = [os.getpid(), act()]
def handler(event, context):
    return [*seen, os.getpid(), act()]
"""


class Snapshot:
    """Freezes the runtime while it waits for the restore, ends it, and restores it from the
    image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = Path(__file__).parent / "criu.c"
        words: list[str | Path] = ["gcc", "-shared", "-fPIC", "-o", folder / "criu.so", source]
        subprocess.run(words, check=True)
        self.process: subprocess.Popen[bytes]
        self.printed = ""
        self.started = threading.Event()

    def take(self) -> None:
        assert self.started.wait(10)
        words = ["--images-dir", str(self.folder), "--tcp-established", "--network-lock", "skip"]
        self.criu("dump", *words, "--tree", str(self.process.pid))
        # The restored process needs this pid.
        self.process.wait(20)
        self.criu("restore", *words, "--restore-detached")

    def criu(self, act: str, *words: str) -> None:
        assert CRIU
        done = subprocess.run(
            [CRIU, act, "-v4", "--log-file", f"{act}.log", *words],
            env={**os.environ, "LD_PRELOAD": str(self.folder / "criu.so")},
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            self.printed += (self.folder / f"{act}.log").read_text("utf-8", "replace")[-3000:]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = SCRATCH / f"criu-{threading.get_ident():x}"
    shutil.rmtree(made, ignore_errors=True)
    (made / "image").mkdir(parents=True)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_a_function_from_a_snapshot(folder: Path) -> None:
    client = components.runtime_client(PYTHON, components.python_version(PYTHON))
    (folder / "app.py").write_text(HANDLER)
    snapshot = Snapshot(folder / "image")
    log = folder / "output"
    with Api([{}], at_restore=snapshot.take) as api, log.open("wb") as output:
        environment = clean_environment(
            {
                "AWS_LAMBDA_RUNTIME_API": api.place,
                "AWS_LAMBDA_FUNCTION_NAME": "f",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "AWS_LAMBDA_LOG_GROUP_NAME": "g",
                "AWS_LAMBDA_LOG_STREAM_NAME": "s",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
                "LAMBDA_TASK_ROOT": str(folder),
                "LAMBDA_RUNTIME_DIR": str(client),
                "_HANDLER": "app.handler",
                "FUNCTION_SHIELD_POLICY": policy_file("default"),
            }
        )
        snapshot.process = subprocess.Popen(
            [str(LAUNCHER), str(PYTHON), str(client / "bootstrap.py"), str(client / "opt")],
            env=environment,
            cwd=ROOT / "build",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        snapshot.started.set()
        try:
            api.complete.wait(60)
        finally:
            # The restored process is not a child of this one.
            with contextlib.suppress(ProcessLookupError):
                os.kill(snapshot.process.pid, signal.SIGKILL)
    printed, events = split_events(log.read_text())
    assert snapshot.printed == "" and api.answers, (snapshot.printed, printed)
    ((_, body),) = api.answers.values()
    pid = snapshot.process.pid
    assert body == f'[{pid}, "refused", {pid}, "refused"]'.encode()
    armed = [event for event in events if event["event"] == "armed"]
    assert [event.get("restored") for event in armed] == [None, True]
    assert armed[0]["nonce"] != armed[1]["nonce"]
    assert [event["nonce"] for event in events if event["event"] == "violation"] == [
        armed[0]["nonce"],
        armed[1]["nonce"],
    ]
