"""Events carry the id of the tenant that the invocation was for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.local.emulator import Function
from tests.support import LAYER, ROOT, UNGUARDED, policy_file

FUNCTION = """
def handler(event, context):
    for _ in range(2):
        try: open(event["path"], "w")
        except OSError: pass
    return context.tenant_id
"""
PYTHON = ROOT / ".venv/bin/python"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("function")
    (made / "app.py").write_text(FUNCTION)
    return made


def violations(invocation: Any) -> list[dict[str, Any]]:
    assert invocation.error is None, invocation.error
    return [event for event in invocation.events if event["event"] == "violation"]


TENANTS = {
    "blue team/7": "blue team/7",
    None: None,
    "a:=+-@._/b": "a:=+-@._/b",
    'quo"te,"ring":"\\': 'quo"te,"ring":"\\',
    "a" * 256: "a" * 256,
    # Longer than any id of Lambda's: cut, and marked as cut.
    "b" * 270: "b" * 253 + "…",
    "c" * 5000: "c" * 253 + "…",
}


@pytest.mark.parametrize("form", ["json", "ocsf"])
def test_each_event_names_the_tenant_of_its_invocation(folder: Path, form: str) -> None:
    rules = f"version: 1\npolicy: {{read_write_tmp: block}}\nevents: {{format: {form}}}\n"
    with Function(
        folder,
        "app.handler",
        python=PYTHON,
        layer=LAYER,
        env={"FUNCTION_SHIELD_POLICY": policy_file(rules)},
    ) as function:
        for number, (tenant, expected) in enumerate(TENANTS.items()):
            path = f"/tmp/function-shield-{number % 2}"
            done = function.invoke({"path": path}, tenant_id=tenant)
            assert done.response == tenant
            seen = violations(done)
            assert seen or UNGUARDED
            # Also if another tenant's invocation made the first event of this kind: this line
            # counts the repeats.
            assert {event.get("tenantId") for event in seen} <= {expected}
            assert sum(event["count"] for event in seen) == 2 or UNGUARDED


def test_invoke_for_a_tenant(folder: Path) -> None:
    event = folder / "event.json"
    event.write_text(json.dumps({"path": "/tmp/function-shield-x"}))
    words = ["invoke", str(folder), "--handler", "app.handler", "--event", str(event), "--json"]
    words += ["--python", str(PYTHON), "--layer", str(LAYER), "--policy", "default"]
    done = CliRunner().invoke(app, [*words, "--tenant-id", "blue team/7"])
    answer = json.loads(done.stdout)["invocations"][0]
    assert answer["response"] == "blue team/7"
    assert {each.get("tenantId") for each in answer["events"] if each["event"] == "violation"} == {
        "blue team/7"
    }
    for wrong in ("", "a" * 257, 'quo"te', "new\nline"):
        done = CliRunner().invoke(app, [*words, "--tenant-id", wrong])
        assert done.exit_code == 2
        assert "Lambda takes no such id" in done.stdout
