"""The guard does not mistake what threads do during a fork for what the child does."""

from __future__ import annotations

import sys

from tests.support import rules, run_guarded

# During the forks, sockets are made and connected all the time, and one is disconnected and
# connected again.
PROGRAM = """
import os, socket, threading, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(100)
over, failed = [], []
def dial():
    count = 0
    while not over:
        try:
            with socket.create_connection(listener.getsockname()) as out:
                out.send(b"x")
            peer = listener.accept()[0]
            assert peer.recv(1) == b"x"
            peer.close()
            count += 1
        except Exception as error: failed.append(repr(error))
    assert count > 10
thread = threading.Thread(target=dial)
thread.start()
end = time.monotonic() + 1.5
while time.monotonic() < end:
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
over.append(1)
thread.join()
print(failed)
"""


def test_connections_made_while_forking() -> None:
    policy = rules(
        outbound={"mode": "block", "allow": [{"cidr": "127.0.0.0/8", "ports": ["1-65535"]}]}
    )
    done = run_guarded([sys.executable, "-c", PROGRAM], policy=policy)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done
    assert done.violations == []
