"""Events: one JSON object a line, in one write, with the keys, levels and counts that the contract
promises."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.acting import ALERT, BLOCK, attempt, python
from tests.contract.helpers import (
    OUTSIDE,
    PYTHON,
    launch,
)
from tests.support import (
    LAUNCHER,
    Event,
    clean_environment,
    policy_file,
    rules,
    run_guarded,
)

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
KEYS = [
    "function_shield",
    "event",
    "event_version",
    "timestamp",
    "level",
    "message",
    "policy",
    "mode",
    "policy_mode",
    "policy_name",
    "rule",
    "reason",
    "details",
    "requestId",
    "ring",
    "count",
    "origin",
    "pid",
]


# ---- one event ----


def test_a_violation_has_every_key(tmp_path: Path) -> None:
    package = tmp_path / "evilpkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "x.py").write_text(
        f"import socket\n\n\ndef run():\n    socket.create_connection(('{OUTSIDE}', 4443), 2)\n"
    )
    code = "import evilpkg.x\ntry: evilpkg.x.run()\nexcept OSError: pass"
    result = python(code, env={"PYTHONPATH": str(tmp_path)})
    (event,) = result.violations
    assert set(KEYS) <= set(event)
    assert (event["function_shield"], event["event"], event["event_version"]) == (
        True,
        "violation",
        1,
    )
    assert RFC3339.fullmatch(event["timestamp"])
    assert (event["level"], event["policy"], event["mode"], event["policy_mode"]) == (
        "ERROR",
        "outbound_connectivity",
        "block",
        "block",
    )
    assert (event["policy_name"], event["rule"]) == ("test", None)
    assert event["reason"] == "no_rule"
    assert event["details"] == {"host": None, "ip": OUTSIDE, "port": 4443, "protocol": "tcp"}
    assert (event["requestId"], event["ring"], event["count"]) == (None, "interpreter", 1)
    origin = event["origin"]
    assert origin["distribution"] == "evilpkg"
    assert (origin["file"], origin["line"], origin["function"]) == (str(package / "x.py"), 5, "run")
    assert origin["stack"] and all(isinstance(frame, str) for frame in origin["stack"])
    assert event["message"].startswith(f"evilpkg tried to reach {OUTSIDE}:4443: blocked")


def test_the_stack_reaches_who_asked(tmp_path: Path) -> None:
    """Libraries that carry a request are many frames deep. The eight frames of the stack name every
    package on the way."""
    packages = ("carrier", "client", "asker")
    for name, inner in zip(
        packages, ("open('/tmp/x', 'w')", "carrier.go(9)", "client.go(9)"), strict=True
    ):
        (tmp_path / "site-packages" / name).mkdir(parents=True)
        (tmp_path / "site-packages" / name / "__init__.py").write_text(
            f"import {inner.split('.')[0] if '.go' in inner else 'os'}\n\n\ndef go(n):\n    if n:\n"
            f"        return go(n - 1)\n    {inner}\n"
        )
    code = "import asker\ntry: asker.go(9)\nexcept OSError: pass"
    result = python(code, env={"PYTHONPATH": str(tmp_path / "site-packages")})
    (event,) = result.violations
    stack = [
        frame.rpartition(" ")[0].replace(f"{tmp_path}/site-packages/", "")
        for frame in event["origin"]["stack"]
    ]
    assert stack == [
        "carrier/__init__.py:7",
        *["carrier/__init__.py:6"] * 3,
        "client/__init__.py:7",
        "asker/__init__.py:7",
        "<string>:2",
    ]


def test_details_of_each_rule(tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text(
        "import subprocess\n"
        "for act in (lambda: open('/tmp/function-shield-nonexistent'),\n"
        "            lambda: subprocess.run(['/bin/true', 'a', 'b c']),\n"
        "            lambda: open(__file__)):\n"
        "    try: act()\n    except OSError: pass\n"
    )
    result = python(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import handler",
        env={"_HANDLER": "handler.main", "LAMBDA_TASK_ROOT": str(tmp_path)},
    )
    details = {event["policy"]: event["details"] for event in result.violations}
    assert details["read_write_tmp"]["path"] == "/tmp/function-shield-nonexistent"
    assert details["create_child_process"]["path"] == str(Path("/bin/true").resolve())
    assert details["create_child_process"]["arguments"] == "/bin/true a b c"
    assert details["read_handler"]["path"] == str(handler)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("('127.66.66.66', 80)", {"ip": "127.66.66.66", "port": 80}),
        ("('::ffff:127.66.66.66', 80)", {"ip": "127.66.66.66", "port": 80}),
        ("('fd00::1', 81)", {"ip": "fd00::1", "port": 81}),
    ],
)
def test_addresses_are_normalised(address: str, shown: dict[str, Any]) -> None:
    family = "AF_INET6" if "::" in address else "AF_INET"
    for kind, protocol in (("SOCK_STREAM", "tcp"), ("SOCK_DGRAM", "udp")):
        result = python(
            attempt(f"socket.socket(socket.{family}, socket.{kind}).connect({address})")
        )
        (event,) = result.violations
        assert {**event["details"], "host": None} == {**shown, "host": None, "protocol": protocol}


def test_a_name_is_refused_at_the_lookup() -> None:
    result = python(attempt("socket.create_connection(('evil.example', 443))"))
    (event,) = result.violations
    assert (event["details"]["host"], event["details"]["ip"]) == ("evil.example", None)
    assert "evil.example" in event["message"]


def test_the_rule_that_decided_is_file_and_line(tmp_path: Path, tmp_name: Path) -> None:
    tmp_name.mkdir()
    source = tmp_path / "named.yaml"
    source.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
        "      - host: allowed.example\n        ports: [8443]\n"
        f"  read_write_tmp:\n    mode: block\n    allow:\n      - {tmp_name}/**\n"
        "events: {allowed: first}\n"
    )
    code = (
        f"import os, socket\nfor act in (lambda: os.stat('/tmp'), lambda: open('{tmp_name}/x',"
        f" 'w'),\n  lambda: open('{tmp_name}/y', 'w'), lambda:"
        " socket.getaddrinfo('allowed.example', 443)):\n  try: act()\n  except OSError: pass\n"
    )
    result = python(code, source)
    allowed = [event for event in result.events if event["event"] == "allowed"]
    assert [(event["rule"], event["level"], event["mode"]) for event in allowed] == [
        ("named.yaml:11", "DEBUG", "allow")
    ]
    (event,) = result.of("outbound_connectivity")
    assert event["reason"] == "port" and event["rule"] in (None, "named.yaml:6")


def test_no_allowed_events_unless_asked_for() -> None:
    result = python(attempt("open('/tmp/x/y')"), rules(tmp={"mode": "block", "allow": ["/tmp/**"]}))
    assert [event["event"] for event in result.events] == ["armed"]


def test_levels() -> None:
    assert [event["level"] for event in python(attempt("os.listdir('/tmp')")).violations] == [
        "ERROR"
    ]
    assert [
        event["level"] for event in python(attempt("os.listdir('/tmp')"), ALERT).violations
    ] == ["WARN"]
    assert [event["level"] for event in python("pass").events] == ["INFO"]
    assert [event["level"] for event in launch(["no-such-command"]).events] == ["FATAL"]
    assert [
        event["level"]
        for event in launch(["/bin/true"], env={"FUNCTION_SHIELD_MODE": "off"}).events
    ] == ["FATAL"]


def test_armed() -> None:
    (event,) = launch([PYTHON, "-c", "pass"]).events
    assert event["event"] == "armed"
    assert {
        "version",
        "policy_name",
        "policy_sha256",
        "rings",
        "runtime",
        "timestamp",
        "pid",
    } <= set(event)
    assert event["rings"] == ["interpreter", "libc"]
    assert re.fullmatch(r"python3\.\d+t?", event["runtime"])
    assert re.fullmatch(r"[0-9a-f]{64}", event["policy_sha256"])
    assert RFC3339.fullmatch(event["timestamp"])


# ---- the line ----

HUGE = "x" * 250


@pytest.mark.parametrize(
    "act",
    [
        f"os.mkdir(deep('/{HUGE}'))",
        "os.mkdir(deep('/' + '\\n' * 250))",
        "os.mkdir(deep('/' + '\\udcff' * 250))",
        "os.mkdir(deep('/' + '\\x01' * 250))",
        "os.mkdir('/tmp/function-shield-' + '\\n' * 230)",
        "open('/tmp/\\\\\"\\u2028\\x7f\\x9b\\U0001f600')",
        f"subprocess.run(['/bin/true'] + ['{HUGE}\\n\\\"'] * 1000)",
        "subprocess.run([b'/bin/true', b'\\xff\\xc0\\x80\\xed\\xa0\\x80'])",
        "socket.getaddrinfo('a' * 60 + '.' + 'b' * 60 + '.' + 'c' * 60 + '.' + 'd' * 60, 443)",
        "socket.getaddrinfo('a\\nb', 443)",
        "socket.getaddrinfo(b'\\xff\\xfe.example', 443)",
        "socket.getaddrinfo(b'a' * 5000, 443)",
        (
            "exec(compile('def ' + 'f' * 5000 + '(): open(\"/tmp/x\")\\n' + 'f' * 5000 + '()',"
            " 'file' * 2000, 'exec'))"
        ),
        "exec(compile('open(\"/tmp/x\")', 'a\\nb\\xff\\udcff', 'exec'))",
    ],
)
@pytest.mark.parametrize("mode", ["block", "alert"])
def test_one_valid_line_of_at_most_4096_bytes(
    act: str, mode: str, tmp_path: Path, tmp_name: Path
) -> None:
    log = tmp_path / "log"
    # Real folders, as deep as a path can be. If a folder were missing, there would be nothing to
    # judge.
    code = (
        "def deep(name):\n"
        f"    path = {str(tmp_name)!r}\n"
        "    while len(path) + len(name) + 5 < 4000: path += name\n"
        "    return path + '/last'\n" + attempt(act) + "\nexcept ValueError: pass"
    )
    if "deep('" in act:
        prepare = code.replace(act, act.replace("os.mkdir(", "os.makedirs(os.path.dirname(") + ")")
        subprocess.run([PYTHON, "-c", prepare], check=True, timeout=30)
    run_guarded(
        [PYTHON, "-c", code],
        policy=rules(mode, mode, mode, mode),
        env={"FUNCTION_SHIELD_EVENTS": str(log), "AWS_LAMBDA_FUNCTION_NAME": "n" * 64},
    )
    lines = log.read_bytes().split(b"\n")
    assert lines.pop() == b""
    for line in lines:
        assert len(line) + 1 <= 4096
        event = json.loads(line.decode("utf-8", "strict"))
        assert event["function_shield"] is True
    assert len(lines) >= 2, "armed and a violation"
    event = json.loads(lines[1])
    assert event["event"] == "violation"
    assert not re.search(r"[\x00-\x1f\x7f]", lines[1].decode())


def test_one_write_each(tmp_path: Path) -> None:
    """A datagram socket keeps writes apart: each datagram must be one whole line."""
    code = (
        "import os\nfor n in range(20):\n  try: os.mkdir(f'/tmp/function-shield-{n}')\n  except"
        " OSError: pass"
    )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.settimeout(10)
        subprocess.run(
            [LAUNCHER, PYTHON, "-c", code],
            env=clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(BLOCK)}),
            stderr=theirs.fileno(),
            timeout=30,
            check=True,
        )
        for _ in range(21):
            data = ours.recv(100_000)
            assert data.endswith(b"}\n") and data.count(b"\n") == 1 and len(data) <= 4096
            json.loads(data)


@pytest.mark.parametrize("sink", ["pipe", "file"])
def test_threads_and_children_do_not_mix_their_lines(sink: str, tmp_path: Path) -> None:
    code = (
        "import os, threading\n"
        "def act(who):\n"
        "  for n in range(40):\n"
        "    try: os.mkdir(f'/tmp/function-shield-{who}-{n}')\n"
        "    except OSError: pass\n"
        "threads = [threading.Thread(target=act, args=(n,)) for n in range(4)]\n"
        "pids = [os.fork() for n in range(2)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "if all(pids): [os.waitpid(pid, 0) for pid in pids]"
    )
    file = tmp_path / "events"
    env = {"FUNCTION_SHIELD_EVENTS": str(file)} if sink == "file" else {}
    result = python(code, rules(tmp="block"), env=env)
    assert result.stderr == "", "every line of ours is whole"
    assert result.returncode == 0
    lines = file.read_text().splitlines() if sink == "file" else []
    events = [json.loads(line) for line in lines] or result.events
    streams: dict[tuple[int, str], list[Event]] = {}
    for event in events:
        streams.setdefault((event["pid"], event["nonce"]), []).append(event)
    assert len(streams) >= 4
    for stream in streams.values():
        numbers = {event["seq"] for event in stream}
        assert len(numbers) == len(stream)
        # A reader of the pipe may be slow. The events say what it missed.
        missed = max(numbers) + 1 - len(numbers)
        assert missed == sum(event.get("lost", 0) for event in stream)
        assert missed == 0 or sink == "pipe"


def test_the_sequence_and_the_nonce() -> None:
    """Lines that a function prints itself fit neither."""
    code = attempt("os.listdir('/tmp')") + "\n" + attempt("open('/tmp/x')")
    first, second = python(code), python(code)
    for result in (first, second):
        assert [event["seq"] for event in result.events] == [0, 1, 2]
        assert len({event["nonce"] for event in result.events}) == 1
    assert first.events[0]["nonce"] != second.events[0]["nonce"]
