"""Every way to start a process is stopped and reported, and works without the guard."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.programs import acts, script
from tests.support import SCRATCH, Guarded, rules, run_bare, run_guarded

UNAME = "/usr/bin/uname"
FORKS = [
    "fork",
    "vfork",
    "_Fork",
    "clone",
    "clone-vm",
    "syscall-clone",
    "syscall-clone-high",
    "syscall-clone3",
    "forkpty",
]
EXECS = [
    "execve",
    "execve-bare",
    "execve-null",
    "execv",
    "execvp",
    "execvpe",
    "execl",
    "execlp",
    "execle",
    "fexecve",
    "execveat",
    "execveat-folder",
    "syscall-execve",
    "syscall-execveat",
    "relative",
    "proc-root",
]
SPAWNS = [
    "posix_spawn",
    "posix_spawn-bare",
    "posix_spawn-errno",
    "posix_spawnp",
    "posix_spawn-folder",
    "posix_spawn-closefrom",
]
SHELLS = ["system", "popen", "wordexp"]


def act(name: str, *arguments: str, process: object = "block", **more: object) -> Guarded:
    return run_guarded([acts(), name, *arguments], policy=rules(process=process, **more))


def refused(result: Guarded) -> bool:
    return result.stdout == f"refused {errno.EACCES}\n"


@pytest.mark.parametrize("name", [*FORKS, "daemon"])
def test_forks(name: str) -> None:
    assert "ran" in run_bare([acts(), name, UNAME]).stdout
    result = act(name, UNAME)
    assert refused(result), result
    assert len(result.of("create_child_process")) == 1
    assert result.violations[0]["mode"] == "block"


@pytest.mark.parametrize("name", EXECS + SPAWNS)
def test_programs(name: str) -> None:
    assert "Linux" in run_bare([acts(), name, UNAME]).stdout
    result = act(name, UNAME)
    assert refused(result), result
    [event] = result.of("create_child_process")
    assert event["details"]["path"] == UNAME
    assert event["mode"] == "block"


@pytest.mark.parametrize("name", SHELLS)
def test_shells(name: str) -> None:
    assert "Linux" in run_bare([acts(), name, UNAME]).stdout
    result = act(name, UNAME)
    assert refused(result), result
    assert len(result.of("create_child_process")) == 1


@pytest.mark.parametrize("name", EXECS + SPAWNS)
def test_exception_names_the_resolved_program(name: str) -> None:
    result = act(name, UNAME, process={"mode": "block", "allow": [UNAME]})
    assert "Linux" in result.stdout, result
    assert result.violations == []
    other = act(name, "/usr/bin/id", process={"mode": "block", "allow": [UNAME]})
    assert refused(other), other


def test_a_link_does_not_make_an_exception(tmp_path: Path) -> None:
    link = tmp_path / "uname"
    link.symlink_to("/usr/bin/id")
    result = act("execve", str(link), process={"mode": "block", "allow": [UNAME, str(link)]})
    assert refused(result), result
    assert result.violations[0]["details"]["path"] == "/usr/bin/id"


def test_an_object_without_a_name_matches_no_exception() -> None:
    result = act("memfd", "/usr/bin/id", process={"mode": "block", "allow": [UNAME, "/**"]})
    assert refused(result), result


def test_a_file_action_opens_through_the_door(tmp_name: Path) -> None:
    result = act("posix_spawn-open", UNAME, str(tmp_name), process="allow", tmp="block")
    assert refused(result), result
    assert not tmp_name.exists()
    assert len(result.of("read_write_tmp")) == 1


def test_a_file_action_that_may_open(tmp_path: Path) -> None:
    target = tmp_path / "out"
    result = act("posix_spawn-open", UNAME, str(target), process="allow", outbound="block")
    assert result.stdout == "ran 0\n", result
    assert target.read_text() == "Linux\n"


def test_what_does_not_exist_is_no_event() -> None:
    result = act("execve", "/nonexistent/program")
    assert result.stdout == f"refused {errno.ENOENT}\n"
    assert result.violations == []


@pytest.mark.parametrize(
    "name",
    ["ptrace", "syscall-ptrace", "process_vm_writev", "unshare", "mount", "chroot", "pidfd_getfd"],
)
def test_guard_integrity(name: str) -> None:
    result = act(name, UNAME, process="allow", outbound="block")
    assert refused(result), result
    assert len(result.events) == 2, result.events
    assert "ran" in act(name, UNAME, process="alert").stdout or name == "mount"


def test_io_uring_is_missing() -> None:
    result = act("io_uring", UNAME, process="allow", outbound="block")
    assert result.stdout == f"refused {errno.ENOSYS}\n"


def test_io_uring_is_named_unless_libuv_asks(tmp_path: Path) -> None:
    """Node and uvloop ask for it at every start. Any other caller uses it deliberately."""
    result = act("io_uring", UNAME, process="allow", outbound="block")
    assert [event["details"]["path"] for event in result.violations] == ["io_uring_setup"]
    library = tmp_path / "uvloop" / "loop.so"
    library.parent.mkdir()
    source = tmp_path / "asks.c"
    source.write_text(
        "#include <errno.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
        "int asks(void) { return syscall(SYS_io_uring_setup, 1, 0) < 0 ? errno : 0; }\n"
    )
    compiler = ["gcc"] if shutil.which("gcc") else [sys.executable, "-m", "ziglang", "cc"]
    subprocess.run([*compiler, "-shared", "-fPIC", source, "-o", library], check=True)
    code = f"import ctypes; print(ctypes.CDLL({str(library)!r}).asks())"
    done = run_guarded([sys.executable, "-c", code], policy=rules(outbound="block"))
    assert (done.stdout, done.violations) == (f"{errno.ENOSYS}\n", []), done


def test_java_is_told_of_its_helper() -> None:
    helper = SCRATCH / "programs" / "lib" / "jspawnhelper"
    helper.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/true", helper)
    (event,) = act("posix_spawn", str(helper)).violations
    assert event["message"].endswith("; Java starts every program through it: allow both"), event


def test_script_is_judged_by_its_own_name() -> None:
    path = script("hello.sh", "#!/bin/sh\necho hello $0 $1\n")
    allowed = {"mode": "block", "allow": [str(path)]}
    result = act("execve", str(path), "you", process=allowed)
    assert result.stdout == f"hello {path} you\n", result
    assert refused(act("execve", str(path), "you"))
