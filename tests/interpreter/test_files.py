"""Files under /tmp: each event that Python raises has the error's reason and the caller."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.support import rules, run_guarded

BLOCK = rules(tmp="block")
ALERT = rules(tmp="alert")

# Acts on P, a file under /tmp, or D, a folder there. The error of each must carry the reason.
ACTS = [
    "open(P)",
    "open(P.encode())",
    "open(P, 'w')",
    "open(pathlib.Path(P), 'ab')",
    "io.open_code(P)",
    "os.open(P, os.O_RDONLY)",
    "os.listdir('/tmp')",
    "list(os.scandir(b'/tmp'))",
    "os.mkdir(P + '.new')",
    "os.remove(P)",
    "os.unlink(pathlib.Path(P))",
    "os.rmdir('/tmp/no-such-folder')",
    "os.rename(P, P + '.new')",
    "os.rename(__file__, '/tmp/stolen')",
    "os.replace('/tmp/../tmp/' + os.path.basename(P), P + '.new')",
    "os.link(__file__, '/tmp/stolen')",
    "os.symlink('/etc/passwd', P + '.new')",
    "os.truncate(P, 0)",
    "os.chmod(P, 0o600)",
    "os.utime(P)",
    "os.getxattr(P, 'user.x')",
    "os.listxattr(P)",
    "open('/usr/../tmp/' + os.path.basename(P))",
    "open('//tmp/' + os.path.basename(P))",
    "open('/./tmp/' + os.path.basename(P))",
    "open('/proc/self/root' + P)",
    "(os.chdir('/tmp'), open(os.path.basename(P)))",
    "sqlite3.connect(P + '.db')",
    "sqlite3.connect('file://' + P + '?mode=ro', uri=True)",
    "ctypes.CDLL(P)",
    "tempfile.NamedTemporaryFile(dir='/tmp')",
    "socket.socket(socket.AF_UNIX).bind(P + '.socket')",
    "socket.socket(socket.AF_UNIX).connect(P)",
    "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', P.encode())",
]

PROGRAM = """
import ctypes, io, os, pathlib, socket, sqlite3, sys, tempfile
P = sys.argv[1]
def act():
    return {act}
try:
    act()
except PermissionError as error:
    kind = type(error)
    print(kind.__module__, kind.__name__, error.errno, error.policy, error.rule, error.reason)
    print(str(error))
"""


def write(folder: Path, act: str) -> Path:
    package = folder / "site-packages" / "evilpkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(textwrap.dedent(PROGRAM).replace("{act}", act))
    script = folder / "main.py"
    script.write_text("import sys; sys.path.insert(0, sys.argv.pop(1)); import evilpkg")
    return script


@pytest.mark.parametrize("act", ACTS)
def test_block(python: Path, tmp_path: Path, tmp_file: Path, act: str) -> None:
    script = write(tmp_path, act)
    done = run_guarded([python, script, tmp_path / "site-packages", tmp_file], policy=BLOCK)
    assert done.stdout.startswith(
        "function_shield PolicyViolation 13 read_write_tmp None no_rule\n"
    ), done
    assert (
        "evilpkg tried to" in done.stdout and "/tmp" in done.stdout and "test.yaml:" in done.stdout
    )
    (event,) = done.violations
    assert event["ring"] == "interpreter"
    assert event["mode"] == "block"
    assert event["origin"]["distribution"] == "evilpkg"
    assert event["origin"]["file"].endswith("/site-packages/evilpkg/__init__.py")
    assert event["origin"]["function"].startswith("act")
    assert event["origin"]["stack"][-1].endswith("main.py:1 <module>")
    assert tmp_file.read_text() == "stashed\n"


@pytest.mark.parametrize(
    "act",
    [
        "open(P).read()",
        "open(P, 'a').write('x')",
        "os.remove(P)",
        "os.rename(P, P + 'x')",
        "os.chmod(P, 0o600)",
    ],
)
def test_alert_is_one_event_and_changes_nothing(
    python: Path, tmp_path: Path, tmp_file: Path, act: str
) -> None:
    script = write(tmp_path, act)
    done = run_guarded([python, script, tmp_path / "site-packages", tmp_file], policy=ALERT)
    Path(f"{tmp_file}x").unlink(missing_ok=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (event,) = done.violations
    assert event["ring"] == "interpreter"
    assert event["mode"] == "alert"
    assert event["origin"]["distribution"] == "evilpkg"


def test_what_is_allowed_passes_without_an_event(python: Path, tmp_file: Path) -> None:
    policy = rules(tmp={"mode": "block", "allow": [str(tmp_file)]})
    done = run_guarded([python, "-c", f"print(open({str(tmp_file)!r}).read())"], policy=policy)
    assert done.stdout == "stashed\n\n"
    assert done.violations == []


def test_rename_inside_is_one_event(python: Path, tmp_path: Path, tmp_file: Path) -> None:
    act = "(os.rename(P, P + '.a'), os.rename(P + '.a', P))"
    done = run_guarded(
        [python, write(tmp_path, act), tmp_path / "site-packages", tmp_file], policy=ALERT
    )
    assert done.returncode == 0, done
    assert [event["count"] for event in done.violations] == [1, 1]


@pytest.mark.parametrize(
    "act",
    [
        "os.rename(P, F)",
        "os.rename(F, P)",
        "os.link(P, N)",
        "os.replace(P, N)",
        "os.rename(P[5:], N[5:], src_dir_fd=T, dst_dir_fd=T)",
    ],
)
def test_two_names_are_one_event(
    python: Path, tmp_path: Path, tmp_file: Path, tmp_name: Path, act: str
) -> None:
    """Whichever of the two is under /tmp."""
    (tmp_path / "outside").touch()
    names = f"P, N, F = {str(tmp_file)!r}, {str(tmp_name)!r}, {str(tmp_path / 'outside')!r}"
    program = f"import os; {names}; T = os.open('/tmp', os.O_PATH); {act}"
    done = run_guarded([python, "-c", program], policy=ALERT)
    assert done.returncode == 0, done
    moved = [event for event in done.violations if event["details"]["path"] != "/tmp"]
    assert [event["count"] for event in moved] == [1]


def test_an_event_about_two_names_hides_no_third(python: Path, tmp_name: Path) -> None:
    """os.mkfifo raises no audit event. The path of an earlier audit event must not be reported for
    it."""
    program = f"""
import os, sys
sys.audit("os.rename", "/tmp/from", "/tmp/to", -1, -1)
os.mkfifo({str(tmp_name)!r})
"""
    done = run_guarded([python, "-c", program], policy=ALERT)
    assert done.returncode == 0, done
    assert [event["details"]["path"] for event in done.violations] == ["/tmp/from", str(tmp_name)]


def test_names_that_only_look_like_it(python: Path, tmp_path: Path) -> None:
    """Names relative to the search path, to another folder or to an fd are not under /tmp."""
    program = f"""
import ctypes, os, sqlite3
os.chdir("/tmp")
ctypes.CDLL("libc.so.6"); ctypes.CDLL(None)
folder = os.open({str(tmp_path)!r}, os.O_RDONLY | os.O_DIRECTORY)
os.close(os.open("file", os.O_RDWR | os.O_CREAT, dir_fd=folder))
os.mkdir("made", dir_fd=folder); os.rename("made", "moved", src_dir_fd=folder, dst_dir_fd=folder)
os.listdir(folder); open(os.dup(folder) * 0 + 1, "w", closefd=False)
sqlite3.connect(":memory:"); sqlite3.connect("")
open("/usr/../etc/hostname"); open("/etc//hostname"); open("/proc/self/status"); open("/dev/null")
print("fine")
"""
    done = run_guarded([python, "-c", program], policy=BLOCK)
    assert (done.stdout, done.violations) == ("fine\n", []), done


def test_errors_travel(python: Path) -> None:
    """The error keeps its type and values across pickle, threads and processes."""
    program = """
import copy, pickle, threading, traceback
def f(found):
    try: open("/tmp/x")
    except OSError as error: found.append(error)
found = []
t = threading.Thread(target=f, args=(found,)); t.start(); t.join()
import function_shield
error = found[0]
assert type(error) is function_shield.PolicyViolation, type(error)
assert isinstance(error, PermissionError) and error.filename == "/tmp/x" and error.errno == 13
again = pickle.loads(pickle.dumps(error))
assert type(again) is type(error) and again.args == error.args and again.policy == "read_write_tmp"
assert function_shield.PolicyViolation.policy is None
print("fine")
"""
    done = run_guarded([python, "-c", program], policy=BLOCK)
    assert done.stdout == "fine\n", done.stderr
