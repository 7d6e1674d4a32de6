"""A stand-in for nscd that can be stopped and restarted while a program looks names up.

``python -m tests.egress.caching ADDRESS COMMAND…`` answers every name with ADDRESS, runs COMMAND,
and exits with its status. COMMAND sends ``away`` (stop) or ``there`` (start) to the socket CONTROL,
and gets the same word back when that is done.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

PLACE = Path("/run/nscd/socket")
CONTROL = "\0nscd of the test"
#: From glibc's nscd-client.h: the request for all addresses of a name.
_VERSION, _ADDRESSES = 2, 14


class Daemon:
    """Listens at PLACE until `go` is called."""

    def __init__(self, address: str) -> None:
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        PLACE.unlink(missing_ok=True)
        self._answer = struct.pack("=iiiiii", _VERSION, 1, 1, 4, 1, 0)
        self._answer += socket.inet_aton(address) + bytes([socket.AF_INET]) + b"\0"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(PLACE))
        PLACE.chmod(0o666)
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def go(self) -> None:
        """Remove the socket's file and close the listener."""
        PLACE.unlink()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, struct.error), peer:
                peer.settimeout(5)
                # The daemon also gets requests for shared memory. It has none, and leaves them
                # unanswered.
                if struct.unpack("=iii", peer.recv(4096)[:12])[1] == _ADDRESSES:
                    peer.sendall(self._answer)


def _obey(control: socket.socket, daemon: Daemon, address: str) -> None:
    while True:
        peer, _ = control.accept()
        with peer:
            word = peer.recv(16)
            if word == b"away":
                daemon.go()
            else:
                daemon = Daemon(address)
            peer.sendall(word)


def main() -> int:
    address, *command = sys.argv[1:]
    control = socket.socket(socket.AF_UNIX)
    control.bind(CONTROL)
    control.listen(8)
    daemon = Daemon(address)
    threading.Thread(target=_obey, args=(control, daemon, address), daemon=True).start()
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
