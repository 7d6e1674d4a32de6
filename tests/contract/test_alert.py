"""Alert mode changes no result and no errno, and raises nothing. Each act makes exactly one
event."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.helpers import OUTSIDE, PYTHON, build
from tests.support import (
    LAUNCHER,
    UNGUARDED,
    Guarded,
    clean_environment,
    policy_file,
    rules,
    run_bare,
    run_guarded,
    split_events,
)

ALERT = rules("alert", "alert", "alert", "alert")
# `block` with FUNCTION_SHIELD_MODE=alert must behave the same.
DRY_RUN = rules("block", "block", "block", "block", allow_mode_override=["alert"])

MODULES = (
    "asyncio",
    "multiprocessing",
    "pathlib",
    "socket",
    "subprocess",
    "tempfile",
    "urllib.request",
)
PRELUDE = "import os, sys\nD = sys.argv[1]\ndef new(name): return os.path.join(D, name)\n"
#: The act, and the rule that its one event names.
ACTS: dict[str, tuple[str, str]] = {
    "open to read": ("print(open(new('there')).read())", "read_write_tmp"),
    "open what is not there": ("open(new('missing'))", "read_write_tmp"),
    "create": ("print(open(new('x'), 'w').write('data'))", "read_write_tmp"),
    "create exclusively": ("open(new('there'), 'x')", "read_write_tmp"),
    "append": ("print(open(new('there'), 'a').write('more'))", "read_write_tmp"),
    "Path.write_text": ("print(pathlib.Path(new('x')).write_text('data'))", "read_write_tmp"),
    "os.open": (
        "os.close(os.open(new('x'), os.O_CREAT | os.O_RDWR | os.O_EXCL))",
        "read_write_tmp",
    ),
    "mkdir": ("os.mkdir(new('x'))", "read_write_tmp"),
    "mkdir of what is there": ("os.mkdir(D)", "read_write_tmp"),
    "listdir": ("print(os.listdir(D))", "read_write_tmp"),
    "scandir": ("print([entry.name for entry in os.scandir(D)])", "read_write_tmp"),
    "unlink": ("os.unlink(new('there'))", "read_write_tmp"),
    "unlink of nothing": ("os.unlink(new('missing'))", "read_write_tmp"),
    "rename": ("os.rename(new('there'), new('x'))", "read_write_tmp"),
    "symlink": ("os.symlink('target', new('x'))", "read_write_tmp"),
    "link": ("os.link(new('there'), new('x'))", "read_write_tmp"),
    "truncate": ("os.truncate(new('there'), 2)", "read_write_tmp"),
    "chmod": ("os.chmod(new('there'), 0o600)", "read_write_tmp"),
    "rmdir": ("os.rmdir(new('empty'))", "read_write_tmp"),
    "mkfifo": ("os.mkfifo(new('x'))", "read_write_tmp"),
    "NamedTemporaryFile": ("tempfile.mkstemp(dir=D)", "read_write_tmp"),
    "connect by address": (
        f"socket.create_connection(('{OUTSIDE}', PORT), 5)",
        "outbound_connectivity",
    ),
    "connect to a closed port": (
        f"socket.create_connection(('{OUTSIDE}', 1), 5)",
        "outbound_connectivity",
    ),
    "connect_ex": (
        f"print(socket.socket().connect_ex(('{OUTSIDE}', PORT)))",
        "outbound_connectivity",
    ),
    "connect of a datagram socket": (
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('{OUTSIDE}', PORT))",
        "outbound_connectivity",
    ),
    "sendto": (
        "out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"print(out.sendto(b'x', ('{OUTSIDE}', PORT)))",
        "outbound_connectivity",
    ),
    "asyncio": (
        f"asyncio.run(asyncio.wait_for(asyncio.open_connection('{OUTSIDE}', PORT), 5))",
        "outbound_connectivity",
    ),
    "urllib": (
        f"print(urllib.request.urlopen('http://{OUTSIDE}:PORT/', timeout=5).read())",
        "outbound_connectivity",
    ),
    "subprocess.run": (
        "print(subprocess.run(['/usr/bin/uname', '-s'], capture_output=True))",
        "create_child_process",
    ),
    "subprocess.run by name": (
        "print(subprocess.run(['uname', '-s']).returncode)",
        "create_child_process",
    ),
    "subprocess.run of a shell": (
        "print(subprocess.run('uname; uname | cat; exit 3', shell=True).returncode)",
        "create_child_process",
    ),
    "subprocess.check_output": ("print(subprocess.check_output('uname'))", "create_child_process"),
    "os.system": ("print(os.system('exit 3'))", "create_child_process"),
    "os.popen": ("print(os.popen('uname').read())", "create_child_process"),
    "os.fork": (
        "pid = os.fork()\nif not pid: os._exit(3)\nprint(os.waitpid(pid, 0)[1])",
        "create_child_process",
    ),
    "os.posix_spawn": (
        "print(os.waitpid(os.posix_spawn('/usr/bin/uname', ['uname'], os.environ), 0)[1])",
        "create_child_process",
    ),
    "os.execv": ("os.execv('/usr/bin/uname', ['uname'])", "create_child_process"),
    "os.spawnlp": ("print(os.spawnlp(os.P_WAIT, 'uname', 'uname'))", "create_child_process"),
    "asyncio subprocess": (
        "async def main():\n"
        "  p = await asyncio.create_subprocess_exec('uname'); print(await p.wait())\n"
        "asyncio.run(main())",
        "create_child_process",
    ),
    "multiprocessing fork": (
        "p = multiprocessing.get_context('fork').Process(target=print, args=('child',))\n"
        "p.start(); p.join()\n"
        "print(p.exitcode)",
        "create_child_process",
    ),
}
#: Acts that consist of two: Python forks, and the child executes a program.
TWO = {"os.spawnlp"}


def python(code: str, folder: Path, port: int, **guard: Any) -> Guarded:
    imports = "".join(f"import {name}\n" for name in MODULES if name in code)
    argv = [PYTHON, "-c", imports + PRELUDE + code.replace("PORT", str(port)), str(folder)]
    if not guard:
        return run_bare(argv)
    return run_guarded(argv, **guard)


@pytest.fixture
def outside() -> Iterator[int]:
    """A listener that plays the outside. Yields its port."""
    code = (
        "import socketserver, threading\nclass Answer(socketserver.BaseRequestHandler):\n    def"
        " handle(self):\n        self.request.settimeout(5)\n        try:\n            if"
        " self.request.recv(1000): self.request.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nanswer')\n   "
        f"     except OSError: pass\nserver = socketserver.ThreadingTCPServer(('{OUTSIDE}', 0),"
        " Answer)\nprint(server.server_address[1], flush=True)\nserver.serve_forever()"
    )
    with subprocess.Popen(
        [PYTHON, "-c", code], stdout=subprocess.PIPE, text=True, env=clean_environment()
    ) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.terminate()


def fill(folder: Path) -> Path:
    folder.mkdir()
    (folder / "there").write_text("content")
    (folder / "empty").mkdir()
    return folder


def tree(folder: Path) -> list[tuple[str, int]]:
    """The names and modes of what exists afterwards. Random names count as equal."""
    found = [
        ("random" if path.name.startswith("tmp") else path.name, path.lstat().st_mode)
        for path in folder.rglob("*")
    ]
    return sorted(found)


DRY = [
    "create",
    "mkdir",
    "connect by address",
    "subprocess.run",
    "os.system",
    "os.fork",
    "multiprocessing fork",
]


@pytest.mark.parametrize(
    ("act", "how"), [(act, "alert") for act in ACTS] + [(act, "dry run") for act in DRY]
)
def test_one_event_and_the_same_result(act: str, how: str, tmp_name: Path, outside: int) -> None:
    code, rule = ACTS[act]
    bare = python(code, fill(tmp_name), outside)
    expected = tree(tmp_name)
    shutil.rmtree(tmp_name)
    fill(tmp_name)
    if how == "alert":
        result = python(code, tmp_name, outside, policy=ALERT)
    else:
        result = python(
            code, tmp_name, outside, policy=DRY_RUN, env={"FUNCTION_SHIELD_MODE": "alert"}
        )
    assert (result.returncode, result.stdout, result.stderr) == (
        bare.returncode,
        bare.stdout,
        bare.stderr,
    )
    assert tree(tmp_name) == expected
    events = [
        (event["policy"], event["mode"], event["policy_mode"], event["count"])
        for event in result.violations
    ]
    policy_mode = "alert" if how == "alert" else "block"
    assert events == [(rule, "alert", policy_mode, 1)] * (2 if act in TWO else 1), result.violations


@pytest.mark.parametrize("act", ACTS)
def test_blocked_each_once(act: str, tmp_name: Path, outside: int) -> None:
    """The same acts under `block`: none happens, each makes one event, and the folder is
    unchanged."""
    code, rule = ACTS[act]
    before = tree(fill(tmp_name))
    result = python(code, tmp_name, outside, policy=rules("block", "block", "block", "block"))
    events = [(event["policy"], event["mode"]) for event in result.violations]
    assert set(events) == {(rule, "block")}, result
    assert len(events) == 1, result.violations
    if act not in ("connect_ex", "os.spawnlp", "mkdir of what is there"):
        assert "answer" not in result.stdout and "Linux" not in result.stdout
    assert tree(tmp_name) == before


LOOKUPS = {
    "getaddrinfo": "print(socket.getaddrinfo(NAME, 443))",
    "gethostbyname": "print(socket.gethostbyname(NAME))",
    "connect by name": "socket.create_connection((NAME, PORT), 5)",
    "urllib by name": (
        "print(urllib.request.urlopen('http://' + NAME + ':PORT/', timeout=5).read())"
    ),
}
HOSTS = f"127.0.0.1 localhost\n{OUTSIDE} evil.example\n{OUTSIDE} good.example\n"


def namespaces() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0
    )


@pytest.fixture
def hosts(tmp_path: Path) -> list[str]:
    """The command prefix for a mount namespace with the test's own hosts file. No name server is
    asked."""
    if not namespaces():
        pytest.skip("no mount namespace can be made here")
    (tmp_path / "hosts").write_text(HOSTS)
    mount = f'mount --bind {tmp_path}/hosts /etc/hosts && exec "$@"'
    return ["unshare", "-m", "sh", "-c", mount, "sh"]


def with_hosts(hosts: list[str], code: str, port: int, policy: Any = None) -> Guarded:
    """Run the code, bare or under `policy`, with addresses for evil.example and good.example."""
    imports = "".join(f"import {name}\n" for name in MODULES if name in code)
    argv = [PYTHON, "-c", imports + code.replace("PORT", str(port))]
    if policy is not None and not UNGUARDED:
        argv.insert(0, str(LAUNCHER))
    done = subprocess.run(
        [*hosts, *argv],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": policy_file(policy)} if policy else {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    stderr, events = split_events(done.stderr)
    return Guarded(done.returncode, done.stdout, stderr, events)


@pytest.mark.parametrize("act", LOOKUPS)
def test_names(act: str, hosts: list[str], outside: int) -> None:
    code = "NAME = 'evil.example'\n" + LOOKUPS[act]
    bare, result = with_hosts(hosts, code, outside), with_hosts(hosts, code, outside, ALERT)
    assert bare.returncode == 0, bare
    assert (result.returncode, result.stdout, result.stderr) == (
        bare.returncode,
        bare.stdout,
        bare.stderr,
    )
    assert [event["details"]["host"] for event in result.violations] == ["evil.example"], (
        result.violations
    )
    blocked = with_hosts(hosts, code, outside, rules(outbound="block"))
    assert blocked.stdout == "" and "PolicyViolation" in blocked.stderr
    assert [event["details"]["host"] for event in blocked.violations] == ["evil.example"]


@pytest.mark.parametrize("act", LOOKUPS)
def test_allowed_names(act: str, hosts: list[str], outside: int) -> None:
    """A name's entry allows an address only after a lookup of that name has returned it."""
    policy = rules(
        outbound={"mode": "block", "allow": [{"host": "good.example", "ports": [443, outside]}]}
    )
    code = "NAME = 'good.example'\n" + LOOKUPS[act]
    bare, result = with_hosts(hosts, code, outside), with_hosts(hosts, code, outside, policy)
    assert (result.returncode, result.stdout, result.stderr) == (
        bare.returncode,
        bare.stdout,
        bare.stderr,
    )
    assert result.violations == []
    unnamed = with_hosts(
        hosts, f"socket.create_connection(('{OUTSIDE}', PORT), 5)", outside, policy
    )
    assert [event["reason"] for event in unnamed.violations] == ["no_rule"]
    other = (
        f"socket.getaddrinfo('good.example', 443)\nsocket.create_connection(('{OUTSIDE}', 1), 5)"
    )
    assert [event["reason"] for event in with_hosts(hosts, other, outside, policy).violations] == [
        "port"
    ]


def test_another_port_than_was_looked_up_is_an_act_of_its_own(
    hosts: list[str], outside: int
) -> None:
    """A lookup and the connection to the port of that lookup are one act. A lookup for one port
    hides no connection to another."""
    dial = f"socket.socket().connect_ex(('{OUTSIDE}', %d))"
    for port, events in ((None, [None, outside]), (1, [1, outside]), (outside, [outside])):
        code = f"socket.getaddrinfo('evil.example', {port})\n{dial % outside}"
        found = [
            event["details"]["port"] for event in with_hosts(hosts, code, outside, ALERT).violations
        ]
        assert found == events, port


def installed(folder: Path, **modules: str) -> str:
    """Write modules into a folder like installed packages. Returns the lines that make them
    importable."""
    site = folder / "site-packages"
    site.mkdir()
    for name, code in modules.items():
        (site / f"{name}.py").write_text(code)
    return f"import sys; sys.path.insert(0, {str(site)!r})\n"


def test_a_look_up_that_names_nobody_hides_no_connection(
    hosts: list[str], outside: int, tmp_path: Path
) -> None:
    """asyncio looks names up in a thread whose stack names no package. The connection's event must
    still name its caller."""
    dials = "import socket\ndef dial(found):\n    socket.socket().connect(found[0][4])\n"
    code = (
        installed(tmp_path, carrier=dials) + "import asyncio, carrier\n"
        "async def main():\n"
        "    loop = asyncio.get_running_loop()\n"
        f"    found = await loop.getaddrinfo('evil.example', {outside}, type=socket.SOCK_STREAM)\n"
        "    for _ in '123': carrier.dial(found)\n"
        "asyncio.run(main())\n"
    )
    found = with_hosts(hosts, code, outside, ALERT).violations
    assert [event["origin"]["distribution"] for event in found] == [None, "carrier"]
    assert {event["details"]["host"] for event in found} == {"evil.example"}


def test_nobody_hides_behind_somebody_elses_look_up(
    hosts: list[str], outside: int, tmp_path: Path
) -> None:
    looks = (
        f"def look(): return socket.getaddrinfo('evil.example', {outside},"
        " type=socket.SOCK_STREAM)\n"
    )
    dials = "import socket\ndef dial(found):\n    socket.socket().connect(found[0][4])\n"
    code = (
        installed(tmp_path, first=dials + looks, second=dials)
        + "import first, second\nfound = first.look()\n"
    )
    for acts, askers in (
        ("first.dial(found)", ["first"]),
        ("second.dial(found)", ["first", "second"]),
        # No caller is credited with another caller's lookup.
        ("second.dial(found); first.dial(found)", ["first", "second"]),
        ("first.dial(found); second.dial(found)", ["first", "second"]),
    ):
        found = with_hosts(hosts, code + acts, outside, ALERT).violations
        assert [event["origin"]["distribution"] for event in found] == askers, acts


def test_errno_of_c(tmp_name: Path) -> None:
    program = build("acts.c", "acts")
    fill(tmp_name)
    for argv in (
        ["open", tmp_name / "there"],
        ["open", tmp_name / "missing"],
        ["mkdir", tmp_name],
        ["unlink", tmp_name],
        ["rename", tmp_name / "missing", tmp_name / "x"],
        ["connect-result", "127.66.66.66"],
        ["fork"],
        ["execv", "/no/such/program"],
        ["posix_spawn", "/no/such/program"],
        ["system", "exit 3"],
        ["sendto", OUTSIDE],
    ):
        bare, result = run_bare([program, *argv]), run_guarded([program, *argv], policy=ALERT)
        assert (result.stdout, result.stderr) == (bare.stdout, bare.stderr), argv
        assert len(result.violations) <= 1
