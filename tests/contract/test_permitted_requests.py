"""The requests to the Runtime API that callers other than its client may make: one whole request
per connection.
"""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import nodes, rules, run_guarded


class Api(http.server.ThreadingHTTPServer):
    """Answers everything, keeps connections open, and notes every request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.asked.append(f"{self.command} {self.path} {len(body)}")
        self.send_response(200)
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


def environment(api: Api) -> dict[str, str]:
    place = f"127.0.0.1:{api.server_port}"
    credentials = f"http://{place}/2021-04-23/credentials"
    return {
        "AWS_LAMBDA_RUNTIME_API": place,
        "AWS_LAMBDA_METADATA_API": place,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials,
    }


METADATA, CREDENTIALS = "/2026-01-15/metadata/execution-environment", "/2021-04-23/credentials"
ASK = f"""
import http.client, os, urllib.request
place = os.environ["AWS_LAMBDA_METADATA_API"]
for path in ({METADATA!r}, {CREDENTIALS!r}, {METADATA!r}):
    headers = {{"Authorization": "Bearer t"}}
    request = urllib.request.Request("http://" + place + path, headers=headers)
    print(urllib.request.urlopen(request, timeout=5).read())
kept = http.client.HTTPConnection(place, timeout=5)
for _ in range(2):
    try:
        kept.request("GET", {CREDENTIALS!r})
        print(kept.getresponse().read())
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.mark.parametrize("mode", ["block", "alert"])
@pytest.mark.parametrize("outbound", ["allow", "block"])
def test_everybody_may_ask_once_a_connection(api: Api, mode: str, outbound: str) -> None:
    policy = rules(outbound, runtime_api=mode)
    done = run_guarded([sys.executable, "-c", ASK], policy=policy, env=environment(api))
    last = "PermissionError" if mode == "block" else "b'{}'"
    assert done.stdout.split() == ["b'{}'"] * 4 + [last], done
    assert [(event["policy"], event["mode"]) for event in done.violations] == [
        ("runtime_api", mode)
    ]
    expected = [f"GET {path} 0" for path in (METADATA, CREDENTIALS, METADATA, CREDENTIALS)]
    assert api.asked == expected + ([] if mode == "block" else expected[-1:])


REPORT = """
const http = require('http');
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const path = '/2018-06-01/runtime/init/error';
const body = JSON.stringify({ errorMessage: 'a'.repeat(100000) });
const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
const request = http.request({ host, port, path, method: 'POST', headers }, (answer) => {
    answer.resume();
    answer.on('end', () => console.log(answer.statusCode));
});
request.end(body);
"""


@pytest.mark.parametrize("node", nodes(), ids=lambda node: node.parent.parent.name)
def test_node_reports_an_init_error(api: Api, node: Path) -> None:
    done = run_guarded(
        [node, "-e", REPORT], policy=rules("block", runtime_api="block"), env=environment(api)
    )
    about = {event["policy"] for event in done.violations}
    assert done.stdout == "200\n" and about.isdisjoint({"runtime_api", "outbound_connectivity"}), (
        done
    )
    assert api.asked[0].startswith("POST /2018-06-01/runtime/init/error 1000")
