"""Events in other formats: OCSF's Detection Finding with the security control profile, and
CloudWatch's embedded metric format."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fshield.evidence.events import EventPrinter, normalised
from fshield.evidence.stream import EventReader, seconds
from fshield.local.emulator import Function
from tests.contract.helpers import OUTSIDE, PYTHON
from tests.contract.ocsf import SCHEMA, problems
from tests.support import LAYER, ROOT, Guarded, policy_file, rules, run_guarded

#: Lambda's filter by level and our own readers need these three keys, which OCSF does not have.
OURS = {"function_shield", "timestamp", "level"}
ACTS = f"""
import socket, subprocess
for act in (lambda: open('/tmp/format-a'), lambda: subprocess.run(['/bin/true', 'b c']),
            lambda: socket.create_connection(('{OUTSIDE}', 4443), 1),
            lambda: socket.getaddrinfo('evil.example', 443),
            lambda: socket.socket(socket.AF_PACKET)):
    try: act()
    except OSError: pass
"""


def raw(done: Guarded) -> list[dict[str, Any]]:
    return [event for event in done.events if event.get("event") != "armed"]


def run(mode: str, events: dict[str, Any], code: str = ACTS, **more: Any) -> Guarded:
    return run_guarded(
        [PYTHON, "-c", code], policy={**rules(mode, mode, mode, mode), "events": events}, **more
    )


def at(event: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(event, list):
            event = event[int(step)] if int(step) < len(event) else None
        else:
            event = event.get(step) if isinstance(event, dict) else None
    return event


def check_finding(event: dict[str, Any], *, more: frozenset[str] = frozenset()) -> None:
    assert problems(event, ours={*OURS, *more}) == []
    assert (event["class_uid"], event["activity_id"], event["type_uid"]) == (2004, 1, 200401)
    # The schema does not require these values, but readers of security controls rely on them.
    assert {
        "action",
        "disposition",
        "severity",
        "status",
        "is_alert",
        "message",
        "unmapped",
    } <= set(event)
    assert event["metadata"]["version"] == SCHEMA["version"]
    assert event["metadata"]["profiles"] == ["security_control"]
    assert re.fullmatch(r"[0-9a-f]{16}-\d+", event["finding_info"]["uid"])
    assert abs(event["time"] / 1000 - (moment(event["timestamp"]))) < 1


def moment(timestamp: str) -> float:
    return seconds(timestamp) or 0.0


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_findings(mode: str) -> None:
    found = raw(run(mode, {"format": "ocsf"}))
    assert {event["unmapped"]["policy"] for event in found} == {
        "read_write_tmp",
        "create_child_process",
        "outbound_connectivity",
    }
    for event in found:
        check_finding(event)
        assert (event["action_id"], event["disposition_id"]) == (
            (2, 2) if mode == "block" else (3, 19)
        )
        assert event["level"] == ("ERROR" if mode == "block" else "WARN")
    evidences = [event["evidences"][0] for event in found if "evidences" in event]
    assert {"dst_endpoint": {"ip": OUTSIDE, "port": 4443}} in evidences
    assert {"dst_endpoint": {"hostname": "evil.example", "port": 443}} in evidences
    assert {"file": {"type_id": 0, "name": "format-a", "path": "/tmp/format-a"}} in evidences
    (process,) = [evidence["process"] for evidence in evidences if "process" in evidence]
    # OCSF requires a process to have a pid or a uid. A process that was not started has no pid.
    (uid,) = [event["metadata"]["uid"] for event in found if at(event, "evidences.0.process")]
    assert process == {"uid": uid, "name": "true", "cmd_line": "/bin/true b c"}
    assert not any("resources" in event for event in found)  # no function is known here


@pytest.mark.parametrize(
    ("change", "problem_text"),
    [
        ({"metadata": None}, "event: no metadata"),
        ({"action": "Allowed"}, "event.action_id: 2 is Denied, and action says Allowed"),
        ({"severity_id": "4"}, "no integer_t"),
        ({"severity_id": True}, "no integer_t"),
        ({"invented": 1}, "invented is not an attribute"),
        ({"resources": [{"type": "x"}]}, "event.resources: none of name, uid"),
        ({"evidences": {"process": {"name": "x"}}}, "a list, or none"),
        (
            {"evidences": [{"process": {"name": "x"}}]},
            "event.evidences.process: none of pid, uid, cpid",
        ),
        ({"evidences": [{"file": {"name": "x"}}]}, "event.evidences.file: no type_id"),
    ],
)
def test_the_schema_finds_what_is_wrong(change: dict[str, Any], problem_text: str) -> None:
    event = {**raw(run("block", {"format": "ocsf"}))[0], **change}
    event = {key: value for key, value in event.items() if value is not None}
    assert any(problem_text in problem for problem in problems(event, ours=OURS)), problems(
        event, ours=OURS
    )


def test_a_finding_reads_as_the_native_event_does() -> None:
    changing = ("timestamp", "pid", "nonce")
    native, finding = (
        [
            {k: v for k, v in normalised(e).items() if k not in changing}
            for e in raw(run("block", {"format": form}))
        ]
        for form in ("json", "ocsf")
    )
    assert native == finding
    records = list(
        EventReader().stream(io.BytesIO(run("block", {"format": "ocsf"}).stderr.encode()))
    )
    assert records == []  # split_events removed these lines: to every reader they are events
    out = io.StringIO()
    EventPrinter(out, colour=False).print(finding[0])
    assert "tried to" in out.getvalue()


def test_only_violations_are_findings() -> None:
    done = run("block", {"format": "ocsf"}, env={"AWS_LAMBDA_FUNCTION_NAME": "pay"})
    assert [event["event"] for event in done.events if "class_uid" not in event] == ["armed"]
    assert done.events[0]["function"] == "pay"
    assert all(
        e["resources"] == [{"type": "AWS::Lambda::Function", "name": "pay"}] for e in raw(done)
    )


def check_metrics(event: dict[str, Any], namespace: str) -> None:
    """Check against the specification of CloudWatch's embedded metric format."""
    metadata = event["_aws"]
    assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
    assert abs(metadata["Timestamp"] / 1000 - moment(event["timestamp"])) < 1
    (directive,) = metadata["CloudWatchMetrics"]
    assert directive == {
        "Namespace": namespace,
        "Dimensions": [["policy", "mode"], ["function", "policy", "mode"]],
        "Metrics": [{"Name": "count", "Unit": "Count"}],
    }
    for dimension in directive["Dimensions"][1]:
        assert isinstance(event[dimension], str)
        assert 0 < len(event[dimension]) <= 1024
    assert isinstance(event["count"], int)


@pytest.mark.parametrize("form", ["json", "ocsf"])
def test_metrics_stand_on_the_same_line(form: str) -> None:
    given = {"format": form, "emf_namespace": "Team/FunctionShield"}
    found = raw(run("block", given, env={"AWS_LAMBDA_FUNCTION_NAME": "pay"}))
    assert found
    for event in found:
        check_metrics(event, "Team/FunctionShield")
        if form == "ocsf":
            check_finding(event, more=frozenset({"_aws", "policy", "mode", "function"}))


def test_no_metrics_of_what_is_allowed_and_none_unless_asked_for() -> None:
    assert not any("_aws" in event for event in run("block", {"format": "json"}).events)
    text = (
        "version: 1\npolicy:\n  read_write_tmp: {mode: block, allow: [/tmp/**]}\n"
        "events: {format: ocsf, allowed: first, emf_namespace: X}\n"
    )
    done = run_guarded([PYTHON, "-c", "open('/tmp/format-b', 'w')"], policy=policy_file(text))
    (event,) = [event for event in done.events if event["event"] == "allowed"]
    assert "_aws" not in event
    assert "class_uid" not in event


@pytest.mark.parametrize("form", ["json", "ocsf"])
@pytest.mark.parametrize("filler", ["x", '"', "\\x01", "\\u20ac", "\\\\"])
def test_the_longest_line_is_whole(tmp_path: Path, form: str, filler: str) -> None:
    """Everything is as long as it can be: still at most 4,096 bytes, and valid JSON with every
    key."""
    name = "p" * 60
    folder = tmp_path
    for _ in range(8):
        folder = folder / ("f" * 50)
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(
        "import os, socket\n"
        f"def {'d' * 200}(path, host, depth=12):\n"
        f"    if depth: return {'d' * 200}(path, host, depth - 1)\n"
        "    for act in (lambda: open(path, 'w'), lambda: os.execv('/bin/true', [path] * 9),\n"
        "                lambda: socket.getaddrinfo(host, 443)):\n"
        "        try: act()\n"
        "        except (OSError, UnicodeError, ValueError): pass\n"
    )
    path = f"'/tmp/' + '/'.join(['{filler}' * 60] * 14)"
    host = "'.'.join(['h' * 60] * 4)"
    code = f"import {name}; {name}.{'d' * 200}({path}, {host})"
    events = {"format": form, "emf_namespace": "N" * 255}
    done = run(
        "block",
        events,
        code,
        env={"PYTHONPATH": str(folder), "AWS_LAMBDA_FUNCTION_NAME": "n" * 140},
    )
    found = raw(done)
    assert len(found) >= 2
    for event in found:
        check_metrics(event, "N" * 255)
        native = normalised(event)
        assert native["seq"] >= 0
        assert native["origin"]["stack"] or form == "ocsf"
        assert len(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()) <= 4096


def test_the_functions_arn(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n"
        "    try: open('/tmp/format-c')\n"
        "    except OSError: pass\n"
        "    return context.invoked_function_arn\n"
    )
    policy = policy_file(
        {**rules("allow", "block", "allow", "allow"), "events": {"format": "ocsf"}}
    )
    python = Path(ROOT / ".venv/bin/python")
    with Function(tmp_path, "app.handler", python=python, layer=LAYER, policy=policy) as function:
        invocation = function.invoke({})
    (finding,) = [event for event in invocation.events if event["event"] == "violation"]
    assert invocation.response.startswith("arn:aws:lambda:")
    assert finding["function_arn"] == invocation.response
    assert finding["function"] in invocation.response
