"""A small Runtime API that hands out events to any number of clients, and keeps their answers.

Lambda's own emulator serves one invocation at a time, and does not support Managed Instances.
"""

from __future__ import annotations

import http.server
import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support import (
    LAUNCHER,
    ROOT,
    UNGUARDED,
    Event,
    clean_environment,
    policy_file,
    split_events,
)

INVOCATION = "/2018-06-01/runtime/invocation/"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
METADATA = "/2026-01-15/metadata/execution-environment"


class Api(http.server.ThreadingHTTPServer):
    """Serves on 127.0.0.1 until closed. ``answers`` maps each request id to the answer.

    No event is handed out before `pollers` connections wait for one, and each of those gets one
    first, so that a few of many workers cannot serve all events.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        events: Sequence[Any],
        pollers: int = 1,
        at_restore: Callable[[], None] = lambda: None,
    ) -> None:
        self.at_restore = at_restore
        super().__init__(("127.0.0.1", 0), _Handler)
        self.waiting: queue.Queue[tuple[str, Any]] = queue.Queue()
        for index, event in enumerate(events):
            self.waiting.put((f"00000000-0000-4000-8000-{index:012d}", event))
        self.expected = len(events)
        self.answers: dict[str, tuple[str, bytes]] = {}
        self.pollers = pollers
        # The connections that asked for an event first, and whether each has got one.
        self.first: dict[int, bool] = {}
        self.trailers: list[str] = []
        self.init_errors: list[bytes] = []
        self.complete = threading.Event()
        self.closed = threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def may_serve(self, connection: int) -> bool:
        """Whether the connection may have an event now."""
        with self.lock:
            if len(self.first) < self.pollers:
                self.first.setdefault(connection, False)
            if len(self.first) < self.pollers:
                return False
            if all(self.first.values()):
                return True
            if self.first.get(connection, True):
                return False
            self.first[connection] = True
            return True

    def note(self, request: str, kind: str, body: bytes) -> None:
        with self.lock:
            self.answers.setdefault(request, (kind, body))
            if len(self.answers) >= self.expected:
                self.complete.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: a runtime that is ended drops its connections."""

    def server_close(self) -> None:
        self.closed.set()
        self.shutdown()
        super().server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def do_GET(self) -> None:
        if self.path == METADATA:
            allowed = self.headers.get("Authorization") == "Bearer token"
            self._say(200 if allowed else 401, {"AvailabilityZoneID": "use1-az1"})
            return
        if self.path.endswith("/restore/next"):
            self.server.at_restore()
            self._say(200, {})
            return
        while not self.server.complete.is_set():
            if not self.server.may_serve(self.client_address[1]):
                time.sleep(0.02)
                continue
            try:
                request, event = self.server.waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            self._say(
                200,
                event,
                {
                    "Lambda-Runtime-Aws-Request-Id": request,
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                    "Lambda-Runtime-Deadline-Ms": "4000000000000",
                },
            )
            return
        # Lambda keeps a waiting connection open. If it were closed, Ruby's client would ask again.
        self.server.closed.wait(10)
        self.close_connection = True

    def do_POST(self) -> None:
        body = self._body()
        request, _, kind = self.path.removeprefix(INVOCATION).partition("/")
        if self.path.endswith(("/init/error", "/restore/error")):
            self.server.init_errors.append(body)
            self.server.complete.set()
        else:
            self.server.note(request, kind, body)
        self._say(202, {"status": "OK"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while (line := self.rfile.readline().strip()) != b"":
            self.server.trailers.append(line.decode("latin-1"))
        return body

    def _say(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Served:
    """A runtime's answers, and the output of runtime and guard."""

    def __init__(self, api: Api, output: str) -> None:
        self.answers = [api.answers.get(key) for key in sorted(api.answers)]
        self.trailers, self.init_errors = api.trailers, api.init_errors
        self.output, self.events = split_events(output)

    @property
    def bodies(self) -> list[Any]:
        """The answers, parsed if they are JSON."""
        found: list[Any] = []
        for kind, body in filter(None, self.answers):
            try:
                found.append(json.loads(body) if kind == "response" else kind)
            except ValueError:
                found.append(body.decode())
        return found

    @property
    def violations(self) -> list[Event]:
        return [event for event in self.events if event["event"] == "violation"]


def serve(
    command: Sequence[str | Path],
    *,
    task: Path,
    events: Sequence[Any],
    policy: Any,
    env: Mapping[str, str] | None = None,
    handler: str = "app.handler",
    timeout: float = 180,
    pollers: int = 1,
    at_restore: Callable[[], None] = lambda: None,
) -> Served:
    """Run a runtime until it has answered `events` or has ended. If ``policy`` is None, it runs
    without the guard. `at_restore` is called when the runtime waits for the restore of a snapshot.
    """
    with Api(events, pollers, at_restore) as api:
        environment = clean_environment(
            {
                "AWS_LAMBDA_RUNTIME_API": api.place,
                "AWS_LAMBDA_METADATA_API": api.place,
                "AWS_LAMBDA_METADATA_TOKEN": "token",
                "AWS_LAMBDA_FUNCTION_NAME": "f",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "AWS_LAMBDA_LOG_GROUP_NAME": "g",
                "AWS_LAMBDA_LOG_STREAM_NAME": "s",
                "LAMBDA_TASK_ROOT": str(task),
                "_HANDLER": handler,
                **(env or {}),
            }
        )
        words = [str(word) for word in command]
        if policy is not None and not UNGUARDED:
            environment["FUNCTION_SHIELD_POLICY"] = policy_file(policy)
            words.insert(0, str(LAUNCHER))
        log = task / "output"
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                env=environment,
                cwd=ROOT / "build",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            # In steps, so that the wait ends if the runtime ends early.
            for _ in range(int(timeout * 10)):
                if api.complete.wait(0.1) or process.poll() is not None:
                    break
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return Served(api, log.read_text("utf-8", "replace"))
