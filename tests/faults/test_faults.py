"""A fault inside any function of the core ends the process, and the act that was being judged does
not happen.

The core does not catch its own faults (docs/decisions/own-faults.md). The policy refuses every act
here. Each act runs once for every function that the core enters up to the refusal, with a fault in
that function.
"""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import Function
from tests.core import objects
from tests.support import (
    ROOT,
    UNGUARDED,
    Guarded,
    clean_environment,
    policy_file,
    rules,
    run_bare,
    run_guarded,
    split_events,
)

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "faults"
OUTSIDE, HOST = "127.66.66.66", "api.faults.example"
OTHER = "/tmp/function-shield-test-faults"
EACCES = 13


@cache
def layer() -> Path:
    """The launcher of a layer whose core faults at a chosen function. acts.c lies beside the
    layer."""
    BUILD.mkdir(parents=True, exist_ok=True)
    folder = BUILD / "layer"
    objects.layer(folder, HERE / "fault.c", ("faults_begin", "faults_end"))
    return folder / "function-shield"


@cache
def program() -> Path:
    """Compile acts.c."""
    BUILD.mkdir(parents=True, exist_ok=True)
    out = BUILD / "acts"
    warnings = ("-Os", "-Wall", "-Wextra", "-Werror")
    objects.zig.zig(*objects.TARGET, *warnings, str(HERE / "acts.c"), "-ldl", "-o", str(out))
    return out


@dataclass
class World:
    """The files and addresses that an act could reach, and whether it did."""

    tmp: Path
    own: Path
    tcp: socket.socket
    udp: socket.socket
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self.port = self.tcp.getsockname()[1]
        self.reset()

    @property
    def file(self) -> Path:
        """An existing file under /tmp."""
        return self.tmp.with_name(self.tmp.name + "-file")

    def reset(self) -> None:
        """Restore the state before any act."""
        self.file.write_text("stashed\n")
        for path in (self.tmp, self.own / "made"):
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)

    def arrived(self) -> bytes:
        """What arrived by TCP since the last call; b"connected" for a connection without data."""
        found = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = self.tcp.accept()
                with connection:
                    connection.settimeout(5)
                    found += connection.recv(4096) or b"connected"
        return found

    def datagrams(self) -> bytes:
        """What arrived by UDP since the last call."""
        try:
            return self.udp.recv(4096)
        except BlockingIOError:
            return b""


@pytest.fixture
def world(tmp_path: Path, tmp_name: Path) -> Iterator[World]:
    with (
        socket.create_server((OUTSIDE, 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.bind((OUTSIDE, tcp.getsockname()[1]))
        tcp.setblocking(False)
        udp.setblocking(False)
        made = World(tmp_name, tmp_path, tcp, udp)
        yield made
        made.file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Act:
    """An act that the policy refuses.

    Args:
        arguments: arguments of acts.c.
        happened: whether the act happened.
    """

    arguments: Callable[[World], list[object]]
    happened: Callable[[World, Guarded], bool]


ACTS = {
    "create": Act(lambda w: [w.tmp], lambda w, done: w.tmp.exists()),
    "read": Act(lambda w: [w.file], lambda w, done: "stashed" in done.stdout),
    "rename": Act(lambda w: [w.file, w.tmp], lambda w, done: w.tmp.exists()),
    "connect": Act(lambda w: [OUTSIDE, w.port], lambda w, done: w.arrived() != b""),
    "sendto": Act(lambda w: [OUTSIDE, w.port], lambda w, done: w.datagrams() != b""),
    "request": Act(lambda w: [HOST, w.port], lambda w, done: b"secret" in w.arrived()),
    "spawn": Act(lambda w: [w.own / "made"], lambda w, done: (w.own / "made").exists()),
    "system": Act(lambda w: [w.own / "made"], lambda w, done: (w.own / "made").exists()),
    "fork": Act(lambda w: [w.own / "made"], lambda w, done: (w.own / "made").exists()),
}


def sandbox(name: str) -> list[str]:
    """The command prefix for a mount namespace whose /etc/hosts has the request's name."""
    if name != "request":
        return []
    hosts = BUILD / "hosts"
    hosts.write_text(f"{OUTSIDE} {HOST}\n")
    return ["unshare", "-rm", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]


def run_words(
    handler: str,
    at: int,
    number: int,
    words: Sequence[object],
    policy: Mapping[str, Any],
    *,
    before: Sequence[str] = (),
    guarded: bool = not UNGUARDED,
) -> Guarded:
    """Run acts.c with a fault in the function of the core that is entered as number ``at``."""
    command = [*before, *([str(layer())] if guarded else []), str(program())]
    done = subprocess.run(
        [*command, handler, str(at), str(int(number)), *map(str, words)],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(policy)}),
        cwd=BUILD,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )
    stderr, events = split_events(done.stderr)
    return Guarded(done.returncode, done.stdout, stderr, events)


def run(
    name: str,
    world: World,
    at: int = 0,
    *,
    number: int = signal.SIGSEGV,
    handler: str = "none",
    guarded: bool = not UNGUARDED,
) -> Guarded:
    """Run the act under a policy that refuses it, with a fault in the function of the core that is
    entered as number ``at``."""
    allowed = {"host": HOST, "ports": [world.port], "tls": "required"}
    outbound = {"mode": "block", "allow": [allowed]}
    document = rules(outbound, "block", "block", "block", native_code="block")
    words = [name, *ACTS[name].arguments(world)]
    return run_words(handler, at, number, words, document, before=sandbox(name), guarded=guarded)


def entered(name: str, world: World) -> int:
    """The number of functions that the core enters up to the refusal."""
    done = run(name, world)
    assert done.returncode == 0, done
    result, error, count = map(int, done.stdout.split())
    assert (result, error) == (-1, EACCES), done
    assert not ACTS[name].happened(world, done)
    assert int(count) > 5
    return int(count)


@pytest.mark.parametrize("name", ACTS)
def test_the_act_happens_without_the_guard(name: str, world: World) -> None:
    done = run(name, world, guarded=False)
    assert done.stdout.endswith("0 0 0\n"), done
    assert ACTS[name].happened(world, done)


@pytest.mark.parametrize("name", ACTS)
def test_a_fault_in_the_core_ends_the_process(name: str, world: World) -> None:
    for at in range(1, entered(name, world) + 1, 5):
        done = run(name, world, at)
        assert done.returncode == -signal.SIGSEGV, (at, done)
        assert done.stdout == "", (at, done)
        assert not ACTS[name].happened(world, done), at


@pytest.mark.parametrize("name", ACTS)
def test_a_handler_that_jumps_out_of_the_core_gains_nothing(name: str, world: World) -> None:
    """Whatever state the fault leaves, the guard judges the next act and reports another. While the
    core blocks signals, the kernel ends the process instead."""
    count, ended = entered(name, world), 0
    for at in range(1, count + 1):
        done = run(name, world, at, handler="jump")
        assert not ACTS[name].happened(world, done), at
        if done.returncode == -signal.SIGSEGV:
            ended += 1
            continue
        assert done.returncode == 0, (at, done)
        assert done.stdout.startswith(f"again -1 {EACCES} "), (at, done)
        reported = [event["details"].get("path") for event in done.violations]
        assert OTHER in reported, (at, done)
    assert ended < count / 5


@pytest.mark.parametrize(
    "number", [signal.SIGILL, signal.SIGBUS, signal.SIGFPE, signal.SIGABRT], ids=lambda n: n.name
)
def test_every_signal_of_a_fault_ends_the_process(number: signal.Signals, world: World) -> None:
    """Both a faulting instruction, and a signal sent by the kernel or by abort()."""
    done = run("create", world, 20, number=number)
    expected = {number}
    if number == signal.SIGILL and objects.ARCHITECTURE == "arm64":
        expected = {signal.SIGTRAP}
    assert -done.returncode in expected, done
    assert (done.stdout, world.tmp.exists()) == ("", False)
    assert [event["event"] for event in done.events] == ["armed"]


def test_the_programs_own_handler_gets_the_place(world: World) -> None:
    """The guard installs no handler, neither before the program's nor after it."""
    done = run("create", world, 20, handler="name")
    assert done.returncode == -signal.SIGSEGV
    assert re.fullmatch(r"fault in function-shield\.so\+0x[0-9a-f]+\n", done.stdout), done


def test_a_fault_in_a_child_ends_the_child(world: World) -> None:
    """The parent sees the signal, goes on, and stays guarded."""
    document = rules(tmp="block")
    words = ["in_child", world.tmp]
    done = run_words("none", 20, signal.SIGSEGV, words, document)
    assert done.stdout.startswith(f"child {int(signal.SIGSEGV)}\n-1 {EACCES} "), done
    assert not world.tmp.exists()


CAUGHT = """
import faulthandler, signal, sys
for at in ("before", "enabled"):
    caught = next(line for line in open("/proc/self/status") if line.startswith("SigCgt"))
    ours = [signal.getsignal(n) for n in (4, 6, 7, 8, 11)]
    print(at, caught.split()[1], ours)
    faulthandler.enable()
"""


def test_the_guard_installs_no_handler() -> None:
    bare = run_bare([sys.executable, "-c", CAUGHT])
    guarded = run_guarded([sys.executable, "-c", CAUGHT], policy="strict")
    assert guarded.stdout == bare.stdout


INTERPRETER = """
import ctypes, faulthandler, sys
faulthandler.enable()
core, what, path, at = ctypes.CDLL(None), *sys.argv[1:3], int(sys.argv[3])
def act():
    if what == "create":
        open(path, "w").close()
    elif what == "source":
        print(open(path).read())
    else:
        import _posixsubprocess, subprocess
        subprocess.run(["/usr/bin/touch", path])
core.faults_begin(at, 11)
try:
    act()
except OSError as error:
    print(type(error).__name__, core.faults_end())
"""


@pytest.mark.parametrize("what", ["create", "source", "process"])
def test_a_fault_in_the_audit_hook_ends_python(what: str, world: World) -> None:
    """faulthandler prints its usual report, unless the core blocks signals at that moment."""
    source = world.own / "app.py"
    source.write_text("# the recipe of the house\n")
    path = {"create": world.tmp, "source": source, "process": world.own / "made"}[what]

    def python(at: int) -> Guarded:
        return run_guarded(
            [sys.executable, "-c", INTERPRETER, what, path, str(at)],
            policy=rules("block", "block", "block", {"mode": "block", "also": [str(source)]}),
            env={"LAMBDA_TASK_ROOT": str(world.own)},
            launcher=layer(),
        )

    name, _, count = python(0).stdout.strip().partition(" ")
    assert name == "PolicyViolation"
    places, reports = range(1, int(count) + 1, 9), 0
    for at in places:
        done = python(at)
        assert done.returncode == -signal.SIGSEGV, (at, done)
        assert done.stdout == "", (at, done)
        assert not world.tmp.exists()
        assert not (world.own / "made").exists()
        reports += done.stderr.startswith("Fatal Python error: Segmentation fault")
    assert reports > len(places) * 3 / 4


FUNCTION = """
import ctypes
def handler(event, context):
    if event["at"]:
        ctypes.CDLL(None).faults_begin(event["at"], 11)
    try:
        open("/tmp/function-shield-test-faults", "w").close()
    except OSError as error:
        return type(error).__name__
    return "made"
"""


def test_lambda_starts_a_guarded_process_again(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FUNCTION)
    policy = policy_file(rules("block", "block", "block", "block"))
    with Function(tmp_path, "app.handler", layer=layer().parent, policy=policy) as function:
        first, second, third = (function.invoke({"at": at}) for at in (0, 20, 0))
    assert first.response == third.response == "PolicyViolation"
    assert second.error is not None
    assert second.error["errorType"] == "Runtime.ExitError"
    assert "signal: segmentation fault" in second.error["errorMessage"]
    assert [event["event"] for event in third.events] == ["armed", "violation"]
    assert not Path(OTHER).exists()
