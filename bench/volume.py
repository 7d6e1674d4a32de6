"""Measures the speed and the memory of ``fshield learn`` and ``fshield report`` on gigabytes of
events.

    python bench/volume.py --gigabytes 2

The events are made while they are read. The log has many processes of a few functions, and the
functions' own lines. Most acts repeat. Some never do, and memory could grow with these.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_NONCE = "0123456789abcdef"
_FRESH = b"#fresh##"
#: The events of one process. The log of another is made from it by replacing what differs.
_EVENTS = 1000
_NEW_EVERY = 20
_HOSTS = 40
_OWN = (
    b"2026-11-24T06:00:00.000Z 169c17aa-3a1b-4c4b-b3ca-df90680fced5 INFO  picture 2371 of 9000 done"
    b" in 41 ms\n"
)
_DEPENDENCIES = ("requests", "boto3", "redis", "tintkit")


@dataclass(frozen=True)
class Volume:
    """The cost of one command.

    Args:
        command: ``learn`` or ``report``.
        size: the size of its input in bytes.
        seconds: wall time.
        memory: the largest resident set, in bytes.
        events: the number of events that it reports.
    """

    command: str
    size: int
    seconds: float
    memory: int
    events: int

    @property
    def line(self) -> str:
        """One line for people."""
        return (
            f"{self.command:7} {self.size / 1e9:6.2f} GB  {self.events:10,} events "
            f" {self.seconds:7.1f} s  {self.size / 1e6 / self.seconds:6.1f} MB/s  peak"
            f" {self.memory / 1e6:6.1f} MB"
        )


def _event(number: int) -> dict[str, Any]:
    dependency = _DEPENDENCIES[number % len(_DEPENDENCIES)]
    # By a dependency on its own initiative, so that they are held back: a policy is limited to 256
    # KB.
    fresh = dependency == "tintkit" and number % _NEW_EVERY == 3
    host = f"h{_FRESH.decode()}-{number}.example" if fresh else f"h{number % _HOSTS}.example"
    outbound = number % 3 != 0 or fresh
    details = (
        {"host": host, "ip": None, "port": 443, "protocol": None}
        if outbound
        else {"path": f"/tmp/cache/{number % _HOSTS}.bin", "operation": "create"}
    )
    stack = [
        f"/var/task/{dependency}/connection.py:{number % 90} connect",
        f"/var/task/{dependency}/session.py:214 request",
        "/var/task/app.py:31 handler",
        "/var/lang/lib/python3.13/site-packages/awslambdaric/bootstrap.py:177 handle_event_request",
    ]
    return {
        "function_shield": True,
        "event": "violation",
        "event_version": 1,
        "timestamp": f"2026-11-24T06:{number // 60 % 60:02}:{number % 60:02}.000000Z",
        "level": "WARN",
        "message": f"{dependency} tried to act: reported, no rule allows it",
        "policy": "outbound_connectivity" if outbound else "read_write_tmp",
        "mode": "alert",
        "policy_mode": "alert",
        "policy_name": "monitor",
        "rule": None,
        "reason": "no_rule",
        "details": details,
        "requestId": "169c17aa-3a1b-4c4b-b3ca-df90680fced5",
        "ring": "interpreter",
        "count": 1,
        "origin": {
            "distribution": dependency,
            "version": "1.2.3",
            "file": f"/var/task/{dependency}/connection.py",
            "line": number % 90,
            "function": "connect",
            "stack": stack,
        },
        "pid": 7,
        "nonce": _NONCE,
        "seq": number,
    }


def log(size: int) -> Iterator[bytes]:
    """A log of about `size` bytes, one process at a time."""
    lines = []
    for number in range(_EVENTS):
        lines.append(json.dumps(_event(number), separators=(",", ":")).encode() + b"\n")
        lines += [_OWN] * (number % 4)
    first, made, process = b"".join(lines), 0, 0
    while made < size:
        part = first.replace(_NONCE.encode(), b"%016x" % process).replace(_FRESH, b"%08x" % process)
        made += len(part)
        process += 1
        yield part


def measure(command: str, size: int) -> Volume:
    """Give `command` a log of `size` bytes. Raises SystemExit if it fails."""
    arguments = [sys.executable, "-m", "fshield", command, "--json", "-"]
    begin = time.monotonic()
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        writer = _Writer(process.stdin, size)
        writer.start()
        answer = json.load(process.stdout)
        writer.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"fshield {command} ended with status {process.returncode}: {answer}")
    return Volume(
        command, writer.made, time.monotonic() - begin, usage.ru_maxrss * 1024, answer["events"]
    )


class _Writer(threading.Thread):
    """A thread that writes the log while the command runs."""

    def __init__(self, to: IO[bytes], size: int) -> None:
        super().__init__()
        self._to, self._size, self.made = to, size, 0

    def run(self) -> None:
        with self._to as to:
            for part in log(self._size):
                to.write(part)
                self.made += len(part)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--gigabytes", type=float, default=2.0)
    size = int(parser.parse_args().gigabytes * 1e9)
    os.chdir(Path(__file__).resolve().parent.parent)
    for command in ("learn", "report"):
        print(measure(command, size).line, flush=True)


if __name__ == "__main__":
    main()
