"""The errors that the function sees: PolicyViolation in Python, -1 and EACCES from libc, EAI_FAIL
from a lookup."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.contract.helpers import OUTSIDE, PYTHON, build
from tests.support import rules, run_guarded

BLOCK = rules("block", "block", "block", "block")

ACTS = {
    "open": ("open('/tmp/function-shield-x')", "read_write_tmp", "/tmp/function-shield-x"),
    "open for writing": (
        "open('/tmp/function-shield-x', 'w')",
        "read_write_tmp",
        "/tmp/function-shield-x",
    ),
    "io.open_code": (
        "import io; io.open_code('/tmp/function-shield-x')",
        "read_write_tmp",
        "/tmp/function-shield-x",
    ),
    "os.open": (
        "os.open('/tmp/function-shield-x', os.O_CREAT)",
        "read_write_tmp",
        "/tmp/function-shield-x",
    ),
    "os.mkdir": ("os.mkdir('/tmp/function-shield-x')", "read_write_tmp", "/tmp/function-shield-x"),
    "os.listdir": ("os.listdir('/tmp')", "read_write_tmp", "/tmp"),
    "os.remove": (
        "os.remove('/tmp/function-shield-x')",
        "read_write_tmp",
        "/tmp/function-shield-x",
    ),
    "os.rename": (
        "os.rename('nothing', '/tmp/function-shield-x')",
        "read_write_tmp",
        "/tmp/function-shield-x",
    ),
    "shutil.copy": (
        "shutil.copy('/etc/passwd', '/tmp/function-shield-x')",
        "read_write_tmp",
        "/tmp/function-shield-x",
    ),
    "connect": (
        f"socket.create_connection(('{OUTSIDE}', 443), 2)",
        "outbound_connectivity",
        f"{OUTSIDE}:443",
    ),
    "sendto": (
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{OUTSIDE}', 53))",
        "outbound_connectivity",
        f"{OUTSIDE}:53",
    ),
    "lookup": ("socket.getaddrinfo('evil.example', 443)", "outbound_connectivity", "evil.example"),
    "connect by name": (
        "socket.create_connection(('evil.example', 443))",
        "outbound_connectivity",
        "evil.example",
    ),
    "subprocess": ("subprocess.run(['/bin/true'])", "create_child_process", "true"),
    "subprocess of a shell": ("subprocess.run('true', shell=True)", "create_child_process", "sh"),
    "os.system": ("os.system('true')", "create_child_process", "sh"),
    "os.fork": ("os.fork()", "create_child_process", "fork"),
    "os.execv": ("os.execv('/bin/true', ['true'])", "create_child_process", "true"),
    "os.posix_spawn": ("os.posix_spawn('/bin/true', ['true'], {})", "create_child_process", "true"),
}
PROGRAM = """
import os, shutil, socket, subprocess
try:
    {act}
except Exception as error:
    kind = type(error)
    print(kind.__name__, kind.__module__, isinstance(error, PermissionError), error.errno)
    print(error)
    import function_shield
    print(isinstance(error, function_shield.PolicyViolation), error.policy, error.rule)
"""


@pytest.mark.parametrize("act", ACTS)
def test_policy_violation(python: Path, act: str) -> None:
    code, rule, shown = ACTS[act]
    result = run_guarded([python, "-c", PROGRAM.format(act=code)], policy=BLOCK)
    lines = result.stdout.splitlines()
    assert lines[0] == f"PolicyViolation function_shield True {errno.EACCES}", result
    assert lines[-1] == f"True {rule} None"
    message = "\n".join(lines[1:-1])
    assert rule in message and shown in message and "test" in message, (
        "names the policy, the object and the rule"
    )


def test_a_traceback_names_the_rule() -> None:
    result = run_guarded([PYTHON, "-c", "open('/tmp/function-shield-x')"], policy=BLOCK)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("function_shield.PolicyViolation: [Errno 13] ")
    assert "read_write_tmp" in last and "/tmp/function-shield-x" in last and "test" in last


def test_it_is_caught_as_what_libraries_catch() -> None:
    code = (
        "import os, socket\nfor kind in (PermissionError, OSError, Exception):\n  try:"
        " open('/tmp/x')\n  except kind: print('caught')\ntry:"
        f" socket.create_connection(('{OUTSIDE}', 443))\nexcept socket.error: print('caught')\ntry:"
        " open('/tmp/x')\nexcept OSError as error: print(error.filename, error.strerror !="
        " '')\nimport copy, pickle\ntry: open('/tmp/x')\nexcept OSError as error:"
        " print(str(copy.copy(error)) == str(error))\n"
    )
    result = run_guarded([PYTHON, "-c", code], policy=BLOCK)
    assert result.stdout == "caught\n" * 4 + "/tmp/x True\nTrue\n", result


def test_a_violation_goes_through_threads_and_futures() -> None:
    code = (
        "import asyncio, concurrent.futures\n"
        "def act(): open('/tmp/x')\n"
        "with concurrent.futures.ThreadPoolExecutor() as pool:\n"
        "  print(type(pool.submit(act).exception()).__name__)\n"
        "async def main():\n"
        f"  try: await asyncio.open_connection('{OUTSIDE}', 443)\n"
        "  except OSError as error: print(type(error).__name__)\n"
        "asyncio.run(main())"
    )
    result = run_guarded([PYTHON, "-c", code], policy=BLOCK)
    assert result.stdout == "PolicyViolation\nPolicyViolation\n", result


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["open", "/tmp/function-shield-x"], "-1 13\n"),
        (["create", "/tmp/function-shield-x"], "-1 13\n"),
        (["fopen", "/tmp/function-shield-x"], "-1 13\n"),
        (["mkdir", "/tmp/function-shield-x"], "-1 13\n"),
        (["unlink", "/tmp/function-shield-x"], "-1 13\n"),
        (["rename", "nothing", "/tmp/function-shield-x"], "-1 13\n"),
        (["connect-result", OUTSIDE], "-1 13\n"),
        (["sendto", OUTSIDE], "-1 13\n"),
        (["getaddrinfo", "evil.example"], "-4 EAI_FAIL\n"),
        (["gethostbyname", "evil.example"], "NULL 3\n"),
        (["fork"], "-1 13\n"),
        (["execv", "/bin/true"], "-1 13\n"),
        (["posix_spawn", "/bin/true"], "13\n"),
        (["system", "true"], "-1 13\n"),
        (["popen", "true"], "-1 13\n"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_c(argv: list[str], expected: str) -> None:
    result = run_guarded([build("acts.c", "acts"), *argv], policy=BLOCK)
    assert result.stdout == expected, result
    (event,) = result.violations
    assert (event["mode"], event["ring"]) == ("block", "libc")
    assert not Path("/tmp/function-shield-x").exists()


def test_ctypes(python: Path, tmp_path: Path) -> None:
    """Python code that calls libc by ctypes gets the same errors as C, and one event each."""
    code = f"""
import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
named = ctypes.CDLL("libc.so.6", use_errno=True)
address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(443), socket.inet_aton("{OUTSIDE}"))
sock = socket.socket()
for library in (libc, named):
    for act in (
        lambda: library.open(b"/tmp/function-shield-x", 0),
        lambda: library.mkdir(b"/tmp/function-shield-y", 0),
        lambda: library.connect(sock.fileno(), address, len(address)),
        lambda: library.fork(),
        lambda: library.getaddrinfo(b"evil.example", None, None, ctypes.byref(ctypes.c_void_p())),
    ):
        ctypes.set_errno(0)
        print(act(), ctypes.get_errno())
"""
    result = run_guarded([python, "-c", code], policy=BLOCK)
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith("-4 ")] == ["-1 13"] * 8, result
    assert len([line for line in lines if line.startswith("-4 ")]) == 2
    # ctypes itself is native code, which is reported if the policy does not mention it.
    events = [event for event in result.violations if event["policy"] != "native_code"]
    assert all(event["mode"] == "block" for event in events)
    assert len(events) == 5, "the second of each kind is a repeat"
