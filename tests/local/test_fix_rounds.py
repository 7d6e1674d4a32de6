"""Enforce, fix, enforce again: in the end an honest function runs, and its policy has no unused
line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.language.loader import load
from fshield.language.policy import Family
from tests.local.test_commands import fshield

ROUNDS = 10
FUNCTION = """
import datetime, os, tempfile, uuid

def write(path):
    with open(path, "w") as file:
        file.write("x")

def handler(event, context):
    n = event["n"]
    write("/tmp/fshield-rounds.db")
    write(f"/tmp/fshield-thumb-{event['user']}.png")
    write(f"/tmp/{uuid.uuid4()}.fshield")
    write(f"/tmp/fshield-part-{n}.bin")
    write(f"/tmp/fshield-{datetime.datetime.now():%Y%m%d-%H%M%S}.json")
    with tempfile.TemporaryDirectory(prefix="fshield-") as folder:
        write(os.path.join(folder, f"{event['user']}.txt"))
    for name in os.listdir("/tmp"):
        if "fshield" in name:
            os.unlink(os.path.join("/tmp", name))
"""


def test_ten_rounds(tmp_path: Path, function_folder: Callable[[str], Path]) -> None:
    folder = function_folder(FUNCTION)
    policy, events, event = (tmp_path / name for name in ("p.yaml", "events.jsonl", "event.json"))
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    quiet, targets = 0, []
    for round_ in range(ROUNDS + 2):
        event.write_text(json.dumps({"n": round_ * 7, "user": f"user{chr(97 + round_)}"}))
        words = ("invoke", folder, "--handler", "app.handler", "--event", event)
        fshield(*words, "--policy", policy, "--events", events)
        seen = [json.loads(line) for line in events.read_text().splitlines()]
        blocked = [one for one in seen if one["event"] == "violation"]
        quiet = 0 if blocked else quiet + 1
        if blocked:
            done = fshield("fix", "-p", policy, "-w", events)
            assert done.returncode == 0, done.stdout + done.stderr
            targets += [one["details"]["path"] for one in blocked]
    assert quiet >= 2, policy.read_text()
    compiled = native.Compiled(compile_policy(load(policy)))
    used = {compiled.decide(Family.TMP, path=path).source for path in targets}
    assert {entry.source for entry in load(policy).allows} == used, policy.read_text()
    assert len(load(policy).allows) <= len(set(targets))
