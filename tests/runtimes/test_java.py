"""Java's runtime client: its native part may make any request, its Java part only those for errors
and restores.

The client itself is in Maven's registry, which the tests do not use. A stand-in makes the same
requests as its sources: aws/aws-lambda-java-libs, LambdaRuntimeApiClientImpl and JniHelper.
"""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.tried import JNI, java_client, others
from tests.support import Guarded, rules, run_guarded

JAVAS = {name: path for name, path in others().items() if name.startswith("java")}
pytestmark = pytest.mark.skipif(
    not (shutil.which("javac") and shutil.which("gcc")), reason="no JDK or no gcc on this machine"
)


class Api(http.server.ThreadingHTTPServer):
    """Hands out the invocations 1, 2, …, and notes every request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.invocations = 0
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.asked.append(f"{self.command} {self.path.removeprefix('/2018-06-01/runtime/')}")
        self.send_response(202 if self.command == "POST" else 200)
        if self.path.endswith("/invocation/next"):
            self.server.invocations += 1
            self.send_header("Lambda-Runtime-Aws-Request-Id", f"id-{self.server.invocations}")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def client() -> Path:
    return java_client()


def act(api: Api, folder: Path, acts: list[str], mode: str = "block") -> Guarded:
    library = folder / "libaws-lambda-jni.linux-x86_64.so"
    command: list[str | Path] = ["java", "-cp", folder, f"-D{JNI}={library}", "Client", *acts]
    return run_guarded(
        command,
        policy=rules("block", runtime_api=mode),
        env={"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}"},
        timeout=60,
    )


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_errors_and_restores_are_reported(api: Api, client: Path, mode: str) -> None:
    acts = [
        *("GET restore/next", "next", "POST invocation/id-1/error", "next", "answer"),
        *("next", "POST invocation/id-3/error", "POST restore/error"),
    ]
    done = act(api, client, acts, mode)
    assert done.stdout.split() == ["200", "true", "202", "true", "true", "true", "202", "202"], done
    assert done.of("runtime_api") == []
    assert "POST invocation/id-1/error" in api.asked and "POST invocation/id-3/error" in api.asked


@pytest.mark.parametrize(
    "forbidden",
    [
        "GET invocation/next",
        "POST invocation/id-1/response",
        "POST invocation/id-2/error",
        "POST invocation/id-1/error/more",
        "GET init/error",
        "POST logs",
    ],
)
def test_nothing_else_is(api: Api, client: Path, forbidden: str) -> None:
    done = act(api, client, ["next", forbidden])
    first, second = done.stdout.split()
    assert first == "true" and not second.isdigit(), done
    assert {event["policy"] for event in done.violations} == {"runtime_api"}
    assert api.asked == ["GET invocation/next"]


def test_an_error_of_initialisation_is_reported(api: Api, client: Path) -> None:
    done = act(api, client, ["POST init/error"])
    assert (done.stdout, done.of("runtime_api")) == ("202\n", []), done
    assert api.asked == ["POST init/error"]


def test_an_invocation_fails_once(api: Api, client: Path) -> None:
    done = act(api, client, ["next", *["POST invocation/id-1/error"] * 2])
    first, second, third = done.stdout.split()
    assert (first, second) == ("true", "202") and not third.isdigit(), done
    assert api.asked.count("POST invocation/id-1/error") == 1
