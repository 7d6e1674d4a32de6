"""The machine and the network that a replay sees. Runs inside namespaces: ``unshare -n -m python -m
tests.incidents.world KEY…`` prints one JSON line a replay.

Every name leads to one local server, which notes every request. The metadata addresses and one bare
address lead to it too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trustme

from fshield.local.emulator import Function
from tests import support
from tests.egress.inside import make_links, settle_resolver
from tests.incidents.corpus import HERE, Act, Incident, incidents

RESOLVER = "10.77.0.53"
EVERYBODY = "10.77.0.80"
BARE = "10.77.0.66"
METADATA = ("169.254.169.254", "169.254.170.2")
PLAIN_PORTS = (80, 8000)
TLS_PORT = 443
SCRATCH = support.SCRATCH / "incidents"
LIB = HERE / "lib"
POLICIES = ("", "monitor", "default", "strict", "realistic", "only_for")
NODE_BOOTSTRAP = support.ROOT / "tests" / "attacks" / "lib" / "bootstrap.js"
TIMEOUT_S = 60
# The base interpreter: a virtual environment ignores the user's site-packages folder.
PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
ANSWER_S = 10

HANDLER_PY = """import {package}


def handler(event, context):
    {package}.begin("call")
    {package}.end()
    return "done"
"""
PACKAGE_PY = '''"""Plays {title}."""

import importlib
import os
import threading

from . import incident

ACTS = {acts}
THREADS = []


def begin(when):
    for name, moment in ACTS:
        if moment != when:
            continue
        module = importlib.import_module("." + name, __name__)
        if when == "thread":
            THREADS.append(threading.Thread(target=incident.perform, args=(module,), daemon=True))
            THREADS[-1].start()
        else:
            incident.perform(module)


def end():
    for thread in THREADS:
        thread.join(20)


# What an act starts inherits the .pth file with the environment, and acts no second time.
if not os.environ.get("INCIDENT_INSIDE"):
    os.environ["INCIDENT_INSIDE"] = "1"
    for moment in ("path_file", "import", "thread"):
        begin(moment)
'''
PACKAGE_JS = """'use strict';
// Plays {title}.
const {{ perform }} = require('./incident');
module.exports = async () => {{
    for (const name of {acts}) await perform(name, require('./' + name));
}};
"""


class Server:
    """Answers every request. Notes the host that it was sent to, and its text."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("everybody.example").configure_cert(context)
        places = [(EVERYBODY, port, None) for port in PLAIN_PORTS]
        places += [(address, 80, None) for address in METADATA]
        for address, port, wrap in [
            *places,
            (EVERYBODY, TLS_PORT, context),
            (BARE, TLS_PORT, context),
        ]:
            listener = socket.create_server((address, port), backlog=16)
            threading.Thread(target=self._accept, args=(listener, wrap), daemon=True).start()

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._answer, args=(connection, context), daemon=True).start()

    def _answer(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        connection.settimeout(ANSWER_S)
        with contextlib.suppress(OSError), connection:
            wrapped = context.wrap_socket(connection, server_side=True) if context else connection
            request = b""
            while b"\r\n\r\n" not in request:
                if not (more := wrapped.recv(65536)):
                    return
                request += more
            head, _, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head.lower())
            while length and len(body) < int(length[1]) and (more := wrapped.recv(65536)):
                body += more
            host = re.search(rb"\r\nhost: *([^\r:]+)", head, re.IGNORECASE)
            text = (head + body).decode("utf-8", "replace")
            self.notes.append((host[1].decode("ascii", "replace") if host else "", text))
            answer = _stage(text.split(" ")[1])
            wrapped.sendall(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                % (len(answer), answer)
            )
            # Lets the client read to the end before the connection closes.
            wrapped.shutdown(socket.SHUT_WR)


def _stage(target: str) -> bytes:
    """The next stage that a server sends: code that only leaves the mark named by the request's
    query."""
    path, _, marked = target.partition("?")
    if not marked.startswith("/"):
        return b"ok"
    if path.endswith(".sh"):
        return f"touch '{marked}'\n".encode()
    return f"open({marked!r}, 'w').close()\n".encode()


class World:
    """Names, servers and a /tmp, in the namespaces of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settled = 0
        make_links(folder, (RESOLVER, EVERYBODY, BARE, *METADATA), RESOLVER)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
        with (folder / "queries").open("wb") as log:
            self._resolver = subprocess.Popen(
                [
                    *("dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts"),
                    *("--conf-file=/dev/null", "--log-queries", "--bind-interfaces"),
                    *(f"--listen-address={RESOLVER}", f"--address=/#/{EVERYBODY}"),
                ],
                stdout=log,
                stderr=log,
            )
        self.server = Server()
        self._settle()

    def close(self) -> None:
        self._resolver.kill()
        self._resolver.wait()

    def _settle(self) -> str:
        self._settled += 1
        settle_resolver(self._folder, self._settled, RESOLVER)
        return (self._folder / "queries").read_text(errors="replace").lower()

    def replay(self, incident: Incident, policy: str) -> dict[str, Any]:
        """Run an incident's acts once under a policy; "" is without the guard."""
        run = Path(tempfile.mkdtemp(prefix="run-", dir=SCRATCH))
        secret = "s" + secrets.token_hex(8)
        self.server.notes.clear()
        try:
            for path in Path("/tmp").iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            environment = _environment(run, secret)
            for act in incident.acts:
                if act.prepare:
                    mark = f"{environment['INCIDENT_MARKS']}/{act.name}"
                    Path(act.prepare).write_bytes(_stage(f"/{act.prepare}?{mark}"))
            play = _play_python if incident.language == "py" else _play_node
            output, events = play(incident, run, policy, environment)
            queries = self._settle()
            acts = {}
            for act in incident.acts:
                words = [line for line in output if line.startswith(f"ACT {act.name} ")]
                seen = self._saw(act, run, secret, queries, words)
                acts[act.name] = {"seen": seen, "words": words, "events": _about(act, events)}
            return {"incident": incident.key, "policy": policy, "acts": acts, "output": output[-9:]}
        finally:
            shutil.rmtree(run, ignore_errors=True)

    def _saw(self, act: Act, run: Path, secret: str, queries: str, words: list[str]) -> bool:
        match act.proof:
            case "mark":
                return (run / "marks" / act.name).exists()
            case "file":
                return Path(act.target).exists()
            case "arrived":
                return any(host == act.to and secret in text for host, text in self.server.notes)
            case "question":
                return secret in queries
            case "word":
                return any(line.endswith(" DONE") for line in words)


def _about(act: Act, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of the act's rule that contain the act's text."""
    return [
        {"message": event["message"], "mode": event["mode"], "origin": event.get("origin")}
        for event in events
        if event["event"] == "violation"
        and event["policy"] == act.rule
        and act.says in json.dumps(event)
    ]


def _environment(run: Path, secret: str) -> dict[str, str]:
    """The function's environment variables. Also fills its home with files to steal."""
    home = run / "home"
    for name in (".ssh/id_rsa", ".aws/credentials", ".bash_history", ".vault-token"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"{secret}\n")
    (run / "marks").mkdir()
    return {
        "HOME": str(home),
        "INCIDENT_SECRET": secret,
        "INCIDENT_MARKS": str(run / "marks"),
        "INCIDENT_ADDRESS": BARE,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


def _policy(name: str) -> str:
    """The value for FUNCTION_SHIELD_POLICY."""
    if (HERE / f"{name}.yaml").exists():
        return support.policy_file(HERE / f"{name}.yaml")
    return name


def _play_python(
    incident: Incident, run: Path, policy: str, environment: dict[str, str]
) -> tuple[list[str], list[dict[str, Any]]]:
    """A real handler under the real runtime client, with the package among its dependencies."""
    package = incident.distribution.replace("-", "_")
    task = run / "task"
    task.mkdir()
    (task / "app.py").write_text(HANDLER_PY.format(package=package))
    by_path_file = any(act.when == "path_file" for act in incident.acts)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    place = run / "user" / "lib" / version / "site-packages" if by_path_file else task
    place.mkdir(parents=True, exist_ok=True)
    _install(incident, package, place)
    if by_path_file:
        (place / f"{package}_init.pth").write_text(f"import {package}\n")
    with Function(
        task,
        "app.handler",
        python=PYTHON,
        policy=_policy(policy) if policy else None,
        env={**environment, "PYTHONUSERBASE": str(run / "user")},
        guarded=bool(policy) and not support.UNGUARDED,
        timeout=TIMEOUT_S,
    ) as function:
        done = function.invoke({})
    assert function.rest is not None
    return done.output + function.rest.output, done.events + function.rest.events


def _install(incident: Incident, package: str, place: Path) -> None:
    folder = place / package
    folder.mkdir()
    acts = [(act.name, act.when) for act in incident.acts]
    (folder / "__init__.py").write_text(PACKAGE_PY.format(title=incident.title, acts=acts))
    shutil.copy(LIB / "incident.py", folder)
    for act in incident.acts:
        shutil.copy(act.path, folder)
    about = place / f"{package}-{incident.version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {incident.distribution}\nVersion: {incident.version}\n"
    )
    (about / "RECORD").write_text(
        "".join(f"{path.relative_to(place)},,\n" for path in sorted(folder.iterdir()))
    )


def _play_node(
    incident: Incident, run: Path, policy: str, environment: dict[str, str]
) -> tuple[list[str], list[dict[str, Any]]]:
    """A Node function, started as the runtime client does. An incident without a distribution plays
    its acts in the function's own code."""
    task = run / "task"
    folder = task / "node_modules" / incident.distribution if incident.distribution else task
    folder.mkdir(parents=True)
    names = json.dumps([act.name for act in incident.acts])
    main = "index.js" if incident.distribution else "acts.js"
    (folder / main).write_text(PACKAGE_JS.format(title=incident.title, acts=names))
    if incident.distribution:
        about = {"name": incident.distribution, "version": incident.version, "main": main}
        (folder / "package.json").write_text(json.dumps(about))
    shutil.copy(LIB / "incident.js", folder)
    for act in incident.acts:
        shutil.copy(act.path, folder)
    load = incident.distribution or "./acts.js"
    (task / "app.js").write_text(f"exports.handler = () => require({load!r})();\n")
    given = support.clean_environment(
        {**environment, "LAMBDA_TASK_ROOT": str(task), "_HANDLER": "app.handler"}
    )
    command = [shutil.which("node") or "node", str(NODE_BOOTSTRAP)]
    if policy and not support.UNGUARDED:
        given["FUNCTION_SHIELD_POLICY"] = _policy(policy)
        command.insert(0, str(support.LAUNCHER))
    done = subprocess.run(
        command,
        cwd=task,
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
        check=False,
    )
    stderr, events = support.split_events(done.stderr)
    return done.stdout.splitlines() + stderr.splitlines(), events


@contextlib.contextmanager
def world() -> Iterator[World]:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="world-", dir=SCRATCH))
    made = World(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def main(keys: list[str]) -> None:
    chosen = [incident for incident in incidents() if incident.key in keys]
    with world() as here:
        for incident in chosen:
            for policy in POLICIES:
                begun = time.monotonic()
                found = here.replay(incident, policy)
                print(json.dumps({**found, "seconds": time.monotonic() - begun}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)
