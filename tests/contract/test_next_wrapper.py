"""Other tools' exec wrappers run guarded, before the runtime, with the programs that they start.
After that, the rules hold."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.helpers import OUTSIDE, PYTHON, SAY, build, executable, launch, refusal
from tests.processes.programs import acts
from tests.support import LAUNCHER, UNGUARDED, Guarded, clean_environment, policy_file, rules

BLOCK = rules("block", "block", "block", "block")
TRY = (
    "import os, socket, sys\n"
    "def attempt(name, act):\n"
    "    try: act(); print(name, 'passed')\n"
    "    except OSError as error: print(name, error.errno)\n"
    f"attempt('connect', lambda: socket.create_connection(('{OUTSIDE}', 9), 2))\n"
    "attempt('tmp', lambda: os.listdir('/tmp'))\n"
    "attempt('fork', lambda: os.waitpid(os.fork() or os._exit(0), 0))\n"
)
HELD = "connect 13\ntmp 13\nfork 13\n"


def wrapped(wrapper: Path, argv: list[str], **env: str) -> Guarded:
    if UNGUARDED:
        return launch([wrapper, *argv], env=env)
    policy = env.pop("FUNCTION_SHIELD_POLICY", policy_file(BLOCK))
    return launch(
        argv,
        env={"FUNCTION_SHIELD_POLICY": policy, "FUNCTION_SHIELD_NEXT_WRAPPER": str(wrapper), **env},
    )


def test_a_script_that_starts_processes(tmp_path: Path) -> None:
    """As the scripts of Datadog, Lumigo and others: the shell forks and pipes, and then becomes the
    runtime."""
    wrapper = executable(
        tmp_path / "wrapper",
        "#!/bin/bash\nset -e\n"
        'export UPPER=$(echo "$MY_VALUE" | tr a-z A-Z)\n'
        'if [ "$(basename "$1")" != nothing ]; then (cd / && ls >/dev/null); fi\n'
        f"export FROM_PYTHON=$({PYTHON} -c 'print(7)')\n"
        'cat >/dev/null <<<"here"\n'
        'exec "$@"\n',
    )
    code = TRY + "print(os.environ['UPPER'], os.environ['FROM_PYTHON'], sys.argv[1:])"
    result = wrapped(wrapper, [PYTHON, "-c", code, "a b", ""], MY_VALUE="value")
    assert result.stdout == HELD + "VALUE 7 ['a b', '']\n", result
    assert [event["event"] for event in result.events].count("armed") == 1
    assert len(result.of("create_child_process")) == 1, (
        "only the function's own fork makes an event, and none of the wrapper's"
    )


# The whole script of Lambda Web Adapter (awslabs/aws-lambda-web-adapter, layer/bootstrap). It drops
# the runtime's arguments. The adapter itself is an extension, outside the wrapper.
WEB_ADAPTER = '#!/bin/bash\nexec -- "${LAMBDA_TASK_ROOT}/${_HANDLER}"\n'


@pytest.mark.parametrize("name", ["/opt/bootstrap of LWA", "another"])
def test_a_program_in_the_runtimes_place(tmp_path: Path, name: str) -> None:
    """A web server that runs in the runtime's own interpreter, and one that the package brings."""
    wrapper = executable(tmp_path / "bootstrap", WEB_ADAPTER)
    task = tmp_path / "task"
    task.mkdir()
    shutil.copy(acts(), task / "server")
    server = (
        f"{PYTHON} -c {shlex.quote(TRY)}"
        if name != "another"
        else f"{task}/server fork /usr/bin/uname"
    )
    executable(task / "run.sh", f"#!/bin/bash\nunused=$(uname | cat)\nexec {server}\n")
    env = {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": "run.sh"}
    result = wrapped(wrapper, [PYTHON, "-c", "print('the runtime')"], **env)
    assert result.stdout == (HELD if name != "another" else "refused 13\n"), result
    assert [event["event"] for event in result.events].count("armed") == 1
    assert len(result.of("create_child_process")) == 1


@pytest.mark.parametrize(
    "how", ["with options", "by its name", "through env", "through another wrapper", "nice"]
)
def test_ways_to_become_the_runtime(tmp_path: Path, how: str) -> None:
    line = {
        # From Lambda's documentation: options go before the last argument.
        "with options": (
            'a=("$@"); a=("${a[@]:0:$#-2}" -X importtime "${a[@]: -2}"); exec "${a[@]}" 2>&1'
        ),
        "by its name": (
            f'shift; export PATH="{Path(PYTHON).parent}:$PATH"; exec {Path(PYTHON).name} "$@"'
        ),
        "through env": 'exec env ADDED=1 "$@"',
        "through another wrapper": f'exec {tmp_path}/second "$@"',
        "nice": 'exec nice -n 1 "$@"',
    }[how]
    executable(tmp_path / "second", '#!/bin/sh\nexec "$@"\n')
    wrapper = executable(tmp_path / "wrapper", f"#!/bin/bash\nunused=$(uname | cat)\n{line}\n")
    result = wrapped(wrapper, [PYTHON, "-c", TRY])
    lines = [
        line
        for line in result.stdout.splitlines()
        if "import time" not in line and "function_shield" not in line
    ]
    assert "\n".join(lines) + "\n" == HELD, result


def test_a_python_program_as_wrapper(tmp_path: Path) -> None:
    """As OpenTelemetry's: the wrapper and the runtime use the same Python."""
    code = (
        "import os, subprocess, sys\nsubprocess.run(['true'])\nos.execv(sys.argv[1],"
        " sys.argv[1:])\n"
    )
    direct = executable(tmp_path / "instrument", f"#!{PYTHON}\n{code}")
    through = executable(tmp_path / "wrapper", f'#!/bin/bash\nexec {PYTHON} {direct} "$@"\n')
    for wrapper in (direct, through):
        result = wrapped(wrapper, [PYTHON, "-c", TRY])
        assert result.stdout == HELD, result
        assert [event["event"] for event in result.events].count("armed") == 1
        assert len(result.of("create_child_process")) == 1


def test_a_script_as_command_behind_a_script(tmp_path: Path) -> None:
    """Both run in the same shell, but only the second is COMMAND."""
    wrapper = executable(
        tmp_path / "wrapper", '#!/bin/bash\nexport A=$(echo x | tr x y)\nexec "$@"\n'
    )
    command = executable(tmp_path / "command", "#!/bin/bash\necho $A $1\n/bin/true\necho started\n")
    result = wrapped(wrapper, [str(command), "argument"])
    assert result.stdout == "y argument\n", result
    assert len(result.of("create_child_process")) == 1


def test_the_same_process_and_status(tmp_path: Path) -> None:
    wrapper = executable(tmp_path / "wrapper", '#!/bin/bash\nexec "$@"\n')
    command = [
        str(LAUNCHER),
        PYTHON,
        "-c",
        "import os; print(os.getpid(), flush=True); os._exit(7)",
    ]
    env = {
        "FUNCTION_SHIELD_POLICY": policy_file(BLOCK),
        "FUNCTION_SHIELD_NEXT_WRAPPER": str(wrapper),
    }
    with subprocess.Popen(
        command,
        env=clean_environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.communicate(timeout=30)[0] == f"{process.pid}\n"
    assert process.returncode == 7


def test_the_wrapper_itself_is_guarded(tmp_path: Path) -> None:
    """Processes are let through until COMMAND runs. Network and /tmp are not."""
    wrapper = executable(
        tmp_path / "wrapper",
        "#!/bin/bash\n"
        f"(exec 3<>/dev/tcp/{OUTSIDE}/9) 2>/dev/null; "
        f'{PYTHON} -c "{TRY.replace(chr(10), chr(10))}"\n'
        'exec "$@"\n',
    )
    result = wrapped(wrapper, SAY)
    assert result.stdout == "connect 13\ntmp 13\nfork passed\nran\n", result
    assert len(result.of("outbound_connectivity")) == 2


def test_what_a_wrapper_cannot_do(tmp_path: Path) -> None:
    """It cannot take the guard off, neither by the environment nor by a program that cannot be
    guarded."""
    code = "import socket; socket.create_connection(('" + OUTSIDE + "', 9), 2)"
    for line in (
        'unset LD_PRELOAD FUNCTION_SHIELD_STATE PYTHONPATH; exec "$@"',
        'exec env -i "$@"',
        'LD_PRELOAD= FUNCTION_SHIELD_STATE= exec "$@"',
        'exec "$1" -I -S "${@:2}"',
    ):
        wrapper = executable(tmp_path / "wrapper", f"#!/bin/bash\n{line}\n")
        result = wrapped(wrapper, [PYTHON, "-c", code])
        assert "PolicyViolation" in result.stderr, (line, result)
    static = build("static.c", "static", "-static", "-nostdlib", "-nostartfiles")
    wrapper = executable(tmp_path / "wrapper", f"#!/bin/bash\nexec {static}\n")
    assert "static\n" not in wrapped(wrapper, SAY).stdout


def test_wrappers_that_cannot_run(tmp_path: Path) -> None:
    static = build("static.c", "static", "-static", "-nostdlib", "-nostartfiles")
    text = tmp_path / "text"
    text.write_text("#!/bin/sh\necho ran\n")
    for wrapper in (
        "/no/such/wrapper",
        str(tmp_path),
        str(static),
        str(text),
        "no-such-name",
        "x" * 5000,
    ):
        env = {
            "FUNCTION_SHIELD_POLICY": policy_file(BLOCK),
            "FUNCTION_SHIELD_NEXT_WRAPPER": wrapper,
        }
        sentence = refusal(launch(SAY, env=env))
        assert "next wrapper" in sentence
    assert launch(SAY, env={"FUNCTION_SHIELD_NEXT_WRAPPER": ""}).stdout == "ran\n", (
        "an empty variable means no wrapper"
    )


def test_the_command_is_checked_behind_a_wrapper_too(tmp_path: Path) -> None:
    wrapper = executable(tmp_path / "wrapper", '#!/bin/bash\nexec "$@"\n')
    static = build("static.c", "static", "-static", "-nostdlib", "-nostartfiles")
    env = {"FUNCTION_SHIELD_NEXT_WRAPPER": str(wrapper)}
    assert "static" in refusal(launch([static], env=env))
    refusal(launch(["no-such-command"], env=env))


def test_a_wrapper_that_ends_by_itself(tmp_path: Path) -> None:
    wrapper = executable(tmp_path / "wrapper", "#!/bin/bash\nexit 9\n")
    result = wrapped(wrapper, SAY)
    assert (result.returncode, result.stdout) == (9, "")


def test_the_function_cannot_play_the_wrapper(tmp_path: Path) -> None:
    """Once COMMAND runs, the same wrapper is an ordinary child process."""
    wrapper = executable(tmp_path / "wrapper", '#!/bin/bash\nexec "$@"\n')
    code = (
        f"import os\ntry: os.execv({str(wrapper)!r}, ['wrapper', '/bin/true'])\nexcept OSError as"
        " e: print(e.errno)"
    )
    assert wrapped(wrapper, [PYTHON, "-c", code]).stdout == "13\n"
    assert os.access(wrapper, os.X_OK)


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        ("/usr/bin/env {name}", False),
        ("/usr/bin/env {name}", True),
        ("/usr/bin/env -S {name} -u", False),
        ("/usr/bin/env -S A=1 {name} -u", False),
    ],
)
def test_a_script_that_env_starts(tmp_path: Path, line: str, behind: bool) -> None:
    """`#!/usr/bin/env python3`: the program that env becomes is COMMAND, not its child."""
    (tmp_path / "my-python").symlink_to(PYTHON)
    path = f"{tmp_path}:/usr/bin:/bin"
    command = executable(
        tmp_path / "command", f"#!{line.format(name='my-python')}\n{TRY}print(sys.argv[1:])\n"
    )
    wrapper = executable(
        tmp_path / "wrapper", f"#!{PYTHON}\nimport os, sys\nos.execv(sys.argv[1], sys.argv[1:])\n"
    )
    policy = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK), "PATH": path}
    env = {**policy, "FUNCTION_SHIELD_NEXT_WRAPPER": str(wrapper)} if behind else policy
    result = launch([command, "a", str(command)], env=env)
    assert result.stdout == f"{HELD}{['a', str(command)]}\n", result
    assert [event["event"] for event in result.events].count("armed") == 1


def test_what_env_would_start_is_checked(tmp_path: Path) -> None:
    static = build("static.c", "static", "-static", "-nostdlib", "-nostartfiles")
    assert "static" in refusal(launch([executable(tmp_path / "a", f"#!/usr/bin/env {static}\n")]))
    assert "PATH" in refusal(
        launch([executable(tmp_path / "b", "#!/usr/bin/env no-such-program\n")])
    )


@pytest.mark.parametrize("name", ["python3", "a-tool"])
def test_shims(tmp_path: Path, name: str) -> None:
    """As pyenv and asdf make them: a script that starts other programs to find the real one."""
    for folder in ("shims", "bin", "libexec"):
        (tmp_path / folder).mkdir()
    if name == "python3":
        (tmp_path / "bin" / name).symlink_to(PYTHON)
        argv = ["-c", TRY]
    else:
        executable(tmp_path / "bin" / name, f"#!{PYTHON}\n{TRY}")
        argv = []
    finder = executable(
        tmp_path / "libexec" / "finder",
        f'#!/usr/bin/env bash\nfound=$(ls {tmp_path}/bin | grep "^$2\\$" | tail -n 1)\nshift 2\n'
        f'exec "{tmp_path}/bin/$found" "$@"\n',
    )
    executable(
        tmp_path / "shims" / name,
        f'#!/usr/bin/env bash\nset -e\nexec "{finder}" exec "${{0##*/}}" "$@"\n',
    )
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK), "PATH": f"{tmp_path}/shims:/usr/bin:/bin"}
    result = launch([name, *argv], env=env)
    assert result.stdout == HELD, result
    assert len(result.of("create_child_process")) == 1
