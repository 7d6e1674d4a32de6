"""The example with the hostile dependency, in the stand-in: what the dependency got, with and
without the guard."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped,unused-ignore]
from moto.server import ThreadedMotoServer

from fshield.local.container import GATEWAY, ContainerFunction
from fshield.local.demo import picture
from tests import support

EXAMPLE = support.ROOT / "examples" / "thumbnailer"
BUCKET, KEY, SMALL = "pictures", "sunset.png", "thumbnails/sunset.png"
SECRET = "a-secret-of-this-run"
PORT = 48666

# Plays the outside in the container: it keeps what is posted to 127.66.66.66, and returns it on
# request.
OUTSIDE = f"""
import http.server, json
kept = {{}}
class Keeper(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        kept[self.path] = self.rfile.read(int(self.headers["Content-Length"])).decode("latin-1")
        self.send_response(204)
        self.end_headers()
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(kept).encode())
http.server.ThreadingHTTPServer(("127.66.66.66", {PORT}), Keeper).serve_forever()
"""
ASK = (
    "import urllib.request;"
    f" print(urllib.request.urlopen('http://127.66.66.66:{PORT}/').read().decode())"
)
STORAGE_PORT = 48667


@contextmanager
def storage(host: str) -> Iterator[Any]:
    """moto's S3, at this machine's address in the container's network."""
    server = ThreadedMotoServer(ip_address=host, port=STORAGE_PORT, verbose=False)
    server.start()
    try:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{STORAGE_PORT}",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key=KEY, Body=picture())
        yield client
    finally:
        server.stop()


def libraries() -> dict[Path, str]:
    """boto3, which is pure Python. Lambda's runtime has it, and the Debian image does not."""
    return {Path(boto3.__file__).parents[1]: "/usr/local/lib/python3.13/dist-packages"}


def policy(path: Path) -> Path:
    """The default posture, and an entry for this test's storage, whose network Docker chooses from
    these."""
    storage = "".join(
        f"      - {{cidr: {network}, ports: [{STORAGE_PORT}], tls: none}}\n"
        for network in ("172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8")
    )
    text = (support.ROOT / "policies" / "default.yaml").read_text()
    assert text.count("      - aws:\n") == 1
    path.write_text(text.replace("      - aws:\n", storage + "      - aws:\n"))
    return path


def run(function: ContainerFunction) -> dict[str, Any]:
    """One invocation, and the state of the world after it."""
    with function:
        function.execute_behind("/var/lang/bin/python3", "-c", OUTSIDE)
        end = time.monotonic() + 60
        while (
            function.execute("/var/lang/bin/python3", "-c", ASK)[0] != 0 and time.monotonic() < end
        ):
            threading.Event().wait(0.1)
        with storage(function.gateway) as client:
            done = function.invoke(json.loads((EXAMPLE / "event.json").read_text()))
            found = client.list_objects_v2(Bucket=BUCKET, Prefix=SMALL).get("Contents", [])
            small = client.get_object(Bucket=BUCKET, Key=SMALL)["Body"].read() if found else None
        status, printed = function.execute("/var/lang/bin/python3", "-c", ASK)
        assert status == 0, printed
        stash = function.execute("/usr/bin/test", "-e", "/tmp/.tintbox-state")[0] == 0
    assert done.error is None, (done.error, done.output, function.log)
    return {"arrived": json.loads(printed), "stash": stash, "small": small, "done": done}


def test_the_dependency_is_held_and_the_work_is_done(debian: str, shared_path: Path) -> None:
    folder = shared_path / "thumbnailer"
    shutil.copytree(EXAMPLE, folder)
    chosen = policy(shared_path / "thumbnails.yaml")
    seen = {}
    for guarded in (False, True):
        function = ContainerFunction(
            folder,
            "app.handler",
            image=debian,
            sandbox=True,
            guarded=guarded,
            timeout=60,
            mounts=libraries(),
            policy=str(chosen) if guarded else None,
            env={
                "AWS_SESSION_TOKEN": SECRET,
                "AWS_ENDPOINT_URL": f"http://{GATEWAY}:{STORAGE_PORT}",
            },
        )
        seen[guarded] = run(function)
    bare, held = seen[False], seen[True]
    assert SECRET in bare["arrived"]["/environment"]
    assert "boto3" in bare["arrived"]["/source"]
    assert "/seen" in bare["arrived"]
    assert bare["stash"]
    assert held["arrived"] == {}
    assert not held["stash"]
    assert held["small"] == bare["small"] is not None
    assert held["done"].response == bare["done"].response
    named = {event["policy"] for event in held["done"].events if event.get("mode") == "block"}
    assert named == {
        "outbound_connectivity",
        "read_handler",
        "create_child_process",
        "read_write_tmp",
    }
    blocked = [event for event in held["done"].events if event.get("mode") == "block"]
    assert all("tintbox" in json.dumps(event["origin"]) for event in blocked)
