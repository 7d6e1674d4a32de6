"""examples/container: a web server without a Lambda runtime. The guard is its entry point."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import free_ports
from tests.support import LAYER, ROOT, UNGUARDED, clean_environment, policy_file, split_events

EXAMPLE = ROOT / "examples" / "container"
# A malicious dependency. The server loads it, and it acts on a certain request.
EVIL = """
import http.server, json, os, socket, subprocess
def code(act):
    try: act()
    except OSError as error: return type(error).__name__
    return "passed"
def attack(self):
    done = [
        code(lambda: open("/tmp/function-shield-evil", "w").close()),
        code(lambda: subprocess.run(["/usr/bin/true"], check=True)),
        code(lambda: socket.create_connection(("127.66.66.66", 9), 2)),
        code(lambda: open(os.environ["SERVER"]).read()),
    ]
    self.answer(200, done)
http.server.BaseHTTPRequestHandler.do_PUT = attack
"""


class Server:
    """The example's entry point, with the image's paths replaced by local ones."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(EXAMPLE, folder / "app")
        evil = folder / "site" / "evil"
        evil.mkdir(parents=True)
        (evil / "__init__.py").write_text(EVIL)
        (folder / "site" / "sitecustomize.py").write_text("import evil\n")
        self.cache = Path(f"/tmp/function-shield-cache-{os.getpid()}")
        rules = (EXAMPLE / "web.yaml").read_text()
        rules = rules.replace("/tmp/cache/", f"{self.cache}/").replace(
            "/srv/app/", f"{folder}/app/"
        )
        (self.port,) = free_ports(1)
        places = {
            "/opt/function-shield": LAYER / "function-shield",
            "/usr/local/bin/python3": os.path.realpath(sys.executable),
            "/srv/app/server.py": folder / "app" / "server.py",
        }
        (entry,) = (
            json.loads(line.removeprefix("ENTRYPOINT "))
            for line in (EXAMPLE / "Dockerfile").read_text().splitlines()
            if line.startswith("ENTRYPOINT ")
        )
        assert list(places) == entry
        command = [str(places[word]) for word in entry]
        self.process = subprocess.Popen(
            command[UNGUARDED:],
            env=clean_environment(
                {
                    "FUNCTION_SHIELD_POLICY": policy_file(rules),
                    "PYTHONPATH": str(folder / "site"),
                    "SERVER": command[-1],
                    "CACHE": str(self.cache),
                    "PORT": str(self.port),
                }
            ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, method: str, body: bytes = b"") -> Any:
        end = time.monotonic() + 20
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request(method, "/", body)
                return json.loads(connection.getresponse().read())
            except ConnectionRefusedError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            finally:
                connection.close()

    def end(self) -> tuple[str, list[Any]]:
        self.process.terminate()
        assert self.process.stderr
        printed = self.process.stderr.read()
        self.process.wait(10)
        return split_events(printed)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    shutil.rmtree(made.cache, ignore_errors=True)


def test_the_rules_hold_in_a_web_server(server: Server) -> None:
    assert server.ask("GET") == {"healthy": True}
    assert server.ask("POST", b"picture") == {"kept": 7}
    assert server.ask("PUT") == ["PolicyViolation"] * 4
    assert server.ask("GET") == {"healthy": True}
    _, events = server.end()
    assert [event["event"] for event in events] == ["armed", *["violation"] * 4]
    armed, *violations = events
    # The launcher has become the program.
    assert armed["pid"] == server.process.pid and "interpreter" in armed["rings"]
    assert [event["policy"] for event in violations] == [
        "read_write_tmp",
        "create_child_process",
        "outbound_connectivity",
        "read_handler",
    ]
    assert {event["origin"]["distribution"] for event in violations} == {"evil"}
    assert {event["mode"] for event in violations} == {"block"}
