"""A Web Function cannot have a wrapper. Its entry file can replace itself by the guarded program,
as docs/lambda.md shows."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import free_ports
from tests.support import LAYER, ROOT, clean_environment, split_events

SERVER = """
const [host, port] = process.env.AWS_LAMBDA_HTTP_ENDPOINT.split(":");
require("http").createServer((request, answer) => {
  let done = "passed";
  try { require("fs").writeFileSync("/tmp/function-shield-web", ""); }
  catch (error) { done = error.code; }
  answer.end(JSON.stringify([process.pid, done]));
}).listen(Number(port), host);
"""


def entry() -> str:
    """The entry file on the page."""
    page = (ROOT / "docs" / "lambda.md").read_text()
    found = re.search(r"## Web Functions\n.*?```js\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1].replace("/var/task/guard", str(LAYER))


def ask(port: int, process: subprocess.Popen[str]) -> Any:
    end = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/")
            return json.loads(connection.getresponse().read())
        except ConnectionRefusedError:
            if time.monotonic() > end or process.poll() is not None:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


def test_the_entry_file_becomes_the_guarded_server(node: Path, tmp_path: Path) -> None:
    knows = subprocess.run(
        [node, "-p", "typeof process.execve"], capture_output=True, text=True, check=True
    )
    if knows.stdout.strip() != "function":
        pytest.skip("this Node has no process.execve")
    (tmp_path / "index.js").write_text(entry())
    (tmp_path / "server.js").write_text(SERVER)
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [node, tmp_path / "index.js"],
        env=clean_environment(
            {
                "AWS_LAMBDA_HTTP_ENDPOINT": f"127.0.0.1:{port}",
                "FUNCTION_SHIELD_POLICY": "default",
            }
        ),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        answer = ask(port, process)
    finally:
        process.kill()
        assert process.stderr
        output = process.stderr.read()
        process.wait()
    assert answer == [process.pid, "EACCES"], output
    _, events = split_events(output)
    assert [(event["event"], event["pid"]) for event in events] == [
        ("armed", process.pid),
        ("violation", process.pid),
    ]
