"""Runs a function in a container of a Lambda base image, with the layer in ``/opt``.

The image brings the runtime and the emulator (``/lambda-entrypoint.sh``, as AWS's own images and
the tests' stand-in do). Without the sandbox the container is as Docker makes it, and its emulator
is published on 127.0.0.1. With it, the restrictions of ``sandbox`` apply, and the container is
alone in a network that leads only to this machine.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import os
import re
import secrets
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fshield.errors import CouldNotRun
from fshield.local import sandbox as restricted
from fshield.local.emulator import Invocation, lambda_variables, post
from fshield.local.layer import LAUNCHER, find_layer, find_policy
from fshield.local.output import Output
from fshield.local.progress import waiting_for
from fshield.local.started import Started

#: AWS's own image, the default.
DEFAULT_IMAGE = "public.ecr.aws/lambda/python:3.13"
TASK, OPT = "/var/task", "/opt"
GATEWAY = "{gateway}"
_POLICY_FOLDER = "/var/function-shield"
_PORT = 8080
_START_S = 30.0
_API_S = 120
_END_S = 2.0
#: The emulator writes its own lines among those of the function.
_EMULATOR = re.compile(
    rb"(?:START|END|INIT_START|INIT_REPORT|REPORT)[ \t].*(?:RequestId|Phase|Runtime)"
    rb"|\d\d \w{3} \d{4} \d\d:\d\d:\d\d,\d{3} \[\w+\] \((?:rapid|extensions?|invoke)"
    rb"|time=\"[^\"]*\" level="
)
#: The emulator's lines at its start and, on the function's standard error, after an invocation.
_STARTED = b"(rapid) exec "
_ENDED = re.compile(rb"\(rapid\) (?:INVOKE RTDONE|Reset initiated)")


def connect() -> Any:
    """A client of the Docker daemon that answers.

    Raises:
        CouldNotRun: the package or the daemon is missing.
    """
    try:
        docker = importlib.import_module("docker")
    except ImportError as error:
        raise CouldNotRun(
            "containers need the Python package docker", "pip install docker"
        ) from error
    try:
        client = docker.from_env(timeout=_API_S)
        client.ping()
    except docker.errors.DockerException as error:
        where = os.environ.get("DOCKER_HOST") or "its usual socket"
        why = "this user may not use it" if "PermissionError" in str(error) else "no daemon answers"
        raise CouldNotRun(
            f"Docker cannot be used: {why} at {where}", "start it: `docker info` must work"
        ) from error
    return client


@contextlib.contextmanager
def _saying(what: str) -> Iterator[None]:
    """Turn errors of Docker, and of its connection, into one sentence."""
    requests = importlib.import_module("requests")
    errors = importlib.import_module("docker.errors")
    try:
        yield
    except (errors.DockerException, requests.RequestException) as error:
        raise CouldNotRun(f"{what}: {_short(error)}") from error


def _short(error: BaseException) -> str:
    text = str(getattr(error, "explanation", None) or error)
    return " ".join(text.split())[:300]


class ContainerFunction(Started):
    """A function in a container, that can be invoked until the ``with`` block ends.

    Args:
        folder: the function's package, mounted read-only as ``/var/task``.
        handler: ``module.function``.
        image: a Lambda base image; pulled if Docker does not have it.
        sandbox: add Lambda's restrictions, and take the network away.
        layer, policy, env, timeout, guarded: as for ``emulator.Function``.
        mounts: further files and folders, read-only: this machine's path, and the path in the
            container.

    With the sandbox, ``GATEWAY`` in a variable's value stands for this machine's address in its
    network.

    Raises:
        CouldNotRun: something is missing.
        PolicyError: the policy is wrong.
    """

    def __init__(
        self,
        folder: Path,
        handler: str,
        *,
        image: str = DEFAULT_IMAGE,
        sandbox: bool = False,
        layer: Path | None = None,
        policy: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        guarded: bool = True,
        mounts: Mapping[Path, str] | None = None,
    ) -> None:
        if not folder.is_dir():
            raise CouldNotRun(
                f"{folder}: no such folder", "name the folder that holds the function's code"
            )
        self.folder = folder.absolute()
        self.handler, self.image, self.sandbox, self.timeout = handler, image, sandbox, timeout
        self.environment = dict(env or {})
        self._layer = find_layer(layer) if guarded else None
        self._mounts = {self.folder: TASK, **(mounts or {})}
        self._policy = ""
        if self._layer:
            self._mounts[self._layer.folder] = OPT
            chosen = find_policy(self._layer, policy) if policy else None
            if chosen and chosen.variable != str(chosen.file):
                self._policy = chosen.variable
            elif chosen:
                self._policy = f"{_POLICY_FOLDER}/{chosen.file.name}"
                self._mounts[chosen.file] = self._policy
        if sandbox:
            self._check_host()
        #: What was written after the last invocation, and the emulator's own lines. Set at the end.
        self.rest: Invocation | None = None
        self.log = ""
        #: The running container and its network, the docker SDK's objects.
        self.container: Any = None
        self.network: Any = None
        #: This machine's own address in the sandbox's network, once that is there.
        self.gateway = ""
        super().__init__()

    def _check_host(self) -> None:
        if sys.platform != "linux":
            raise CouldNotRun(
                "the sandbox's network has no way in from this host, only from Linux",
                "leave out --sandbox",
            )
        for place in (self.folder, *([self._layer.folder] if self._layer else [])):
            if not place.stat().st_mode & stat.S_IXOTH:
                raise CouldNotRun(
                    f"{place}: the sandbox's user cannot read it, as Lambda's could not",
                    f"chmod -R a+rX {place}",
                )

    # ---- start and end ----

    def _start(self) -> None:
        client = connect()
        self._resources.callback(client.close)
        self._have_image(client)
        name = f"fshield-{secrets.token_hex(6)}"
        with _saying("the container did not start"):
            options: dict[str, Any] = {"ports": {f"{_PORT}/tcp": ("127.0.0.1", None)}}
            if self.sandbox:
                self.network = client.networks.create(name, driver="bridge", internal=True)
                self._resources.callback(self._quietly, self.network.remove)
                options = {"network": name, **restricted.restrictions()}
                self._know_gateway()
            self.container = client.containers.create(
                self.image,
                [self.handler],
                name=name,
                environment=self._variables(),
                detach=True,
                volumes={
                    str(place): {"bind": inside, "mode": "ro"}
                    for place, inside in self._mounts.items()
                },
                **options,
            )
            self._resources.callback(self._quietly, self.container.remove, force=True)
            self._output = _Output(self.container)
            self._resources.callback(self._end)
            self.container.start()
            self._address = self._find_address()
        self._await_emulator()

    def _have_image(self, client: Any) -> None:
        errors = importlib.import_module("docker.errors")
        try:
            with contextlib.suppress(errors.ImageNotFound):
                client.images.get(self.image)
                return
            with waiting_for(f"pulling {self.image}"):
                client.images.pull(self.image)
        except errors.DockerException as error:
            raise CouldNotRun(
                f"the image {self.image} is not here and cannot be pulled: {_short(error)}",
                "name an image that Docker has, or see whether the registry can be reached",
            ) from error

    def _variables(self) -> dict[str, str]:
        variables = lambda_variables(self.folder.name, self.timeout)
        if self._layer:
            variables["AWS_LAMBDA_EXEC_WRAPPER"] = f"{OPT}/{LAUNCHER}"
            if self._policy:
                variables["FUNCTION_SHIELD_POLICY"] = self._policy
        return variables | self.environment

    def _find_address(self) -> tuple[str, int]:
        self.container.reload()
        settings = self.container.attrs["NetworkSettings"]
        if self.network is not None:
            return str(settings["Networks"][self.network.name]["IPAddress"]), _PORT
        published = settings["Ports"].get(f"{_PORT}/tcp") or [{}]
        return "127.0.0.1", int(published[0].get("HostPort", 0))

    def _know_gateway(self) -> None:
        self.network.reload()
        self.gateway = str(self.network.attrs["IPAM"]["Config"][0]["Gateway"])
        for name, value in self.environment.items():
            self.environment[name] = value.replace(GATEWAY, self.gateway)

    def _await_emulator(self) -> None:
        """Wait for an HTTP answer: a published port accepts connections before it is served."""
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            connection = http.client.HTTPConnection(*self._address, timeout=1)
            with (
                contextlib.suppress(OSError, http.client.HTTPException),
                contextlib.closing(connection),
            ):
                connection.request("GET", "/")
                connection.getresponse().read()
                return
            with _saying("Docker does not answer"):
                self.container.reload()
                if self.container.status != "running":
                    break
            time.sleep(0.02)
        words = self.container.logs(tail=5).decode("utf-8", "replace").strip().splitlines()
        raise CouldNotRun(
            f"the emulator in {self.image} did not start:"
            f" {words[-1] if words else 'it said nothing'}",
            "name a Lambda base image: its entry point starts the emulator",
        )

    def _end(self) -> None:
        self._quietly(self.container.kill)
        self._output.close()
        stdout, stderr, events = self._output.take()
        self.rest = Invocation(None, None, 0.0, stdout, stderr, events)
        self.log = b"".join(self._output.emulator).decode("utf-8", "replace")

    @staticmethod
    def _quietly(act: Any, **options: Any) -> None:
        with contextlib.suppress(CouldNotRun), _saying("Docker"):
            act(**options)

    # ---- invocations ----

    def invoke(
        self, event: object, *, settle: bool = True, tenant_id: str | None = None
    ) -> Invocation:
        """Invoke the function with `event`, as ``emulator.Function.invoke`` does."""
        self._output.begins()
        response, failure, duration = post(*self._address, event, self.timeout + 15, tenant_id)
        if settle:
            self._output.settle()
        stdout, stderr, events = self._output.take()
        return Invocation(response, failure, duration, stdout, stderr, events)

    def execute(self, *command: str) -> tuple[int, bytes]:
        """Run a command in the container, next to the function and under its restrictions. Returns
        exit status and output.
        """
        with _saying(f"{command[0]} could not be run in the container"):
            done = self.container.exec_run(list(command))
            return int(done.exit_code), bytes(done.output)

    def execute_behind(self, *command: str) -> None:
        """Start a command in the container that runs until the container ends."""
        with _saying(f"{command[0]} could not be run in the container"):
            self.container.exec_run(list(command), detach=True)


class _Output(Output):
    """Reads what a container writes, from before it starts until it ends."""

    def __init__(self, container: Any) -> None:
        super().__init__(self._without_emulator)
        self.emulator: list[bytes] = []
        self._begun = self._ended = 0
        self._stream = container.attach(stdout=True, stderr=True, stream=True, demux=True)
        self._thread = threading.Thread(target=self._read, name="container output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, socket.timeout):
            for stdout, stderr in self._stream:
                self.add("stdout", stdout or b"")
                self.add("stderr", stderr or b"")

    def begins(self) -> None:
        """An invocation begins."""
        self._begun += 1

    def _behind(self) -> bool:
        """Docker hands on what the container writes after the response has come."""
        with self._lock:
            content = self._buffers["stderr"]
            started = _STARTED in content or any(_STARTED in line for line in self.emulator)
            return started and self._ended + len(_ENDED.findall(content)) < self._begun

    def _without_emulator(self, content: bytes) -> bytes:
        own: list[bytes] = []
        self._ended += len(_ENDED.findall(content))
        for line in content.splitlines(keepends=True):
            (self.emulator if _EMULATOR.match(line) else own).append(line)
        return b"".join(own)

    def close(self) -> None:
        self._thread.join(_END_S)
        with contextlib.suppress(OSError):
            self._stream.close()
