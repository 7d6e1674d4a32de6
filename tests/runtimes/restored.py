"""Runs a function through the restore of a snapshot. After the restore it seems to be on another
machine, with other name servers.

``tests/contract/nameserver.py`` starts it in a separate network: ``restored.py PYTHON FOLDER``.
Prints the function's answers and the events as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dns.message

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from fshield.local import components
from tests.attacks.sinks import ALLOWED, OUTSIDE, RESOLVER
from tests.runtimes.api import serve

NAME = "api.allowed.example"
HANDLER = f"""
import os, socket, subprocess, sys
from snapshot_restore_py import register_after_restore, register_before_snapshot
QUERY = bytes.fromhex({dns.message.make_query(NAME, "A").to_wire().hex()!r})
ASK = '''
import socket, sys
def ask(host, query):
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(query, (host, 53))
    except PermissionError: return "refused"
    return "sent"
'''
exec(ASK)
def reach():
    try: socket.create_connection(({ALLOWED!r}, 443), 5).close()
    except PermissionError: return "refused"
    return "connected"
def acts():
    return [reach(), ask({RESOLVER!r}, QUERY), ask({OUTSIDE!r}, QUERY)]
def child():
    code = ASK + "query = bytes.fromhex(sys.argv[1])\\n" + "".join(
        f"print(ask({{host!r}}, query))\\n" for host in ({RESOLVER!r}, {OUTSIDE!r}))
    words = [sys.executable, "-c", code, QUERY.hex()]
    return subprocess.run(words, capture_output=True, text=True).stdout.split()
def repeat():
    for _ in range(3):
        try: open("/tmp/function-shield-restored")
        except OSError: pass
socket.getaddrinfo({NAME!r}, 443)
seen = {{"before": acts()}}
register_before_snapshot(repeat)
register_after_restore(lambda: seen.update(hook=acts()))
def handler(event, context):
    repeat()
    found = acts()
    socket.getaddrinfo({NAME!r}, 443) if event["again"] else None
    return {{**seen, "after": found, "child": child(), "again": reach()}}
"""
POLICY = {
    "policy": {
        "outbound_connectivity": {"mode": "block", "allow": [{"host": NAME}]},
        "read_write_tmp": "block",
        "create_child_process": "allow",
        "runtime_api": "block",
    }
}


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def main() -> None:
    python, folder = Path(sys.argv[1]), Path(sys.argv[2])
    target = os.path.realpath("/etc/resolv.conf")
    other = folder / "other.conf"
    other.write_text(f"nameserver {OUTSIDE}\noptions timeout:1 attempts:1\n")
    # The function is root in here, and can write to everything that is not read-only.
    mount("--rbind", "/etc", "/etc")
    mount("-o", "remount,bind,ro", "/etc")
    mount("-o", "remount,bind,ro", target)

    def move() -> None:
        mount("--bind", str(other), target)
        mount("-o", "remount,bind,ro", target)

    client = components.runtime_client(python, components.python_version(python))
    (folder / "app.py").write_text(HANDLER)
    done = serve(
        [python, client / "bootstrap.py", client / "opt"],
        task=folder,
        events=[{"again": False}],
        policy=POLICY,
        env={
            "AWS_LAMBDA_INITIALIZATION_TYPE": sys.argv[3],
            "LAMBDA_RUNTIME_DIR": str(client),
        },
        at_restore=move,
    )
    json.dump({"bodies": done.bodies, "events": done.events, "output": done.output}, sys.stdout)


if __name__ == "__main__":
    main()
