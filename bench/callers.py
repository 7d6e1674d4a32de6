"""What `only_for` adds to a connection: the same policy with and without it, and the first
connection, which must read the files of the frames."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from measures import Bench, Figure, interleaved, printed

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tests.attacks.lib import packages
from tests.support import policy_file, rules

_HOST = "127.66.66.66"
#: The frames between the function and the socket, as with an SDK that uses requests and urllib3.
_DEEP = 20
_APP = f"""
import socket, statistics, sys, time
import stripe
server = socket.create_server(("{_HOST}", 0), backlog=16)
address = server.getsockname()
clock = time.perf_counter_ns

def dial():
    begin = clock()
    stripe.charge(address)
    took = (clock() - begin) / 1000
    server.accept()[0].close()
    return took

def deep(frames):
    return deep(frames - 1) if frames else dial()

took = [deep({_DEEP}) for _ in range(400)]
print(took[0] if sys.argv[1] == "first" else statistics.median(took[50:]))
"""


def callers(bench: Bench) -> Iterator[Figure]:
    """Connections by requests on behalf of stripe: allowed for everybody, and allowed for stripe
    only."""
    folder = bench.scratch / "task"
    shutil.rmtree(folder, ignore_errors=True)  # from an earlier run
    folder.mkdir()
    packages.install_all(folder)
    app = folder / "app.py"
    app.write_text(_APP)
    time.sleep(0.1)  # the code must be older than the process
    entry = {"cidr": f"{_HOST}/32", "ports": ["1-65535"]}
    only = entry | {"only_for": ["stripe"]}
    chosen = {
        "bare": policy_file(rules({"mode": "block", "allow": [entry]})),
        "guarded": policy_file(rules({"mode": "block", "allow": [only]})),
    }

    def measure(policy: str, which: str) -> float:
        environment = {
            **bench.environment(),
            "FUNCTION_SHIELD_POLICY": policy,
            "LAMBDA_TASK_ROOT": str(folder),
        }
        return printed([bench.launcher, bench.python, str(app), which], environment)

    for which, title in (
        ("later", "connect, with only_for over without"),
        ("first", "the first of them"),
    ):
        yield Figure(
            f"only_for_{which}",
            title,
            "µs",
            interleaved(
                bench.samples(12),
                {variant: partial(measure, policy, which) for variant, policy in chosen.items()},
            ),
        )
