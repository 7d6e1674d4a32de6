"""Runs a function in Python or Node.js under the Runtime Interface Emulator as Lambda would:
bootstrap, exec wrapper, runtime client.

The emulator (see its README) applies no seccomp, no other user and no read-only root. The bootstrap
script here starts the exec wrapper, as ``/var/runtime/bootstrap`` does on Lambda.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import random
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fshield.errors import CouldNotRun
from fshield.local import components
from fshield.local import runtime as runtimes
from fshield.local.cache import cache_folder
from fshield.local.layer import Layer, find_policy, layer_to_run, refuse_blocked_places
from fshield.local.metadata import Metadata
from fshield.local.output import Output
from fshield.local.started import Started

_INVOKE = "/2015-03-31/functions/function/invocations"
_START_S = 15.0
_STOP_S = 5.0
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST_PORT = 10000
_MAX_RESPONSE = 16 << 20


@dataclass(frozen=True)
class Invocation:
    """The result of one invocation.

    Args:
        response: what the handler returned, from JSON; None if it did not return.
        error: the runtime's error (``errorType``, ``errorMessage``, …), or None.
        duration_ms: from the request to the response; for a first invocation, including the start
            of the runtime.
        stdout, stderr: the function's own bytes, without the events.
        events: the engine's events, normalised, in their order.
    """

    response: Any
    error: dict[str, Any] | None
    duration_ms: float
    stdout: bytes
    stderr: bytes
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def output(self) -> list[str]:
        """The function's own lines: those of stdout, then those of stderr."""
        return [
            line
            for stream in (self.stdout, self.stderr)
            for line in stream.decode("utf-8", "replace").splitlines()
        ]


class Function(Started):
    """A function that can be invoked until the ``with`` block ends.

    Args:
        folder: the function's package, the content of ``/var/task`` on Lambda.
        handler: ``module.function``.
        python: the interpreter, with the libraries that the runtime would bring (boto3).
        node: Node.js, for a handler in JavaScript; None: the handler is in Python.
        layer: the unpacked layer; None: find it. Ignored if `guarded` is False.
        policy: a policy's name in the layer, or a file; None leaves the choice to the launcher.
        env: variables of the function, over the ones that Lambda sets.
        timeout: seconds an invocation may take, start included.
        guarded: False runs the function without the wrapper.

    Raises:
        CouldNotRun: something is missing, or lies under /tmp while the policy blocks that.
        PolicyError: the policy is wrong.
    """

    def __init__(
        self,
        folder: Path,
        handler: str,
        *,
        python: Path | str = sys.executable,
        node: Path | str | None = None,
        layer: Path | None = None,
        policy: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        guarded: bool = True,
        metadata: bool = False,
    ) -> None:
        if not folder.is_dir():
            raise CouldNotRun(
                f"{folder}: no such folder", "name the folder that holds the function's code"
            )
        # On Lambda, /var/task is no link. By another name than its own, what the guard finds in the
        # folder would seem to lie outside of it.
        self.folder, self._name = folder.resolve(), folder.absolute().name
        self.handler = handler
        self._in_node = node is not None
        self._program = (
            runtimes.program(python, "interpreter", "--python")
            if node is None
            else runtimes.program(node, "Node.js", "--node")
        )
        self.timeout = timeout
        #: The function's variables, over the ones that Lambda sets. May be changed until the
        #: ``with`` block begins.
        self.environment = dict(env or {})
        self._metadata = metadata
        self._layer = layer_to_run(layer) if guarded else None
        self._policy = find_policy(self._layer, policy) if self._layer and policy else None
        #: What the function and the engine wrote after the last invocation, and the emulator's own
        #: log. Set at the end.
        self.rest: Invocation | None = None
        self.log = ""
        super().__init__()
        if self._layer:
            self._check_places(self._layer)

    def _check_places(self, layer: Layer) -> None:
        name = self.environment.get("AWS_LAMBDA_FUNCTION_NAME", self._name)
        file = (
            self._policy.file
            if self._policy
            else next(
                (
                    path
                    for path in (layer.policy_file(name), layer.policy_file("default"))
                    if path.is_file()
                ),
                None,
            )
        )
        if file is not None and self.environment.get("FUNCTION_SHIELD_MODE") not in {
            "alert",
            "off",
        }:
            places = [
                ("the function folder", self.folder),
                ("the layer", layer.folder),
                ("Node.js" if self._in_node else "the Python", self._program),
            ]
            refuse_blocked_places(file, [*places, ("the cache (FSHIELD_CACHE)", cache_folder())])

    # ---- start and end ----

    def prepare(self) -> tuple[Path, runtimes.Runtime]:
        """Fetch the emulator and the runtime client, unless they are cached.

        Raises:
            CouldNotRun: it cannot be had.
        """
        # Without a layer, /opt is empty.
        opt = self._layer.folder if self._layer else cache_folder("runs") / "no-layer/opt"
        if self._in_node:
            runtime = runtimes.of_node(self._program, self.folder, opt)
        else:
            runtime = runtimes.of_python(self._program, opt)
        return components.emulator(), runtime

    def _start(self) -> None:
        emulator, runtime = self.prepare()
        run = Path(tempfile.mkdtemp(prefix="run-", dir=cache_folder("runs")))
        self._resources.callback(shutil.rmtree, run, ignore_errors=True)
        self._streams = _Streams(run)
        self._resources.callback(self._streams.close)
        bootstrap = run / "bootstrap"
        runtime_port, self._port = free_ports(2)
        variables = self._metadata_variables(runtime_port) if self._metadata else {}
        bootstrap.write_text(self._bootstrap(run, runtime.command, variables), encoding="utf-8")
        bootstrap.chmod(0o755)
        self._log_path = run / "emulator.log"
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(emulator),
                    "--runtime-api-address",
                    f"127.0.0.1:{runtime_port}",
                    "--runtime-interface-emulator-address",
                    f"127.0.0.1:{self._port}",
                    str(bootstrap),
                    self.handler,
                ],
                cwd=self.folder,
                env=self._environment(runtime),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pids = run / "pids"
        self._resources.callback(self._stop)
        self._await_emulator()

    def _metadata_variables(self, runtime_port: int) -> dict[str, str]:
        """A metadata endpoint in front of the emulator's Runtime API, and how it is found."""
        endpoint = self._resources.enter_context(Metadata(runtime_port))
        return {
            "AWS_LAMBDA_RUNTIME_API": endpoint.place,
            "AWS_LAMBDA_METADATA_API": endpoint.place,
            "AWS_LAMBDA_METADATA_TOKEN": endpoint.token,
        }

    def _bootstrap(self, run: Path, words: Iterable[str], variables: Mapping[str, str]) -> str:
        command = " ".join(map(shlex.quote, words))
        exports = "".join(f"export {name}={value}\n" for name, value in variables.items())
        # The emulator mixes its own lines into the function's streams: ours are pipes beside it.
        return f"""#!/bin/sh
# As Lambda's /var/runtime/bootstrap: starts the runtime, or the exec wrapper with the runtime as
# its arguments.
echo $$ >>{shlex.quote(str(run / "pids"))}
exec >{shlex.quote(str(run / "stdout"))} 2>{shlex.quote(str(run / "stderr"))}
export _HANDLER="$1"
{exports}if [ -n "${{AWS_LAMBDA_EXEC_WRAPPER-}}" ]; then
    exec "$AWS_LAMBDA_EXEC_WRAPPER" {command}
fi
exec {command}
"""

    def _environment(self, runtime: runtimes.Runtime) -> dict[str, str]:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(self.folder),
            "LAMBDA_RUNTIME_DIR": str(runtime.folder),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime.name}",
            **runtime.variables,
            **lambda_variables(self._name, self.timeout),
        }
        if self._layer:
            environment["AWS_LAMBDA_EXEC_WRAPPER"] = str(self._layer.launcher)
            if self._policy:
                environment["FUNCTION_SHIELD_POLICY"] = self._policy.variable
        return environment | self.environment

    def _await_emulator(self) -> None:
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), timeout=1),
            ):
                return
            time.sleep(0.01)
        words = self._log_path.read_text("utf-8", "replace").strip().splitlines()
        raise CouldNotRun(
            f"the emulator did not start: {words[-1] if words else 'it said nothing'}"
        )

    def _stop(self) -> None:
        runtimes = self._runtimes()
        try:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            for descriptor in runtimes:
                _end(descriptor)
        finally:
            for descriptor in runtimes:
                os.close(descriptor)
        stdout, stderr, events = self._streams.take()
        self.rest = Invocation(None, None, 0.0, stdout, stderr, events)
        self.log = self._log_path.read_text("utf-8", "replace")

    def _runtimes(self) -> list[int]:
        """Handles on the running runtime processes. Unlike a pid, a handle always means the same
        process.
        """
        found = []
        with contextlib.suppress(OSError):
            for word in self._pids.read_text("ascii").split():
                with contextlib.suppress(OSError):
                    found.append(os.pidfd_open(int(word)))
        return found

    # ---- invocations ----

    def pid(self) -> int:
        """The process id of the runtime that was started last. Raises CouldNotRun before the first
        invocation."""
        with contextlib.suppress(OSError, IndexError):
            return int(self._pids.read_text("ascii").split()[-1])
        raise CouldNotRun("the runtime has not been started")

    def invoke(
        self, event: object, *, settle: bool = True, tenant_id: str | None = None
    ) -> Invocation:
        """Invoke the function with `event`, which becomes JSON.

        Args:
            event: what the handler gets.
            tenant_id: the tenant that the invocation is for, of a function with tenant isolation.
            settle: wait for what is written just after the response. False if only the time
                matters.

        Raises:
            CouldNotRun: the emulator did not answer in time.
        """
        response, failure, duration = post(
            "127.0.0.1", self._port, event, self.timeout + 15, tenant_id
        )
        if settle:
            self._streams.settle()
        stdout, stderr, events = self._streams.take()
        return Invocation(response, failure, duration, stdout, stderr, events)


class _Streams(Output):
    """Reads what the function writes to stdout and stderr, from two named pipes in the run's
    folder."""

    def __init__(self, run: Path) -> None:
        super().__init__()
        self._reading = threading.Lock()
        self._selector = selectors.DefaultSelector()
        wake_read, self._wake_write = os.pipe()
        self._selector.register(wake_read, selectors.EVENT_READ, None)
        for name in ("stdout", "stderr"):
            os.mkfifo(run / name, 0o600)
            # Open for writing too, so that the pipe does not end when a runtime does.
            self._selector.register(
                os.open(run / name, os.O_RDWR | os.O_NONBLOCK), selectors.EVENT_READ, name
            )
        self._thread = threading.Thread(target=self._read, name="function output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                with self._reading, contextlib.suppress(BlockingIOError):
                    self.add(key.data, os.read(key.fd, 1 << 16))

    def _behind(self) -> bool:
        with self._reading:
            return any(
                int.from_bytes(fcntl.ioctl(key.fd, termios.FIONREAD, bytes(4)), sys.byteorder)
                for key in list(self._selector.get_map().values())
                if key.data is not None
            )

    def close(self) -> None:
        os.write(self._wake_write, b"x")
        self._thread.join(_STOP_S)
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            os.close(key.fd)
        os.close(self._wake_write)
        self._selector.close()


def post(
    host: str, port: int, event: object, timeout: float, tenant_id: str | None = None
) -> tuple[Any, dict[str, Any] | None, float]:
    """Response, error, and milliseconds of one invocation by the emulator that listens at `host`
    and `port`.

    Raises:
        CouldNotRun: it did not answer within `timeout` seconds.
    """
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    begin = time.perf_counter()
    try:
        headers = {"Content-Type": "application/json"}
        if tenant_id is not None:
            headers["X-Amz-Tenant-Id"] = tenant_id
        connection.request("POST", _INVOKE, json.dumps(event).encode(), headers)
        answer = connection.getresponse()
        content = answer.read(_MAX_RESPONSE)
    except (OSError, http.client.HTTPException) as error:
        raise CouldNotRun(f"the emulator did not answer: {error!r}") from error
    finally:
        connection.close()
    duration = (time.perf_counter() - begin) * 1000
    return *_outcome(answer.status, content), duration


def lambda_variables(name: str, timeout: float) -> dict[str, str]:
    """The variables that Lambda sets for the function `name`, wherever it runs."""
    return {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        # Not real keys: local stand-ins for AWS accept any.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(max(1, int(timeout))),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
    }


def _outcome(status: int, content: bytes) -> tuple[Any, dict[str, Any] | None]:
    """Response and error. The emulator answers 200 for a handler that raised: only the body
    tells.
    """
    words = content[:400].decode("utf-8", "replace")
    try:
        answer = json.loads(content)
    except ValueError:
        # The emulator's own message for a handler that took too long.
        kind = "Sandbox.Timedout" if "timed out" in words else "Sandbox.Failure"
        return None, {"errorType": kind, "errorMessage": words}
    if isinstance(answer, dict) and {"errorType", "errorMessage"} <= answer.keys():
        return None, answer
    if status != http.client.OK:
        return None, {"errorType": "Sandbox.Failure", "errorMessage": words}
    return answer, None


def free_ports(count: int) -> list[int]:
    """Ports that are free now. The kernel gives them to no other program before the emulator binds
    them: they lie below its range, as long as that leaves enough."""
    lowest = 0
    with contextlib.suppress(OSError):
        lowest = int(_PORT_RANGE.read_text("ascii").split()[0])
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            port = random.randrange(_LOWEST_PORT, lowest) if lowest > 2 * _LOWEST_PORT else 0
            one = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(int(one.getsockname()[1]))
        return found


def _end(process: int) -> None:
    """End the process: SIGTERM first, then SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGTERM)
        with selectors.DefaultSelector() as selector:
            selector.register(process, selectors.EVENT_READ)
            if not selector.select(_STOP_S):
                signal.pidfd_send_signal(process, signal.SIGKILL)
