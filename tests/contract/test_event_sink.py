"""Where events go: a slow reader does not slow the function down, nobody else reads the events, and
no act hides in another."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.helpers import OUTSIDE, PYTHON
from tests.support import LAUNCHER, clean_environment, nodes, policy_file, rules, run_guarded

F_SETPIPE_SZ = 1031
BLOCK = rules("block", "block", "block", "block")
ALERT = rules("alert", "alert", "alert", "alert")
# Once, the guard waited ten times this long for one event. Now it waits a small fraction of it.
MOST = 1.0

ACTS = """
import os, sys, threading, time
worst = 0.0
def act(who):
    global worst
    for n in range(60):
        begun = time.perf_counter()
        try: os.listdir(f"/tmp/function-shield-{who}-{n}")
        except OSError: pass
        worst = max(worst, time.perf_counter() - begun)
threads = [threading.Thread(target=act, args=(n,)) for n in range(3)]
[thread.start() for thread in threads]
ticks = 0
while any(thread.is_alive() for thread in threads):
    time.sleep(0.001)
    ticks += 1
print(worst)
"""


def start(code: str, stderr: int, policy: Any = BLOCK) -> subprocess.Popen[str]:
    env = clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(policy)})
    argv = [str(LAUNCHER), PYTHON, "-c", code]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True)


def quick(measure: Callable[[], float]) -> bool:
    """Whether one of three runs takes less than MOST. The guard would wait in each of them. A busy
    machine delays some."""
    return any(measure() < MOST for _ in range(3))


def worst_act(stderr: int, policy: Any = BLOCK) -> float:
    """The seconds that the slowest of ACTS took. Closes `stderr`."""
    with start(ACTS, stderr, policy) as process:
        os.close(stderr)
        worst, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return float(worst)


def pipe(capacity: int = 4096) -> tuple[int, int]:
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, F_SETPIPE_SZ, capacity)
    return ours, theirs


def events_of(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]


def read_all(fd: int) -> bytes:
    found = b""
    while more := os.read(fd, 65536):
        found += more
    return found


# ---- waiting ----


@pytest.mark.parametrize(
    "policy", [BLOCK, ALERT, "strict", "monitor"], ids=["block", "alert", "strict", "monitor"]
)
def test_nobody_reads_the_pipe(policy: Any) -> None:
    """180 acts in three threads. Together they wait a few milliseconds."""

    def act() -> float:
        ours, theirs = pipe()
        worst = worst_act(theirs, policy)
        os.close(ours)
        return worst

    assert quick(act)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_nobody_reads_the_socket(kind: int) -> None:
    def act() -> float:
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
        with ours:
            return worst_act(theirs.detach())

    assert quick(act)


def test_nobody_reads_the_terminal() -> None:
    def act() -> float:
        ours, theirs = os.openpty()
        worst = worst_act(theirs)
        os.close(ours)
        return worst

    assert quick(act)


def test_nobody_reads_while_it_starts() -> None:
    """`disabled` and `armed` meet a full pipe."""
    for mode in ("", "off"):
        ours, theirs = pipe()
        os.write(theirs, b"x" * 4096)
        env = clean_environment({"FUNCTION_SHIELD_POLICY": "default", "FUNCTION_SHIELD_MODE": mode})
        done = subprocess.run(
            [LAUNCHER, "/bin/true"], env=env, stderr=theirs, timeout=20, check=False
        )
        assert done.returncode == 0
        os.close(ours)
        os.close(theirs)


# ---- what is kept ----

LATE = """
import os, sys
for n in range(8):
    try: os.listdir(f"/tmp/function-shield-{n}")
    except OSError: pass
print("acted", flush=True)
sys.stdin.readline()
"""


def read_late(
    code: str, argv: tuple[str, ...] = (PYTHON, "-c"), policy: Any = None, **more: Any
) -> tuple[int, list[dict[str, Any]]]:
    """The events of a program whose pipe holds few lines at first, and all of them once the program
    has printed "acted"."""
    ours, theirs = pipe()
    chosen = policy_file(policy or rules(tmp="block"))
    env = clean_environment({"FUNCTION_SHIELD_POLICY": chosen})
    with subprocess.Popen(
        [str(LAUNCHER), *argv, code],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        **more,
    ) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "acted\n"
        fcntl.fcntl(theirs, F_SETPIPE_SZ, 1 << 18)
        os.close(theirs)
        process.stdin.write("\n")
        process.stdin.close()
        process.wait(timeout=20)
    events = events_of(read_all(ours))
    os.close(ours)
    return process.pid, events


@pytest.mark.parametrize(
    "end", ["", "os._exit(0)", "os.execv('/bin/true', ['true'])", "os.listdir('/tmp/x')"]
)
def test_a_late_reader_gets_every_event(end: str) -> None:
    """Lines that found no room wait in memory. They are written before that memory goes away, at
    the latest."""
    _, events = read_late(LATE + end)
    own = [event for event in events if event["nonce"] == events[0]["nonce"]]
    assert [event["seq"] for event in own] == list(range(len(own)))
    assert [event["details"]["path"][-2:] for event in own[1:9]] == [f"-{n}" for n in range(8)]
    assert sum(event.get("lost", 0) for event in events) == 0


SHELL = """
n=0
while [ $n -lt 60 ]; do { true </tmp/function-shield-$n; } 2>/dev/null; n=$((n+1)); done
echo acted
read word
"""


@pytest.mark.parametrize("room", [4096, 1 << 16])
def test_another_users_pipe(room: int) -> None:
    """The guard cannot open its own description of another user's pipe. It writes whole pages, and
    whole lines arrive."""
    if os.geteuid() != 0:
        pytest.skip("needs another user's pipe")
    _, events = read_late(SHELL, ("/bin/sh", "-c"), user=65534)
    violations = [event for event in events if event["event"] == "violation"]
    assert 32 <= len(violations) <= 60
    env = clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(rules(tmp="block"))})
    argv = [str(LAUNCHER), "/bin/sh", "-c", SHELL]

    def act() -> float:
        ours, theirs = pipe(room)
        more: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": theirs, "user": 65534}
        begun = time.monotonic()
        subprocess.run(argv, env=env, timeout=30, check=False, **more)
        took = time.monotonic() - begun
        os.close(theirs)
        os.close(ours)
        return took

    assert quick(act)


def test_what_finds_no_room_is_counted() -> None:
    _, events = read_late(LATE.replace("range(8)", "range(100)") + "os.listdir('/tmp/last')")
    violations = [event for event in events if event["event"] == "violation"]
    assert 32 <= len(violations) < 101
    assert len(violations) + sum(event.get("lost", 0) for event in events) == 101
    assert violations[-1]["details"]["path"] == "/tmp/last"


HIDES = """
import os, socket, sys
for n in range(100):
    try: os.listdir(f"/tmp/function-shield-{n}")
    except OSError: pass
for n in range(3):
    try: socket.create_connection(("127.66.66.66", 4000 + n))
    except OSError: pass
    try: os.posix_spawn("/bin/true", ["true", str(n)], {})
    except OSError: pass
print("acted", flush=True)
sys.stdin.readline()
"""


def test_the_first_event_of_each_rule_finds_room() -> None:
    """No act hides behind a flood of others: the first waiting line of each rule is kept."""
    _, events = read_late(HIDES + "os.listdir('/tmp/last')", policy=BLOCK)
    violations = [event for event in events if event["event"] == "violation"]
    named = [event["policy"] for event in violations]
    assert named.count("read_write_tmp") >= 32
    assert [name for name in named if name != "read_write_tmp"] == [
        "outbound_connectivity",
        "create_child_process",
    ]
    assert len(violations) + sum(event.get("lost", 0) for event in events) == 107


def test_a_forked_child_does_not_write_its_parents_lines() -> None:
    """Lines that the parent keeps are written once."""
    _, events = read_late(
        LATE + "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try: os.listdir('/tmp/function-shield-child')\n"
        "    except OSError: pass\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    paths = [event["details"]["path"] for event in events if event["event"] == "violation"]
    assert sorted(paths) == sorted(
        [f"/tmp/function-shield-{n}" for n in range(8)] + ["/tmp/function-shield-child"]
    )


# ---- who may open the sink ----


@pytest.mark.parametrize("policy", [BLOCK, "strict"], ids=["block", "strict"])
def test_error_output_can_be_written_by_its_names(policy: Any) -> None:
    code = (
        "import os\nfor name in ('/dev/stderr', '/proc/self/fd/2', '/dev/fd/2',"
        " f'/proc/{os.getpid()}/fd/2'):\n    for mode in ('w', 'a'):\n        with open(name, mode)"
        " as out: out.write(f'{name} {mode}\\n')\nwith os.fdopen(os.open('/dev/stderr', os.O_WRONLY"
        " | os.O_NONBLOCK), 'w') as out: out.write('end\\n')\n"
    )
    result = run_guarded([PYTHON, "-c", code], policy=policy)
    assert (result.returncode, result.stderr.count("\n")) == (0, 9), result
    assert result.violations == []


def test_a_shell_and_node_write_to_it() -> None:
    result = run_guarded(
        ["/bin/sh", "-c", "echo a >/dev/stderr; echo b >>/proc/self/fd/2"],
        policy=rules(tmp="block"),
    )
    assert (result.stderr, result.violations) == ("a\nb\n", [])
    for node in nodes()[:1]:
        code = "require('fs').writeFileSync('/dev/stderr', 'c\\n'); console.error('d')"
        result = run_guarded([node, "-e", code], policy=rules(tmp="block"))
        assert (result.stderr, result.violations) == ("c\nd\n", [])


@pytest.mark.parametrize("where", ["stderr", "events"])
@pytest.mark.parametrize("what", ["pipe", "file"])
def test_what_has_a_name_is_not_taken_by_it(what: str, where: str, tmp_path: Path) -> None:
    """A pipe cannot be opened for reading, nor a file for writing. Reading a file removes nothing
    from it, and function_shield.testing needs it."""
    sink, link = tmp_path / "sink", tmp_path / "link"
    if what == "pipe":
        os.mkfifo(sink)
    else:
        sink.touch()
    os.link(sink, link)
    (tmp_path / "symbolic").symlink_to(sink)
    ours = os.open(sink, os.O_RDONLY | os.O_NONBLOCK)
    code = (
        f"import os\nfor name in {[str(sink), str(link), str(tmp_path / 'symbolic')]}:\n    for"
        " flags in"
        f" {[os.O_RDONLY if what == 'pipe' else os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT]}:\n"
        "        try: print(os.open(name, flags | os.O_NONBLOCK))\n        except PermissionError:"
        " pass\n"
    )
    env = {"FUNCTION_SHIELD_EVENTS": str(sink)} if where == "events" else {}
    theirs = os.open(sink, os.O_WRONLY | os.O_APPEND)
    done = subprocess.run(
        [LAUNCHER, PYTHON, "-c", code],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(BLOCK), **env}),
        stdout=subprocess.PIPE,
        stderr=theirs if where == "stderr" else None,
        timeout=30,
        check=True,
    )
    os.close(theirs)
    assert done.stdout == b""
    refused = [event for event in events_of(read_all(ours)) if event["event"] == "violation"]
    os.close(ours)
    assert {event["policy"] for event in refused} == {"guard_integrity"}
    assert "create" in {event["details"]["operation"] for event in refused} or what == "pipe"


def test_under_alert_and_in_a_dry_run_the_pipe_is_opened_and_reported() -> None:
    code = (
        "import os; os.close(os.open('/dev/stderr', os.O_RDONLY | os.O_NONBLOCK)); print('opened')"
    )
    result = run_guarded([PYTHON, "-c", code], policy=ALERT)
    assert result.stdout == "opened\n"
    assert [(event["policy"], event["mode"]) for event in result.violations] == [
        ("guard_integrity", "alert")
    ]
    policy = {**BLOCK, "allow_mode_override": ["alert"]}
    result = run_guarded([PYTHON, "-c", code], policy=policy, env={"FUNCTION_SHIELD_MODE": "alert"})
    assert result.stdout == "opened\n"
    assert [event["policy"] for event in result.violations] == ["guard_integrity"]


@pytest.mark.parametrize("act", ["shutdown(socket.SHUT_RDWR)", "connect(sys.argv[0])"])
def test_the_socket_that_events_go_to_stays_what_it_is(act: str) -> None:
    code = (
        "import os, socket, sys\n"
        "sys.argv[0] = '/nonexistent'\n"
        f"try: socket.socket(fileno=os.dup(2)).{act}\n"
        "except PermissionError: print('refused')\n"
        "try: os.listdir('/tmp')\n"
        "except OSError: pass\n"
    )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, start(code, theirs.fileno()) as process:
        theirs.close()
        printed, _ = process.communicate(timeout=30)
        ours.setblocking(False)
        events = [json.loads(ours.recv(8192)) for _ in range(3)]
    assert printed == "refused\n"
    assert [event.get("policy") for event in events] == [None, "guard_integrity", "read_write_tmp"]


def test_other_sockets_shut_down_as_ever() -> None:
    code = "import socket; a, b = socket.socketpair(); a.shutdown(2); print(b.recv(1))"
    result = run_guarded([PYTHON, "-c", code], policy=BLOCK)
    assert (result.stdout, result.violations) == ("b''\n", [])


# ---- kinds ----


def python(code: str, policy: Any = BLOCK, **more: Any) -> list[dict[str, Any]]:
    return run_guarded([PYTHON, "-c", code], policy=policy, **more).violations


def test_protocols_are_kinds() -> None:
    code = (
        "import socket\n"
        "for kind in (1, 2, 1, 2):\n"
        f"    try: socket.socket(socket.AF_INET, kind).connect(('{OUTSIDE}', 9))\n"
        "    except OSError: pass\n"
    )
    assert [event["details"]["protocol"] for event in python(code)][:2] == ["tcp", "udp"]


def test_reading_and_writing_are_kinds() -> None:
    code = (
        "import os\n"
        "for act in (os.listdir, lambda path: os.open(path, os.O_WRONLY), os.rmdir, os.listdir):\n"
        "    try: act('/tmp')\n"
        "    except OSError: pass\n"
    )
    assert [event["details"]["operation"] for event in python(code)][:3] == [
        "list",
        "write",
        "remove",
    ]


def test_who_reads_the_source_is_a_kind(tmp_path: Path) -> None:
    """An honest tool's read of the source does not cover another package's."""
    for name in ("honest", "hostile"):
        folder = tmp_path / "site-packages" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(
            "def go(path):\n    try: open(path)\n    except OSError: pass\n"
        )
    handler = tmp_path / "app.py"
    handler.write_text(
        "import honest, hostile\nfor package in (honest, hostile, honest, hostile):"
        " package.go(__file__)\n"
    )
    env = {
        "_HANDLER": "app.handler",
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "PYTHONPATH": f"{tmp_path}:{tmp_path / 'site-packages'}",
    }
    events = python("import app", env=env)
    assert [
        (event["policy"], event["origin"]["distribution"], event["count"]) for event in events
    ] == [
        ("read_handler", "honest", 1),
        ("read_handler", "hostile", 1),
    ]
