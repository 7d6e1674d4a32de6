"""Run: the launcher becomes COMMAND, wherever the layer lies and however COMMAND is named."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.contract.helpers import (
    OUTSIDE,
    PYTHON,
    SAY,
    build,
    copy_layer,
    executable,
    launch,
    refusal,
)
from tests.support import LAUNCHER, LAYER, UNGUARDED, clean_environment, run_bare

# Prints whether it is guarded: either the guard refuses the connection to the outside, or nobody
# listens there.
TRY = (
    f"import socket\ntry: socket.create_connection(('{OUTSIDE}', 9), 2)\nexcept OSError as error:"
    " print(error.errno)"
)
TRY_C = ["{program}", "connect", OUTSIDE]
EACCES = "13\n"


def is_guarded(result: object) -> bool:
    return getattr(result, "stdout", "") == EACCES and len(getattr(result, "violations", [])) == 1


def test_same_process() -> None:
    code = "import os; print(os.getpid(), os.getppid())"
    command = [PYTHON, "-c", code] if UNGUARDED else [str(LAUNCHER), PYTHON, "-c", code]
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        out, err = process.communicate(timeout=30)
    assert out.split() == [str(process.pid), str(os.getpid())]
    assert '"event":"armed"' in err and f'"pid":{process.pid}' in err


@pytest.mark.parametrize("status", [0, 1, 2, 3, 77, 78, 127, 255])
def test_exit_status(status: int) -> None:
    result = launch([PYTHON, "-c", f"import sys; sys.exit({status})"])
    assert result.returncode == status
    assert [event["event"] for event in result.events] == ["armed"]


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGPIPE]
)
def test_death_by_signal(number: signal.Signals) -> None:
    code = (
        f"import os, signal; signal.signal({int(number)}, signal.SIG_DFL); os.kill(os.getpid(),"
        f" {int(number)})"
    )
    if number == signal.SIGKILL:
        code = "import os; os.kill(os.getpid(), 9)"
    assert launch([PYTHON, "-c", code]).returncode == -number


def test_signals_from_outside_arrive() -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGUSR1, lambda *_: (print('got it'), sys.exit(5)))\n"
        "print('ready', flush=True)\nsignal.pause()"
    )
    command = [PYTHON, "-c", code] if UNGUARDED else [str(LAUNCHER), PYTHON, "-c", code]
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.communicate(timeout=30)[0] == "got it\n"
    assert process.returncode == 5


def test_standard_input_output_and_error() -> None:
    code = "import sys; data = sys.stdin.read(); print(len(data)); print('own', file=sys.stderr)"
    result = launch([PYTHON, "-c", code], stdin="x" * 100_000)
    assert (result.stdout, result.stderr) == ("100000\n", "own\n")


def test_arguments_arrive_as_they_are() -> None:
    arguments = [
        "",
        " ",
        "--help",
        "--self-test",
        "-",
        "--",
        "a b",
        "'\"\\$",
        "ü",
        "\udcff",
        "x" * 50_000,
    ]
    code = "import sys; print([ascii(argument) for argument in sys.argv[1:]])"
    result = launch([PYTHON, "-c", code, *arguments])
    assert result.stdout == f"{[ascii(argument) for argument in arguments]}\n"


def test_argv0_is_the_command_as_it_was_named(tmp_path: Path) -> None:
    program = build("acts.c", "acts")
    (tmp_path / "acts").symlink_to(program)
    path = f"{tmp_path}:/usr/bin:/bin"
    assert launch([program, "argv0"]).stdout == f"{program}\n"
    assert launch(["acts", "argv0"], env={"PATH": path}).stdout == "acts\n"
    assert launch(["./acts", "argv0"], cwd=tmp_path).stdout == "./acts\n"


def test_working_folder_umask_limits_and_signal_mask_stay() -> None:
    code = (
        "import os, resource, signal\nmask = os.umask(0); print(os.getcwd(), oct(mask),"
        " signal.pthread_sigmask(signal.SIG_BLOCK, []))\nprint([signal.getsignal(n) for n in"
        " range(1, 32) if n not in (9, 19)], os.getpriority(0, 0),"
        " os.getsid(0))\nprint([resource.getrlimit(n) for n in range(16)])"
    )
    bare, guarded = run_bare([PYTHON, "-c", code]), launch([PYTHON, "-c", code])
    assert guarded.stdout == bare.stdout


def test_the_environment_is_the_commands_own() -> None:
    """COMMAND and its children see the environment unchanged and in its original order, with no
    variable of ours."""
    code = "import os; print([k + '=' + v for k, v in os.environ.items()])"
    env = {"A": "1", "Z": "", "LD_LIBRARY_PATH": "/usr/lib", "PYTHONPATH": "/nowhere"}
    bare, guarded = run_bare([PYTHON, "-c", code], env=env), launch([PYTHON, "-c", code], env=env)
    assert sorted(eval(guarded.stdout)) == sorted(eval(bare.stdout))
    code = (
        "import subprocess; print(subprocess.run(['/usr/bin/env'], capture_output=True,"
        " text=True).stdout)"
    )
    env = {"FUNCTION_SHIELD_POLICY": "monitor"}
    bare, guarded = run_bare([PYTHON, "-c", code], env=env), launch([PYTHON, "-c", code], env=env)
    hidden = ("LD_PRELOAD=", "FUNCTION_SHIELD_STATE=")
    assert sorted(
        line for line in guarded.stdout.splitlines() if not line.startswith(hidden)
    ) == sorted(bare.stdout.splitlines())


def test_a_preload_of_somebody_elses_stays(tmp_path: Path) -> None:
    library = build("preload.c", "preload.so", "-shared", "-fPIC")
    env = {"LD_PRELOAD": str(library)}
    code = (
        "import os; print(os.environ.get('LD_PRELOAD'), 'preload.so' in"
        " open('/proc/self/maps').read())\n" + TRY
    )
    result = launch([PYTHON, "-c", code], env=env)
    assert result.stdout == f"{library} True\n{EACCES}"


# ---- where the layer lies, and how it is named ----


def test_from_a_copied_folder(tmp_path: Path) -> None:
    launcher = copy_layer(tmp_path / "elsewhere")
    assert is_guarded(launch([PYTHON, "-c", TRY], launcher=launcher))
    assert is_guarded(launch([build("acts.c", "acts"), "connect", OUTSIDE], launcher=launcher))


@pytest.mark.parametrize(
    "name", ["ünïcode", "a'b", 'a"b', "a\\b", "a;b", "a%sb", "a*b", "#a", "a=b", "-a", "~a"]
)
def test_from_a_folder_with_an_odd_name(tmp_path: Path, name: str) -> None:
    """Guarded or refused, never unguarded."""
    launcher = copy_layer(tmp_path / name)
    result = launch([PYTHON, "-c", TRY], launcher=launcher)
    if result.returncode == 78:
        assert "unzip the layer elsewhere" in refusal(result)
    else:
        assert is_guarded(result), result


@pytest.mark.parametrize(
    "name", ["with space", "with:colon", "with$ORIGIN", "with\ttab", "with\nline", "with\x1funit"]
)
def test_from_a_folder_that_the_loader_cannot_preload_from(tmp_path: Path, name: str) -> None:
    launcher = copy_layer(tmp_path / name / "layer")
    assert "unzip the layer elsewhere" in refusal(launch(SAY, launcher=launcher))


def test_a_link_into_a_folder_with_a_space_is_followed(tmp_path: Path) -> None:
    copy_layer(tmp_path / "with space")
    (tmp_path / "link").symlink_to(tmp_path / "with space")
    assert "unzip the layer elsewhere" in refusal(
        launch(SAY, launcher=tmp_path / "link" / "function-shield")
    )


def test_by_a_relative_path(tmp_path: Path) -> None:
    copy_layer(tmp_path / "layer")
    for launcher, cwd in (
        ("layer/function-shield", tmp_path),
        ("./function-shield", tmp_path / "layer"),
    ):
        result = launch(
            [PYTHON, "-c", "import os; os.chdir('/')\n" + TRY], launcher=launcher, cwd=cwd
        )
        assert is_guarded(result), result


def test_by_a_link_to_the_launcher(tmp_path: Path) -> None:
    (tmp_path / "guard").symlink_to(LAUNCHER)
    (tmp_path / "layer").symlink_to(LAYER)
    for launcher in (tmp_path / "guard", tmp_path / "layer" / "function-shield"):
        assert is_guarded(launch([PYTHON, "-c", TRY], launcher=launcher))


def test_by_path_name(tmp_path: Path) -> None:
    """The shell finds the launcher on PATH, and the launcher finds COMMAND."""
    (tmp_path / "guarded-python").symlink_to(PYTHON)
    path = f"{LAYER}:{tmp_path}:/usr/bin:/bin"
    code = TRY.replace("\n", "\n")
    argv = ["/bin/sh", "-c", 'exec function-shield guarded-python -c "$1"', "sh", code]
    done = subprocess.run(
        argv if not UNGUARDED else ["guarded-python", "-c", code],
        env=clean_environment({"PATH": path}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == EACCES, done


def test_path_has_empty_and_missing_parts(tmp_path: Path) -> None:
    executable(tmp_path / "mine", f"#!{PYTHON}\nprint('mine')\n")
    for path in ("/nonexistent::/usr/bin", ":/usr/bin", "/usr/bin:"):
        assert launch(["mine"], env={"PATH": path}, cwd=tmp_path).stdout == "mine\n"
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "mine").mkdir()
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "mine").write_text("not executable")
    path = f"{tmp_path}/first:{tmp_path}/second:{tmp_path}"
    assert launch(["mine"], env={"PATH": path}).stdout == "mine\n"


def test_script_as_command(tmp_path: Path) -> None:
    shell = executable(tmp_path / "run.sh", f'#!/bin/bash\nexec "{PYTHON}" "$@"\n')
    direct = executable(tmp_path / "run.py", f"#!{PYTHON} -u\n{TRY}\n")
    policy = {"FUNCTION_SHIELD_POLICY": "default"}
    assert is_guarded(launch([direct], env=policy))
    # The script is COMMAND. What it executes is a child process, which `default` blocks.
    result = launch([shell, "-c", "print('ran')"], env=policy)
    assert result.stdout == "" and len(result.of("create_child_process")) == 1, result


def test_a_command_that_is_no_python() -> None:
    program = build("acts.c", "acts")
    result = launch([program, "connect", OUTSIDE])
    assert is_guarded(result), result
    (armed,) = (event for event in result.events if event["event"] == "armed")
    assert armed["rings"] == ["libc"]
    assert launch(["/bin/true"]).returncode == 0
    assert launch(["/bin/false"]).returncode == 1


def test_closed_standard_descriptors(tmp_path: Path) -> None:
    """Without a standard error there is no place for events. None may land in a file of the
    function's."""
    out = tmp_path / "out"
    code = (
        f"files = [open({str(out)!r} + str(n), 'w') for n in range(4)]\n"
        "try: open('/tmp/function-shield-nonexistent')\n"
        "except PermissionError: files[3].write('refused')"
    )
    launcher = "" if UNGUARDED else f"{LAUNCHER} "
    subprocess.run(
        ["/bin/sh", "-c", f'exec 0<&- 1>&- 2>&-; exec {launcher}{PYTHON} -c "$1"', "sh", code],
        env=clean_environment(),
        timeout=30,
        check=True,
    )
    assert [(tmp_path / f"out{n}").read_text() for n in range(4)] == ["", "", "", "refused"]


@pytest.mark.parametrize("limit", [8, 16, 64, 256, 900, 1024])
def test_few_descriptors(limit: int) -> None:
    """Lambda allows 1,024 fds; another host may allow fewer."""
    launcher = "" if UNGUARDED else f"{LAUNCHER} "
    done = subprocess.run(
        ["/bin/sh", "-c", f'ulimit -n {limit}; exec {launcher}{PYTHON} -c "$1"', "sh", TRY],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == EACCES, done
    assert done.stderr.count('"event":"violation"') == 1


def test_help_and_version() -> None:
    for option in ("--help", "--version"):
        done = subprocess.run(
            [LAUNCHER, option], capture_output=True, text=True, timeout=10, check=False
        )
        assert done.returncode == 0
        assert "FUNCTION_SHIELD_NEXT_WRAPPER" in done.stdout
