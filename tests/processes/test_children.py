"""A program that may start is guarded by the same policy, whatever its environment and its file
are."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.processes.programs import HERE, acts, build, script
from tests.support import Guarded, rules, run_bare, run_guarded

CHILD = str(HERE / "guarded.py")
PYTHON = str(Path(sys.executable).resolve())
POLICY = rules(outbound="block")
LOADER = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}[
    os.uname().machine
]
WAYS = [
    "execve",
    "execve-bare",
    "execv",
    "execvp",
    "execvpe",
    "fexecve",
    "execveat",
    "execveat-folder",
    "syscall-execve",
    "syscall-execveat",
    "posix_spawn",
    "posix_spawn-bare",
    "posix_spawnp",
    "posix_spawn-closefrom",
]


def start(
    way: str, *argv: str, env: dict[str, str] | None = None, policy: object = POLICY
) -> Guarded:
    path = f"{Path(PYTHON).parent}:/usr/bin:/bin"
    environment = {"PATH": path, **(env or {})}
    command = [acts(), way, *argv]
    return run_guarded(command, policy=policy, env=environment)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_guards(way: str) -> None:
    result = start(way, PYTHON, CHILD, "one", "")
    assert "guarded\n" in result.stdout and "unguarded" not in result.stdout, result
    assert len(result.of("outbound_connectivity")) == 1, "the child's own event"
    assert "argv ['one', '']" in result.stdout
    assert "environment []" in result.stdout


def test_the_event_descriptor_stays() -> None:
    closed = start("posix_spawn-close-all", PYTHON, CHILD)
    assert "guarded\n" in closed.stdout, closed
    assert len(closed.of("outbound_connectivity")) == 1
    replaced = start("posix_spawn-replace-all", PYTHON, CHILD)
    assert replaced.stdout == f"refused {errno.EACCES}\n", replaced
    assert len(replaced.violations) == 1


@pytest.mark.parametrize("way", ["system", "popen"])
def test_shells_guard(way: str) -> None:
    result = start(way, f"{PYTHON} {CHILD} one")
    assert "guarded\n" in result.stdout and "unguarded" not in result.stdout, result
    assert result.stdout.endswith("ran 0\n")


@pytest.mark.parametrize("way", ["popen-write", "popen-two"])
def test_popen_does_what_libc_does(way: str) -> None:
    assert start(way, PYTHON).stdout == run_bare([acts(), way, PYTHON]).stdout


def test_system_status() -> None:
    for command in ("exit 3", "kill -9 $$", "exec no-such-program"):
        assert start("system", command).stdout == run_bare([acts(), "system", command]).stdout


LOADER_VARIABLES = {
    "LD_PRELOAD": "/nonexistent.so",
    "LD_AUDIT": "/nonexistent.so",
    "LD_DEBUG": "statistics",
    "LD_BIND_NOT": "1",
    "LD_DYNAMIC_WEAK": "1",
    "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=1",
    "FUNCTION_SHIELD_STATE": "off",
}


@pytest.mark.parametrize("name", LOADER_VARIABLES)
@pytest.mark.parametrize("how", ["exec", "posix_spawn", "subprocess"])
def test_loader_variables_do_not_pass(name: str, how: str, tmp_path: Path) -> None:
    code = tmp_path / "parent.py"
    calls = {
        "exec": "os.execve(sys.argv[1], sys.argv[1:], environment)",
        "posix_spawn": "os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], environment), 0)",
        "subprocess": "subprocess.run(sys.argv[1:], env=environment)",
    }
    code.write_text(
        "import os, subprocess, sys\n"
        f"environment = {{'KEPT': '1', {name!r}: {LOADER_VARIABLES[name]!r}}}\n{calls[how]}\n"
    )
    result = run_guarded([PYTHON, code, PYTHON, CHILD], policy=POLICY)
    assert "guarded\n" in result.stdout and "unguarded" not in result.stdout, result
    assert "environment ['KEPT']" in result.stdout
    attempts = [event for event in result.violations if event["details"].get("path") == name]
    assert len(attempts) == (0 if name == "FUNCTION_SHIELD_STATE" else 1), result.events


def test_variables_of_services_pass() -> None:
    code = (
        "import os, sys; os.execve(sys.argv[1], sys.argv[1:], {'LD_SDK_KEY': 'x', 'LD_BIND_NOW':"
        " '1'})"
    )
    result = run_guarded([PYTHON, "-c", code, PYTHON, CHILD], policy=POLICY)
    assert "environment ['LD_BIND_NOW', 'LD_SDK_KEY']" in result.stdout, result


def test_library_folders(tmp_path: Path) -> None:
    """A writable folder is dropped. A folder from the start, and the system's own, stay."""
    own = str(tmp_path / "own")
    added = str(tmp_path / "added")
    for folder in (own, added):
        Path(folder).mkdir()
    code = (
        "import os, sys\n"
        "os.environ['LD_LIBRARY_PATH'] = sys.argv[1]\n"
        "os.execve(sys.argv[2], sys.argv[2:], dict(os.environ))\n"
    )
    result = run_guarded(
        [PYTHON, "-c", code, f"{added}:{own}:/usr/lib:relative", PYTHON, CHILD],
        policy=POLICY,
        env={"LD_LIBRARY_PATH": own},
    )
    assert f"LD_LIBRARY_PATH {own}:/usr/lib\n" in result.stdout, result
    assert [event["details"].get("path") for event in result.violations][:1] == ["LD_LIBRARY_PATH"]


def test_static_program() -> None:
    static = build("static.c", "static", "-static", "-nostartfiles", "-nostdlib")
    assert run_bare([acts(), "execve", static]).stdout == "static\n"
    result = start("execve", str(static))
    assert result.stdout == f"refused {errno.EACCES}\n", result
    [event] = result.violations
    assert event["reason"] == "static" or "cannot be loaded" in event["message"]
    monitored = start("execve", str(static), policy=rules(process="alert"))
    assert monitored.stdout == "static\n"
    assert len(monitored.violations) == 1


def test_the_loader_as_a_program() -> None:
    result = start("execve", LOADER, "/usr/bin/id")
    assert result.stdout == f"refused {errno.EACCES}\n", result


def test_setuid_program(tmp_path: Path) -> None:
    copy = tmp_path / "id"
    shutil.copy("/usr/bin/id", copy)
    copy.chmod(0o4755)
    assert start("execve", str(copy)).stdout == f"refused {errno.EACCES}\n"
    copy.chmod(0o755)
    assert "uid" in start("execve", str(copy)).stdout


def test_scripts() -> None:
    direct = script(
        "direct",
        f"#!{PYTHON} -u\nimport runpy, sys\nrunpy.run_path({CHILD!r}, run_name='__main__')\n",
    )
    nested = script("nested", f"#!{direct} -x\n")
    env = script(
        "env",
        "#!/usr/bin/env -S LD_PRELOAD= " + PYTHON + f"\nimport runpy\nrunpy.run_path({CHILD!r})\n",
    )
    for path in (direct, nested, env):
        bare = run_bare([acts(), "execve", path, "one"]).stdout
        result = start("execve", str(path), "one")
        assert "\nguarded\n" in result.stdout, result
        assert result.stdout.splitlines()[0] == bare.splitlines()[0]


def test_script_of_a_static_interpreter() -> None:
    static = build("static.c", "static", "-static", "-nostartfiles", "-nostdlib")
    path = script("by-static", f"#!{static}\n")
    assert start("execve", str(path)).stdout == f"refused {errno.EACCES}\n"


def test_file_without_a_first_line_is_the_shells() -> None:
    path = script("plain", "echo plain $0 $1\n")
    env = {"PATH": f"{path.parent}:/usr/bin:/bin"}
    for way, runs in (("execvp", True), ("execvpe", True), ("posix_spawnp", False)):
        expected = run_bare([acts(), way, path, "x"], env=env).stdout
        assert ("plain" in expected) == runs
        assert start(way, str(path), "x", env=env).stdout == expected
    assert start("execve", str(path)).stdout == f"refused {errno.ENOEXEC}\n"


def test_name_of_the_process() -> None:
    result = start("execve", PYTHON, CHILD)
    assert f"comm {Path(PYTHON).name[:15]}\n" in result.stdout


def test_swapped_while_it_starts(tmp_path: Path) -> None:
    """A link points alternately to the allowed program and to another. The other program never
    starts."""
    race = build("race.c", "race", "-pthread")
    link = tmp_path / "turning"
    allow = {"mode": "block", "allow": ["/usr/bin/true"]}
    result = run_guarded(
        [race, link, "/usr/bin/true", "/usr/bin/false", "400"],
        policy=rules(process=allow),
        timeout=60,
    )
    assert result.returncode == 0, result
    assert "other 0\n" in result.stdout, result.stdout


def test_environment_rewritten_while_it_starts(tmp_path: Path) -> None:
    race = build("rewrite.c", "rewrite", "-pthread")
    result = run_guarded([race, "/usr/bin/env", "300"], policy=POLICY, timeout=60)
    assert result.returncode == 0, result
    assert "through 0\n" in result.stdout, result.stdout


def test_threads_that_are_cancelled_in_a_door() -> None:
    """The unwinder finds its way through the doors' frames. A thread that is cancelled before it
    has set its handler runs no handler."""
    cancel = build("cancel.c", "cancel", "-pthread")
    result = run_guarded([cancel, "300"], policy=POLICY, timeout=60)
    assert result.returncode == 0, result
    cleaned = int(result.stdout.split()[1])
    assert 250 < cleaned <= 300


def test_double_fork_is_guarded(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        os.setsid(); os.execv(sys.argv[1], sys.argv[1:])\n"
        "    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "os.wait()\n"
    )
    result = run_guarded([PYTHON, "-c", code, PYTHON, CHILD], policy=POLICY)
    assert "guarded\n" in result.stdout and "unguarded" not in result.stdout, result
