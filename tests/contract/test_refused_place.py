"""Never unguarded: the command does not start if the function can write to the layer, its own code
or the policy, or if the event file cannot be opened."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.helpers import (
    PYTHON,
    SAY,
    copy_layer,
    executable,
    launch,
    refusal,
)
from tests.support import policy_file, rules


@pytest.fixture
def below_tmp() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="function-shield-test-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


BLOCK_TMP = rules(tmp="block")


def test_layer_under_tmp(below_tmp: Path) -> None:
    launcher = copy_layer(below_tmp / "layer")
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK_TMP)}
    assert "/tmp" in refusal(launch(SAY, launcher=launcher, env=env))
    for policy in (
        rules(),
        rules(tmp="alert"),
        rules(tmp={"mode": "block", "allow": [f"{below_tmp}/**"]}),
    ):
        result = launch(SAY, launcher=launcher, env={"FUNCTION_SHIELD_POLICY": policy_file(policy)})
        assert result.stdout == "ran\n", result


@pytest.mark.parametrize(
    "folders",
    [
        "/tmp/lib",
        "/usr/lib:/tmp/absent/lib",
        "/var/../tmp",
        "/usr/lib:",
        ":/usr/lib",
        "lib",
        "/dev/shm;/usr/lib",
    ],
)
def test_libraries_found_where_the_function_writes(folders: str) -> None:
    """The loader looks a bare name up in LD_LIBRARY_PATH, past every door."""
    env = {"LD_LIBRARY_PATH": folders}
    sentence = refusal(
        launch(SAY, env={**env, "FUNCTION_SHIELD_POLICY": policy_file(rules(native_code="block"))})
    )
    assert "LD_LIBRARY_PATH" in sentence and "native_code" in sentence
    passing = (
        rules(),
        rules(native_code="alert"),
        rules(native_code={"mode": "block", "allow": ["/tmp/**", "/dev/**"]}),
    )
    for policy in passing:
        assert (
            launch(SAY, env={**env, "FUNCTION_SHIELD_POLICY": policy_file(policy)}).stdout
            == "ran\n"
        )


def test_libraries_found_where_nobody_writes() -> None:
    env = {
        "LD_LIBRARY_PATH": "/usr/lib:/tmpfs:/opt/lib:$ORIGIN/lib",
        "FUNCTION_SHIELD_POLICY": policy_file(rules(native_code="block")),
    }
    assert launch(SAY, env=env).stdout == "ran\n"


def test_function_under_tmp(below_tmp: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(below_tmp)
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK_TMP)}
    for folder in (str(below_tmp), f"{below_tmp}/", str(tmp_path / "link"), f"/var/..{below_tmp}"):
        sentence = refusal(launch(SAY, env={**env, "LAMBDA_TASK_ROOT": folder}))
        assert "function" in sentence and "/tmp" in sentence
    (Path("/tmp") / "x").exists()
    assert launch(SAY, env={**env, "LAMBDA_TASK_ROOT": "/tmpfs"}).stdout == "ran\n"


def test_python_under_tmp(below_tmp: Path, tmp_path: Path) -> None:
    """A virtual environment under /tmp, with a program of its own."""
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK_TMP)}
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", below_tmp / "venv"], check=True, timeout=60
    )
    assert "/tmp" in refusal(launch([below_tmp / "venv" / "bin" / "python", *SAY[1:]], env=env))
    executable(below_tmp / "run", f"#!{PYTHON}\nprint('ran')\n")
    assert "/tmp" in refusal(launch([below_tmp / "run"], env=env))
    (tmp_path / "linked").symlink_to(below_tmp / "run")
    assert "/tmp" in refusal(launch([tmp_path / "linked"], env=env))


def test_policy_under_tmp_is_fine(below_tmp: Path) -> None:
    """It is read before the policy applies. Children are guarded by it too."""
    shutil.copy(policy_file(BLOCK_TMP), below_tmp / "test.policy")
    code = (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c',"
        " 'print(open(\"/tmp/function-shield-nonexistent\"))'])"
    )
    result = launch(
        [PYTHON, "-c", code], env={"FUNCTION_SHIELD_POLICY": f"{below_tmp}/test.policy"}
    )
    assert result.stdout == "" and "PolicyViolation" in result.stderr


def test_events_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in ("/no/such/folder/log", str(tmp_path), "/proc/self/no", "x" * 5000):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_EVENTS": path}))
