"""Node.js looks a name up without a port, and connects afterwards. Both are one act. An act that
was stopped at its lookup gets an entry, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled, Facts
from fshield.evidence.fix import fix
from fshield.evidence.replay import Outcome, replay
from fshield.language.loader import resolve
from fshield.language.policy import Mode
from fshield.language.reader import parse
from tests.fshield.recorded import Log

BLOCKED: dict[str, Any] = {"mode": "block", "policy_mode": "block"}
TASK = "/var/task"
HANDLER = f"{TASK}/app.mjs:7 handler"


def node(host: str, port: int | None, *packages: str, log: Log | None = None, **more: Any) -> Log:
    """A lookup or a connection that the handler makes through `packages`."""
    frames = [f"{TASK}/node_modules/{name}/index.js:3 connect" for name in packages]
    return (log or Log()).host(host, *frames, HANDLER, port=port, **more)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\npolicy:\n  outbound_connectivity: block\n")
    return path


@pytest.mark.parametrize(
    ("packages", "entry", "assumed"),
    [
        ((), "host: a.example", "port 443 is assumed"),
        (("undici",), "host: a.example", "port 443 is assumed"),
        (
            ("pg", "pg-pool"),
            "{host: a.example, ports: [5432]}",
            "port 5432 is assumed as pg has it",
        ),
        (
            ("@redis/client",),
            "{host: a.example, ports: [6379]}",
            "port 6379 is assumed as @redis/client has it",
        ),
    ],
)
def test_a_blocked_lookup_has_an_entry(
    policy: Path, packages: tuple[str, ...], entry: str, assumed: str
) -> None:
    found = fix(policy, node("a.example", None, *packages, **BLOCKED).evidence())
    assert [line.text for line in found.lines] == [entry] and not found.hopeless
    assert found.careful == [f"a.example: only looked up: {assumed}; --port names another"]
    assert any(line.startswith("+") and assumed in line for line in found.diff)


def test_the_user_names_the_ports(policy: Path, tmp_path: Path) -> None:
    log = str(node("a.example", None, "pg", **BLOCKED).write(tmp_path / "log"))
    run, options = CliRunner(), ["--port", "6432", "--port", "5433"]
    done = run.invoke(app, ["fix", "-p", str(policy), "--json", *options, log])
    answer = json.loads(done.stdout)
    assert done.exit_code == 0 and answer["careful"] == []
    assert [one["entry"] for one in answer["entries"]] == ["{host: a.example, ports: [5433, 6432]}"]
    assert run.invoke(app, ["fix", "-p", str(policy), "-w", *options, log]).exit_code == 0
    again = run.invoke(app, ["fix", "-p", str(policy), "--json", log])
    assert json.loads(again.stdout)["allowed_already"] == ["look up a.example"]


def test_a_port_for_no_lookup_is_an_error(policy: Path, tmp_path: Path) -> None:
    log = node("a.example", 443, log=node("a.example", None)).write(tmp_path / "log")
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), "--port", "80", str(log)])
    assert done.exit_code == 2 and "every event says its port itself" in done.stderr


def test_a_connection_says_the_port_of_its_lookup(policy: Path) -> None:
    log = node("a.example", 8443, log=node("a.example", None))
    found = fix(policy, log.evidence())
    assert [line.text for line in found.lines] == ["{host: a.example, ports: [8443]}"]
    assert not (found.careful or found.hopeless or found.passing)


def test_what_a_dependency_looked_up_by_itself_is_held_back(policy: Path) -> None:
    theirs = f"{TASK}/node_modules/tintbox/index.js:3 quietly"
    found = fix(policy, Log().host("a.example", theirs, port=None, **BLOCKED).evidence())
    assert not found.lines and [held.accept for held in found.held] == ["a.example:443"]


# ---- replay ----


def replayed(log: Log, *allow: str) -> list[Outcome]:
    entries = "".join(f"\n      - {entry}" for entry in allow)
    rule = "{mode: block}" if not allow else f"\n    mode: block\n    allow:{entries}"
    text = f"version: 1\npolicy:\n  outbound_connectivity: {rule}\n"
    policy = resolve(parse("p.yaml", text.encode()), "p")
    return list(replay(Compiled(compile_policy(policy)), log.evidence(), Facts()))


def test_a_lookup_and_its_connection_are_one_kind() -> None:
    log = node("a.example", 443, log=node("a.example", None))
    (found,) = replayed(log)
    assert found.would_break and found.act.words == "reach a.example:443" and found.seen.count == 1
    (found,) = replayed(log, "host: a.example")
    assert not found.would_break and found.met.mode is Mode.ALLOW


def test_the_stricter_verdict_of_both_is_the_act_s() -> None:
    """A wildcard entry for other packages refuses the lookup, whose caller no stack shows."""
    log = Log().host("a.shop.example", f"{TASK}/node_modules/got/index.js:3 connect", HANDLER)
    lookup = log.lines[0].replace('"port": 443', '"port": null').replace('"seq": 0', '"seq": 1')
    bare = json.loads(lookup) | {"origin": {"file": "/var/lang/bin/node", "stack": []}}
    log.lines.append(json.dumps(bare))
    for names, breaks in (("got, function, unknown", False), ("got, function", True)):
        (found,) = replayed(log, f'{{host: "*.shop.example", only_for: [{names}]}}')
        assert found.would_break is breaks, found


def test_lookups_that_were_blocked_count() -> None:
    log = node("a.example", 443, log=node("a.example", None))
    node("a.example", None, log=log, count=3, **BLOCKED)
    (found,) = replayed(log, "host: a.example")
    assert (found.seen.count, found.seen.passed) == (4, 1) and found.would_pass
    assert sum(found.seen.chains.values()) >= 4


def test_a_lookup_alone_is_a_kind_of_its_own() -> None:
    (found,) = replayed(node("a.example", None))
    assert found.would_break and found.act.words == "look up a.example"
