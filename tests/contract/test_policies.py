"""Which policy applies: by name, by path or by the function's name; the floor under it; and
FUNCTION_SHIELD_MODE."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.helpers import OUTSIDE, PYTHON, SAY, copy_layer, launch, policy_of, refusal
from tests.support import LAUNCHER, LAYER, ROOT, Guarded, clean_environment, policy_file, rules

TMP = f"open('/tmp/function-shield-nonexistent-{OUTSIDE}')"
TRY = f"try: {TMP}\nexcept OSError as error: print(error.errno)"
BLOCKED, PASSED = "13\n", "2\n"


def armed(result: Guarded) -> dict[str, Any]:
    events = [event for event in result.events if event["event"] == "armed"]
    assert len(events) == 1, result
    return events[0]


def under(env: Mapping[str, str], launcher: Path | None = None, **more: Any) -> Guarded:
    return launch([PYTHON, "-c", TRY], env=env, launcher=launcher or LAUNCHER, **more)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """The launcher of a layer that a test may change."""
    return copy_layer(tmp_path / "layer")


def put(launcher: Path, name: str, policy: Mapping[str, Any]) -> None:
    shutil.copy(policy_file(policy), policy_of(launcher, name))


CHANGE = """
import os, sys
print("ready", flush=True)
path = sys.stdin.readline().strip()
with open(path, "a") as opened: opened.write("x")
os.chmod(path, 0o600)
os.utime(path)
print("changed")
"""


def reuse_inode(path: Path) -> None:
    """Another process replaces the file by another with the same inode number, if the file system
    reuses it within some tries. Otherwise the file is rewritten in place."""
    inode = path.stat().st_ino
    content = path.read_bytes()
    path.unlink()
    made = [path.with_name(f"other-{number}") for number in range(200)]
    for other in made:
        other.write_bytes(content)
        if other.stat().st_ino == inode:
            other.rename(path)
            return
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["replaced", "written anew", "as it was"])
def test_an_inode_that_was_the_policys(tmp_path: Path, how: str) -> None:
    path = tmp_path / "own.policy"
    shutil.copy(policy_file(rules(tmp="block")), path)
    process = subprocess.Popen(
        [LAUNCHER, PYTHON, "-c", CHANGE],
        env=clean_environment({"FUNCTION_SHIELD_POLICY": str(path)}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if how == "replaced":
        reuse_inode(path)
    elif how == "written anew":
        path.write_bytes(path.read_bytes())
    out, err = process.communicate(f"{path}\n", timeout=60)
    changed = how != "as it was"
    assert out == ("changed\n" if changed else ""), err
    assert ("guard_integrity" in err) is not changed


# ---- which ----


def test_default() -> None:
    for env in ({}, {"FUNCTION_SHIELD_POLICY": ""}, {"AWS_LAMBDA_FUNCTION_NAME": "no-such-policy"}):
        result = under(env)
        assert (result.stdout, armed(result)["policy_name"]) == (BLOCKED, "default")


@pytest.mark.parametrize("name", ["monitor", "default", "strict", "functionshield"])
def test_by_name(name: str) -> None:
    result = under({"FUNCTION_SHIELD_POLICY": name})
    assert result.stdout == (PASSED if name == "monitor" else BLOCKED)
    assert armed(result)["policy_name"] == name
    (event,) = result.of("read_write_tmp")
    assert (event["policy_name"], event["mode"]) == (
        name,
        "alert" if name == "monitor" else "block",
    )


def test_by_path(tmp_path: Path) -> None:
    compiled = tmp_path / "a policy: with $ odd, name"
    shutil.copy(policy_file(rules(tmp="block")), compiled)
    (tmp_path / "link.policy").symlink_to(compiled)
    for path, cwd in (
        (str(compiled), None),
        ("./" + compiled.name, tmp_path),
        (f"../{tmp_path.name}/{compiled.name}", tmp_path),
        (str(tmp_path / "link.policy"), None),
    ):
        result = under({"FUNCTION_SHIELD_POLICY": path}, cwd=cwd)
        assert (result.stdout, armed(result)["policy_name"]) == (BLOCKED, "test")


def test_the_sum_of_the_policy_is_announced() -> None:
    result = under({"FUNCTION_SHIELD_POLICY": "strict"})
    done = subprocess.run(
        ["sha256sum", policy_of(LAYER / "function-shield", "strict")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert armed(result)["policy_sha256"] == done.stdout.split()[0]


def test_by_function_name(layer: Path) -> None:
    put(layer, "my-function", rules())
    function = {"AWS_LAMBDA_FUNCTION_NAME": "my-function"}
    assert under(function, layer).stdout == PASSED
    assert under({"AWS_LAMBDA_FUNCTION_NAME": "another"}, layer).stdout == BLOCKED
    assert under({**function, "FUNCTION_SHIELD_POLICY": "strict"}, layer).stdout == BLOCKED, (
        "a named policy takes precedence"
    )
    for name in ("../policies/my-function", "/my-function", ".", "..", "x" * 5000):
        result = under({"AWS_LAMBDA_FUNCTION_NAME": name}, layer)
        assert result.returncode == 78 or result.stdout == BLOCKED, name


def test_a_function_named_as_a_posture_or_as_the_floor(layer: Path) -> None:
    assert armed(under({"AWS_LAMBDA_FUNCTION_NAME": "strict"}, layer))["policy_name"] == "strict"


def test_a_damaged_policy_of_the_functions_name_is_refused_and_not_passed_over(layer: Path) -> None:
    policy_of(layer, "my-function").write_bytes(b"rubbish")
    assert "my-function" in refusal(
        launch(SAY, launcher=layer, env={"AWS_LAMBDA_FUNCTION_NAME": "my-function"})
    )


def test_a_layer_without_a_default(layer: Path) -> None:
    policy_of(layer, "default").unlink()
    assert "default" in refusal(launch(SAY, launcher=layer))
    assert under({"FUNCTION_SHIELD_POLICY": "strict"}, layer).stdout == BLOCKED


# ---- the floor ----


def test_the_floor_is_always_asked(layer: Path) -> None:
    put(layer, "floor", rules(tmp="block"))
    for policy in (rules(), rules(tmp={"mode": "block", "allow": ["/tmp/**"]}), rules(tmp="alert")):
        result = under({"FUNCTION_SHIELD_POLICY": policy_file(policy)}, layer)
        assert result.stdout == BLOCKED, result
        assert [event["mode"] for event in result.of("read_write_tmp")] == ["block"]
        assert len(armed(result)["floor"]) == 64


def test_the_stricter_verdict_wins(layer: Path) -> None:
    put(layer, "floor", rules(tmp="alert", outbound="alert"))
    result = under({"FUNCTION_SHIELD_POLICY": policy_file(rules(tmp="block"))}, layer)
    assert result.stdout == BLOCKED
    result = under({"FUNCTION_SHIELD_POLICY": policy_file(rules())}, layer)
    assert (result.stdout, [event["mode"] for event in result.violations]) == (PASSED, ["alert"])
    put(layer, "floor", rules())
    assert under({"FUNCTION_SHIELD_POLICY": policy_file(rules())}, layer).violations == []


@pytest.mark.parametrize(("floor", "passes"), [(["fork"], True), ([], False), (["/**"], False)])
def test_the_floor_and_the_entry_for_forks(layer: Path, floor: list[str], passes: bool) -> None:
    put(layer, "floor", rules(process={"mode": "block", "allow": floor}))
    policy = policy_file(rules(process={"mode": "block", "allow": ["fork"]}))
    code = "import os\nif os.fork() == 0: os._exit(0)\nprint(os.wait()[1])"
    result = launch([PYTHON, "-c", code], env={"FUNCTION_SHIELD_POLICY": policy}, launcher=layer)
    assert (result.stdout == "0\n") is passes is not bool(result.violations), result
    # The function's own policy cannot allow what the floor blocks.
    assert not any("an exception is" in event["message"] for event in result.violations)


def test_the_floors_exceptions_do_not_widen_the_policy(layer: Path) -> None:
    put(layer, "floor", rules(tmp={"mode": "block", "allow": ["/tmp/**"]}))
    assert (
        under({"FUNCTION_SHIELD_POLICY": policy_file(rules(tmp="block"))}, layer).stdout == BLOCKED
    )
    assert under({"FUNCTION_SHIELD_POLICY": policy_file(rules())}, layer).stdout == PASSED


def test_the_floor_holds_in_children(layer: Path) -> None:
    put(layer, "floor", rules(tmp="block"))
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TRY!r}], env={{}})"
    result = launch(
        [PYTHON, "-c", code], launcher=layer, env={"FUNCTION_SHIELD_POLICY": policy_file(rules())}
    )
    assert result.stdout == BLOCKED


def test_a_damaged_floor_is_refused(layer: Path) -> None:
    good = Path(policy_file(rules(tmp="block"))).read_bytes()
    for bad in (b"", good[:-8], good[:100] + b"\xff" + good[101:]):
        policy_of(layer, "floor").write_bytes(bad)
        assert "floor" in refusal(launch(SAY, launcher=layer))


def test_the_override_must_be_listed_in_the_floor_as_well(layer: Path) -> None:
    put(layer, "floor", rules(tmp="block", allow_mode_override=[]))
    for mode in ("alert", "off"):
        assert under({"FUNCTION_SHIELD_MODE": mode}, layer).stdout == BLOCKED
    put(layer, "floor", rules(tmp="block", allow_mode_override=["alert"]))
    assert under({"FUNCTION_SHIELD_MODE": "alert"}, layer).stdout == PASSED
    assert under({"FUNCTION_SHIELD_MODE": "off"}, layer).stdout == BLOCKED


# ---- a policy layer ----


def test_a_policy_layer_beside_the_engines(layer: Path, tmp_path: Path) -> None:
    """As Lambda unzips one layer over another: the policies change, and the engine is untouched."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "my-function.yaml").write_text(yaml.safe_dump({"version": 1, **rules(tmp="alert")}))
    (sources / "floor.yaml").write_text(yaml.safe_dump({"version": 1, **rules(outbound="block")}))
    made = tmp_path / "policies.zip"
    subprocess.run(
        [sys.executable, "-m", "fshield", "package", sources, "-o", made],
        cwd=ROOT, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    with zipfile.ZipFile(made) as opened:
        assert all(name.startswith("function-shield.d/policies/") for name in opened.namelist())
        opened.extractall(layer.parent)
    result = under({"AWS_LAMBDA_FUNCTION_NAME": "my-function"}, layer)
    assert (result.stdout, armed(result)["policy_name"]) == (PASSED, "my-function")
    assert armed(result)["floor"] is not None
    assert under({}, layer).stdout == BLOCKED, "the engine's own policies are still there"


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_zips_hold_a_whole_layer(architecture: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(ROOT / "dist" / f"function-shield-layer-{architecture}.zip") as opened:
        opened.extractall(tmp_path)
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in opened.infolist()}
    assert modes["function-shield"] == 0o755
    assert all(mode & 0o444 == 0o444 for mode in modes.values()), (
        "the function's user must be able to read every file"
    )
    names = {str(path.relative_to(LAYER)) for path in LAYER.rglob("*") if path.is_file()}
    assert {name for name in modes if not name.endswith("/")} == names
    machine = (tmp_path / "function-shield").read_bytes()[18:20]
    assert machine == {"x86_64": b"\x3e\x00", "arm64": b"\xb7\x00"}[architecture]


# ---- FUNCTION_SHIELD_MODE ----


def test_mode_alert_is_a_dry_run() -> None:
    result = under({"FUNCTION_SHIELD_MODE": "alert"})
    assert result.stdout == PASSED
    assert armed(result)["dry_run"] is True
    (event,) = result.violations
    assert (event["mode"], event["policy_mode"], event["level"]) == ("alert", "block", "WARN")


def test_mode_alert_holds_in_children() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TRY!r}], env={{}})"
    result = launch([PYTHON, "-c", code], env={"FUNCTION_SHIELD_MODE": "alert"})
    assert result.stdout == PASSED
    assert {event["mode"] for event in result.violations} == {"alert"}


def test_mode_off_is_break_glass(tmp_path: Path) -> None:
    code = (
        "import os; print('function-shield' in open('/proc/self/maps').read(),"
        f" os.listdir('/proc/self/fd')); {TMP}"
    )
    result = launch([PYTHON, "-c", code], env={"FUNCTION_SHIELD_MODE": "off"})
    assert "PolicyViolation" not in result.stderr and "FileNotFoundError" in result.stderr
    assert result.stdout.startswith("False ") and "'900'" not in result.stdout
    (event,) = result.events
    assert (event["event"], event["level"]) == ("disabled", "FATAL")


def test_mode_off_runs_the_next_wrapper(tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text('#!/bin/bash\nexport WRAPPED=$(echo YES | tr A-Z a-z)\nexec "$@"\n')
    wrapper.chmod(0o755)
    result = launch(
        [PYTHON, "-c", "import os; print(os.environ['WRAPPED'])"],
        env={"FUNCTION_SHIELD_MODE": "off", "FUNCTION_SHIELD_NEXT_WRAPPER": str(wrapper)},
    )
    assert result.stdout == "yes\n"
    assert [event["event"] for event in result.events] == ["disabled"]


def test_mode_off_runs_with_a_damaged_core_and_a_static_command(layer: Path) -> None:
    """Break-glass is for when the guard itself is broken."""
    (layer.parent / "function-shield.d" / "function-shield.so").write_bytes(b"rubbish")
    result = launch(SAY, launcher=layer, env={"FUNCTION_SHIELD_MODE": "off"})
    assert result.stdout == "ran\n"
    assert [event["event"] for event in result.events] == ["disabled"]


@pytest.mark.parametrize("mode", ["alert", "off"])
def test_a_mode_that_the_policy_does_not_list(mode: str) -> None:
    for policy in ("strict", policy_file(rules(tmp="block", allow_mode_override=[]))):
        result = under({"FUNCTION_SHIELD_MODE": mode, "FUNCTION_SHIELD_POLICY": policy})
        assert result.stdout == BLOCKED
        assert armed(result)["dry_run"] is False
        assert [event["mode"] for event in result.violations] == ["block"]
        assert [
            event["level"] for event in result.events if event["event"] == "override_ignored"
        ] == ["WARN"]


@pytest.mark.parametrize("listed", ["alert", "off"])
def test_one_listed_mode_does_not_allow_the_other(listed: str) -> None:
    policy = policy_file(rules(tmp="block", allow_mode_override=[listed]))
    other = {"alert": "off", "off": "alert"}[listed]
    assert (
        under({"FUNCTION_SHIELD_MODE": other, "FUNCTION_SHIELD_POLICY": policy}).stdout == BLOCKED
    )
    assert (
        under({"FUNCTION_SHIELD_MODE": listed, "FUNCTION_SHIELD_POLICY": policy}).stdout == PASSED
    )


@pytest.mark.parametrize(
    "mode", ["of", "Off", "ALERT", "block", "allow", "1", "alert,off", " off", "x" * 5000]
)
def test_an_unknown_mode(mode: str) -> None:
    assert "FUNCTION_SHIELD_MODE" in refusal(launch(SAY, env={"FUNCTION_SHIELD_MODE": mode}))


def test_an_empty_mode_is_none() -> None:
    assert under({"FUNCTION_SHIELD_MODE": ""}).stdout == BLOCKED
