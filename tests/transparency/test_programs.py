"""Programs print and exit the same with and without the guard.

run.py is the long version, with CPython's own test-suite.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.support import (
    LAUNCHER,
    SCRATCH,
    UNGUARDED,
    clean_environment,
    policy_file,
    rules,
    split_events,
)

HERE = Path(__file__).resolve().parent

# As strict as possible, but with everything that these programs do allowed.
ENFORCED = rules(
    outbound={"mode": "block", "allow": [{"cidr": "127.0.0.0/8", "ports": [9, 80]}]},
    tmp={"mode": "block", "allow": ["/tmp", "/tmp/**"]},
    process={"mode": "block", "allow": ["/**"]},
    handler="block",
)
ACTS = [
    "threads",
    "smallest_stack",
    "closing",
    "daemonise",
    "signals",
    "forking",
    "spawning",
    "streams",
    "listing",
    "files",
    "stdio",
    "standing_in",
    "locks",
    "sockets",
    "names",
    "symbols",
    "raw",
    "executing",
    "limits",
]
# Programs that the policy breaks: docs/decisions/transparency.md explains each.
NOT_ENFORCED = {
    "smallest_stack",
    "daemonise",
    "listing",
    "files",
    "stdio",
    "sockets",
    "raw",
    "limits",
}

NEEDED = {"bash", "git", "curl", "sqlite3", "gcc", "make", "perl", "node", "awk", "tar"}
PROGRAMS: dict[str, list[str]] = yaml.safe_load((HERE / "programs.yaml").read_text())


@cache
def compiled(source: str, *options: str) -> Path:
    """Compile a C program or library of this folder, from one file or from a folder of files."""
    files = sorted((HERE / source).glob("*.c")) or [HERE / source]
    out = SCRATCH / "transparency" / source.removesuffix(".c")
    out.parent.mkdir(parents=True, exist_ok=True)
    compiler = ["gcc"] if shutil.which("gcc") else [sys.executable, "-m", "ziglang", "cc"]
    partial = out.with_name(f"{out.name}.{os.getpid()}")
    command = [
        *compiler,
        "-w",
        "-O1",
        *options,
        *map(str, files),
        "-o",
        str(partial),
        "-lpthread",
        "-ldl",
    ]
    subprocess.run(command, check=True)
    partial.replace(out)
    return out


def both(
    argv: list[str], folder: Path, policy: object = "monitor", env: dict[str, str] | None = None
) -> tuple[tuple[int, str, str], tuple[int, str, str]]:
    """A program's output and exit status: bare, then guarded. Each run gets a new folder of the
    same name."""
    chosen = policy_file(policy)  # type: ignore[arg-type]
    ends = []
    for guarded in (False, not UNGUARDED):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        environment = {"FUNCTION_SHIELD_POLICY": chosen, "HOME": str(folder), **(env or {})}
        done = subprocess.run(
            [str(LAUNCHER), *argv] if guarded else argv,
            env=clean_environment(environment) | (env or {}),
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        own, events = split_events(done.stderr)
        if guarded:
            assert [event["event"] for event in events][:1] == ["armed"], done.stderr
        ends.append((done.returncode, steady(done.stdout), steady(own)))
    return ends[0], ends[1]


def steady(text: str) -> str:
    """The output without what differs between two bare runs."""
    text = re.sub(r"function-shield-acts-\w{6}", "FOLDER", text)
    return re.sub(
        r"0x[0-9a-f]{6,}|(?<=line )\d+|(?<=pid )\d+|(?<=after )\d+(?= ms)|(?<=\()\d{3,}(?=\))",
        "NUMBER",
        text,
    )


@pytest.mark.parametrize("act", ACTS)
def test_acts(act: str, tmp_path: Path) -> None:
    bare, guarded = both([str(compiled("acts")), act], tmp_path / "run")
    assert guarded == bare
    assert bare[0] == 0


@pytest.mark.parametrize("act", [act for act in ACTS if act not in NOT_ENFORCED])
def test_acts_that_are_judged_and_allowed(act: str, tmp_path: Path) -> None:
    bare, guarded = both([str(compiled("acts")), act], tmp_path / "run", ENFORCED)
    assert guarded == bare


def test_all_acts_are_here() -> None:
    listed = subprocess.run(
        [compiled("acts")], capture_output=True, text=True, check=True
    ).stdout.split()
    assert sorted(listed) == sorted(ACTS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str, tmp_path: Path) -> None:
    argv = [sys.executable if word == "python" else word for word in PROGRAMS[name]]
    for needed in (argv[0], name.partition(" ")[0]):
        if needed in NEEDED and shutil.which(needed) is None:
            pytest.skip(f"no {needed} here")
    bare, guarded = both(argv, tmp_path / "run")
    if name == "node":  # chance decides which comes first
        bare, guarded = (
            (end[0], "".join(sorted(end[1].splitlines(True))), end[2]) for end in (bare, guarded)
        )
    assert guarded == bare


@pytest.mark.parametrize("program", ["python", "node", "acts", "sh"])
def test_a_library_preloaded_behind_ours(program: str, tmp_path: Path) -> None:
    """LD_PRELOAD was set before the launcher. That library sees each call that it interposes
    exactly once."""
    library = compiled("interposer.c", "-shared", "-fPIC")
    argv = {
        "python": [
            sys.executable,
            "-c",
            (
                "import os, socket; open('/etc/passwd').close();"
                "socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.1', 9));"
                "print(os.environ['LD_PRELOAD']); os.system('echo $LD_PRELOAD')"
            ),
        ],
        "node": [
            "node",
            "-e",
            (
                "require('net').connect(1, '127.0.0.1').on('error', e =>"
                " console.log(e.code));console.log(process.env.LD_PRELOAD,"
                " require('child_process').execSync('echo $LD_PRELOAD').toString())"
            ),
        ],
        "acts": [str(compiled("acts")), "threads"],
        "sh": ["sh", "-c", "echo $LD_PRELOAD; cat /etc/hostname; (cat < /nonexistent)"],
    }[program]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} here")
    bare, guarded = both(
        argv, tmp_path / "run", env={"LD_PRELOAD": str(library), "INTERPOSER_SPEAKS": "1"}
    )
    assert guarded == bare
    if program != "sh":  # exits without running its cleanup
        assert "interposer: opens" in bare[2]


def test_a_closed_standard_error(tmp_path: Path) -> None:
    """Events have nowhere to go, and the program goes on."""
    inner = "echo said; : > /tmp/function-shield-$$; rm /tmp/function-shield-$$; exit 3"
    argv = ["sh", "-c", 'exec 2>&-; "$@"; echo $?', "sh", str(LAUNCHER), "sh", "-c", inner]
    environment = clean_environment({"FUNCTION_SHIELD_POLICY": "monitor"})
    done = subprocess.run(
        argv, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "said\n3\n"
