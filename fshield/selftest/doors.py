"""The acts of ``fshield self-test --deep``, one per family of doors, and the conditions
afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.files import write_whole
from fshield.language.loader import load
from fshield.local.cache import cache_folder
from fshield.local.layer import Layer, refuse_blocked_places

_ROOT = Path(__file__).resolve().parents[2]
_CODE = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r});"
    " from fshield.selftest.acts import main; main()"
)
_HOST = "127.66.66.66"
# A name reserved as non-existent (RFC 6761). It is looked up only if connections are refused.
_NAME = "function-shield-self-test.invalid"
_TMP, _OUT, _CHILD = "read_write_tmp", "outbound_connectivity", "create_child_process"
_POLICY = """\
version: 1
policy:
  default: block
  native_code: {native_code}
  runtime_api: block
  read_handler:
    mode: block
    also: [{source}]
"""


@dataclass(frozen=True)
class Door:
    """One act, which stands for a family of doors.

    Attributes:
        child: which child makes it: by Python's functions or by libc's.
        ring: the ring that must refuse it.
        family: of the doors, or of audit events.
        act: its name in acts.py or libc_acts.py.
        rule: what refuses it.
        lookup: it looks a name up.
    """

    child: str
    ring: str
    family: str
    act: str
    rule: str
    lookup: bool = False


def _doors(child: str, rows: str) -> tuple[Door, ...]:
    made = []
    for row in rows.strip().splitlines():
        family, act, rule = (cell.strip() for cell in row.split("|"))
        ring = "libc" if family.endswith("*") else child
        made.append(Door(child, ring, family.rstrip("*"), act, rule.rstrip("?"), rule[-1] == "?"))
    return tuple(made)


# `*`: refused by a door. `?`: a lookup. Acts that would replace the child come last.
DOORS = _doors(
    "interpreter",
    f"""
    files | open to create | {_TMP}
    files | open to read | {_TMP}
    files | listdir | {_TMP}
    files | rename | {_TMP}
    files | chmod | {_TMP}
    files | open the source | read_handler
    network | connect | {_OUT}
    network | sendto | {_OUT}
    runtime_api* | ask the Runtime API | runtime_api
    processes | fork | {_CHILD}
    processes | posix_spawn | {_CHILD}
    processes | subprocess | {_CHILD}
    native | import ctypes | native_code
    code* | executable memory | native_code
    network | getaddrinfo | {_OUT}?
    processes | execv | {_CHILD}
    """,
) + _doors(
    "libc",
    f"""
    opening | open | {_TMP}
    streams | fopen | {_TMP}
    databases | setmntent | {_TMP}
    entries | mkdir | {_TMP}
    attributes | truncate | {_TMP}
    listings | opendir | {_TMP}
    opening | open the source | read_handler
    sockets | connect | {_OUT}
    sending | sendto | {_OUT}
    forking | fork | {_CHILD}
    spawning | posix_spawn | {_CHILD}
    spawning | system | {_CHILD}
    refusing | process_vm_readv | guard_integrity
    syscalls | syscall | {_TMP}
    addrinfo | getaddrinfo | {_OUT}?
    hosts | gethostbyname | {_OUT}?
    queries | res_query | {_OUT}?
    executing | execv | {_CHILD}
    """,
)


@dataclass(frozen=True)
class Tried:
    """The result for one door.

    Attributes:
        refused: the act failed with a refusal's error.
        reported: there is an event with its rule and ring.
        said: how it failed, or why it was not tried.
    """

    door: Door
    refused: bool
    reported: bool
    said: str

    @property
    def ok(self) -> bool:
        """Refused and reported."""
        return self.refused and self.reported

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        more = {"refused": self.refused, "reported": self.reported, "said": self.said}
        return {
            **{k: v for k, v in asdict(self.door).items() if k not in ("child", "lookup")},
            **more,
        }


@dataclass
class Result:
    """The results for all doors, and effects that must not have happened, checked from outside the
    guard.
    """

    tried: list[Tried] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Every door refused and reported, and nothing happened."""
        return all(tried.ok for tried in self.tried) and not self.happened


@dataclass
class _World:
    own: Path
    tmp: Path
    tcp: socket.socket
    udp: socket.socket
    runtime_api: socket.socket

    @property
    def file(self) -> Path:
        return self.tmp / "file"

    @property
    def source(self) -> Path:
        return self.own / "app.py"

    @property
    def marker(self) -> Path:
        return self.own / "marker"

    def as_dict(self) -> dict[str, Any]:
        touch = shutil.which("touch") or "/usr/bin/touch"
        return {
            "file": str(self.file),
            "folder": str(self.tmp),
            "new": str(self.tmp / "new"),
            "source": str(self.source),
            "marker": str(self.marker),
            "touch": [str(Path(touch).resolve()), str(self.marker)],
            "host": _HOST,
            "port": self.tcp.getsockname()[1],
            "runtime_port": self.runtime_api.getsockname()[1],
            "name": _NAME,
        }

    def happened(self) -> list[str]:
        """What the acts have done, if they have."""
        found = []
        if sorted(path.name for path in self.tmp.iterdir()) != ["file"]:
            found.append(f"{self.tmp} has other files than before")
        elif self.file.read_text() != "kept\n":
            found.append(f"{self.file} has changed")
        if self.marker.exists():
            found.append("a program ran")
        for listener, what in ((self.tcp, "connection"), (self.udp, "datagram")):
            with contextlib.suppress(BlockingIOError):
                if listener is self.tcp:
                    listener.accept()[0].close()
                else:
                    listener.recv(16)
                found.append(f"a {what} arrived at {_HOST}")
        with contextlib.suppress(BlockingIOError):
            connection = self.runtime_api.accept()[0]
            with connection:
                connection.settimeout(5)
                if connection.recv(16):
                    found.append("a request arrived at the Runtime API")
        return found


@contextlib.contextmanager
def _world() -> Iterator[_World]:
    with contextlib.ExitStack() as stack:
        tmp = Path(tempfile.mkdtemp(prefix="function-shield-self-test-", dir="/tmp"))
        stack.callback(shutil.rmtree, tmp, ignore_errors=True)
        own = Path(tempfile.mkdtemp(dir=cache_folder("self-test")))
        stack.callback(shutil.rmtree, own, ignore_errors=True)
        tcp = stack.enter_context(socket.create_server((_HOST, 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(tcp.getsockname())
        runtime_api = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for each in (tcp, udp, runtime_api):
            each.setblocking(False)
        world = _World(own, tmp, tcp, udp, runtime_api)
        world.file.write_text("kept\n")
        world.source.write_text("# the function's source\n")
        yield world


def try_doors(layer: Layer, python: Path) -> Result:
    """Try every door under `layer`, in children that run `python`.

    Raises:
        CouldNotRun: the layer, or the children's files, lie where the policy blocks them, or no
            child started.
    """
    if sys.platform != "linux":
        raise CouldNotRun("the guard runs on Linux only", "use a container of a Lambda base image")
    result = Result()
    with _world() as world:
        for child, native_code in (("interpreter", "block"), ("libc", "allow")):
            policy = world.own / f"{child}.policy"
            text = _POLICY.format(native_code=native_code, source=json.dumps(str(world.source)))
            source = policy.with_suffix(".yaml")
            source.write_text(text)
            write_whole(policy, compile_policy(load(source)))
            places = [("the layer", layer.folder), ("fshield", _ROOT), ("the cache", world.own)]
            refuse_blocked_places(policy, places)
            doors = [door for door in DOORS if door.child == child]
            result.tried += _try(layer, python, world, policy, doors, result.tried)
        result.happened = world.happened()
    return result


def _try(
    layer: Layer,
    python: Path,
    world: _World,
    policy: Path,
    doors: list[Door],
    before: list[Tried],
) -> list[Tried]:
    """Try one child's doors. If an act ends the child, continue in another."""
    events = world.own / f"{policy.stem}.events"
    answers: dict[str, tuple[bool, str]] = {}
    left = [door.act for door in doors if not door.lookup]
    lookups = [door.act for door in doors if door.lookup]
    while left:
        _child(layer, python, world, policy, events, left, answers)
        left = [act for act in left if act not in answers]
        if not left and lookups:
            # Look a name up only if nothing else got out.
            if all(tried.refused for tried in before) and all(ok for ok, _ in answers.values()):
                left = lookups
            else:
                answers |= dict.fromkeys(lookups, (False, "not tried: others were not refused"))
            lookups = []
    reported = _reported(events)
    return [
        Tried(door, answers[door.act][0], (door.rule, door.ring) in reported, answers[door.act][1])
        for door in doors
    ]


def _child(
    layer: Layer,
    python: Path,
    world: _World,
    policy: Path,
    events: Path,
    acts: list[str],
    answers: dict[str, tuple[bool, str]],
) -> None:
    task = {"child": policy.stem, "acts": acts, "world": world.as_dict()}
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    done = subprocess.run(
        [layer.launcher, python, "-I", "-S", "-c", _CODE, json.dumps(task)],
        env={
            **kept,
            "FUNCTION_SHIELD_POLICY": str(policy),
            "FUNCTION_SHIELD_EVENTS": str(events),
            "LAMBDA_TASK_ROOT": str(world.own),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{world.runtime_api.getsockname()[1]}",
        },
        cwd=world.own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    begun = None
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        begun = answer.get("begins", begun)
        if "act" in answer:
            answers[answer["act"]] = (answer["refused"], answer["said"])
    if begun is None:
        output = done.stderr.strip().splitlines()
        raise CouldNotRun(
            f"the guarded child did not start (status {done.returncode})",
            output[-1] if output else "function-shield --self-test says more",
        )
    if begun not in answers:
        status = done.returncode
        ended = f"signal {-status} ended it" if status < 0 else f"it ended with status {status}"
        answers[begun] = (False, ended)


def _reported(events: Path) -> set[tuple[str, str]]:
    """The rules and rings that have an event."""
    if not events.exists():
        return set()
    found = set()
    for line in events.read_text().splitlines():
        event = json.loads(line)
        if event.get("event") == "violation" and event.get("mode") == "block":
            found.add((event["policy"], event["ring"]))
    return found
