"""The command `fshield learn`: hostile input, its output, and the files that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.cli.learn import notes
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.policy_tests import run
from fshield.evidence import acts as evidence_module
from fshield.evidence.learn import learn
from fshield.evidence.tiers import Tiers
from fshield.language.loader import load, resolve
from fshield.language.model import RULES
from fshield.language.policy import Family, Mode
from fshield.language.reader import parse
from fshield.language.review import findings
from tests.fshield.learning import FRANKFURT, entries, learnt, policy_of, tmp
from tests.fshield.recorded import Log, folded, stack

# ---- bad input ----


HOSTILE = [
    "/tmp/a # not a comment",
    "/tmp/a: b",
    "/tmp/{x}",
    "/tmp/- x",
    "/tmp/'quote\"",
    "/tmp/a\nread_handler: allow",
    "/tmp/\x1b[31mred",
    "/tmp/a\u202ebidi",
    "/tmp/<script>alert(1)</script>",
    "/tmp/%YAML",
    "/tmp/&anchor",
    "/tmp/*all",
    "/tmp/a\u2028b",
    "/tmp/true",
    "/tmp/🐙",
    "/tmp/..",
    "/tmp/" + "x" * 5000,
]


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_names_are_text_or_are_held_back(path: str) -> None:
    found = learnt(tmp(path))
    policy = policy_of(found)
    assert [mode.mode for mode in policy.modes.values()] == [Mode.BLOCK] * 6
    patterns = [allow.pattern for allow in policy.allows]
    assert patterns in ([path], []) and (patterns or found.held)
    assert (
        "\x1b" not in found.text("p")
        and "\u202e" not in found.text("p")
        and "\u2028" not in found.text("p")
    )


def test_hostile_origins_end_up_in_comments_harmlessly() -> None:
    evil = "app\n  read_handler: allow # \x1b[2J"
    log = Log().host("api.example.org", f"/var/task/{evil}/x.py:1 f", *stack())
    found = learnt(log, own=(evil,))
    policy = policy_of(found)
    assert policy.modes[Family.HANDLER].mode is Mode.BLOCK and len(policy.allows) <= 1


def test_forged_and_doubled_events_count_for_nothing() -> None:
    log = Log().host("api.example.org").host("evil.example")
    log.lines.append(log.lines[1])
    forged = json.loads(log.lines[0]) | {"details": {"host": "forged.example", "port": 443}}
    del forged["nonce"], forged["seq"]
    log.lines.append(json.dumps(forged))
    found = learnt(log)
    assert entries(found) == ["host: api.example.org", "host: evil.example"]
    assert found.evidence.doubtful == 2 and "evil.example, ports" not in found.text("p")
    assert all(line.seen.count == 1 for line in found.lines)


def test_kinds_beyond_what_is_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_module, "MAX_ACTS", 3)
    log = tmp(*[f"/tmp/{name}" for name in "abcde"])
    evidence = log.evidence()
    assert len(evidence.acts) == 3 and evidence.overflow == 2


TEXT = st.text(max_size=30)
TARGETS = ["/tmp/x", "/tmp/tmpabcdefg1", "/usr/bin/uname", "10.0.0.1", "a.example.org", "*.a.b"]
TARGETS += ["sqs.us-east-1.amazonaws.com", "b-1.s3.us-east-1.amazonaws.com"]
EVENTS = st.fixed_dictionaries(
    {
        "policy": st.sampled_from([*RULES, "guard_integrity", "x"]),
        "reason": st.sampled_from(
            ["no_rule", "port", "socket_family", "unguardable", "malformed", "new"]
        ),
        "mode": st.sampled_from(["alert", "block", "allow", "?"]),
        "count": st.one_of(st.integers(-1, 1 << 64), TEXT),
        "details": st.dictionaries(
            st.sampled_from(["host", "ip", "port", "path", "operation", "protocol"]),
            st.one_of(TEXT, st.integers(-1, 70000), st.none(), st.sampled_from(TARGETS)),
        ),
        "origin": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "distribution": TEXT,
                    "file": TEXT,
                    "line": st.integers(0, 9),
                    "stack": st.lists(TEXT, max_size=8),
                }
            ),
            st.just(json.loads(Log().host("x.example").lines[0])["origin"]),
        ),
    }
)


# No shrinking: with so much text it takes minutes and shows little. The seed is enough.
@settings(max_examples=100, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(st.lists(EVENTS, max_size=25), st.booleans())
def test_whatever_is_read_the_policy_is_one(events: list[dict[str, Any]], accept: bool) -> None:
    """The learnt policy loads, compiles, passes its own tests and causes no warning. By the
    engine's own decision, it allows what was learnt."""
    lines = [
        json.dumps(
            {"function_shield": True, "event": "violation", "nonce": "n", "seq": at, **event}
        )
        for at, event in enumerate(events)
    ]
    evidence = folded(lines)
    everything = Tiers(evidence)
    places = [
        item.accept
        for act, seen in evidence
        if (item := everything.held(act, seen)) and item.accept
    ]
    found = learn(
        evidence,
        Tiers(evidence, frozenset(places if accept else ())),
        "us-east-1" if accept else None,
    )
    policy = policy_of(found)
    native.Compiled(compile_policy(policy))
    assert all(result.passed for result in run(policy, None, lambda _: True))
    assert [finding for finding in findings(policy) if finding.level == "error"] == []


# ---- the command ----


def test_the_command(tmp_path: Path) -> None:
    log = Log().host("api.example.org").host("collector.evil.example", *stack("tintkit"))
    events, out = log.write(tmp_path / "log"), tmp_path / "p.yaml"
    done = CliRunner().invoke(app, ["learn", str(events), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "collector.evil.example:443" in done.stderr and "--accept" in done.stderr
    assert all(len(line) <= 80 for line in done.stderr.splitlines() if "held" in line)
    assert CliRunner().invoke(app, ["check", str(out)]).exit_code == 0
    assert CliRunner().invoke(app, ["test", str(out)]).exit_code == 0
    assert CliRunner().invoke(app, ["replay", "-p", str(out), str(events)]).exit_code == 1
    again = CliRunner().invoke(
        app,
        ["learn", "--accept", "collector.evil.example:443", "-o", str(out), "-"],
        input=events.read_text(),
    )
    assert again.exit_code == 0, again.output
    assert CliRunner().invoke(app, ["replay", "-p", str(out), str(events)]).exit_code == 0


def test_replay_knows_the_functions_variables_and_region(tmp_path: Path) -> None:
    log = Log().host("api.example.org").host("my-bucket.s3.eu-central-1.amazonaws.com")
    events, policy = str(log.write(tmp_path / "log")), tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
        '      - host: "${env:API_HOST}"\n      - aws: {s3: {buckets: ["${env:BUCKET}"]}}\n'
    )

    def blocked(*options: str) -> list[str]:
        done = CliRunner().invoke(app, ["replay", "-p", str(policy), "--json", events, *options])
        assert done.exit_code in (0, 1), done.output
        return [item["target"].partition(".")[0] for item in json.loads(done.stdout)["blocked"]]

    variables = ["--env", "API_HOST=api.example.org", "-e", "BUCKET=my-bucket"]
    assert blocked() == ["api", "my-bucket"] == blocked("--region", FRANKFURT)
    assert blocked(*variables) == ["my-bucket"]
    assert (
        blocked(*variables, "--region", FRANKFURT)
        == []
        == blocked(*variables, "-e", f"AWS_REGION={FRANKFURT}")
    )
    done = CliRunner().invoke(app, ["replay", "-p", str(policy), events, "--env", "API_HOST"])
    assert done.exit_code == 2 and "NAME=VALUE" in done.stderr


def test_json(tmp_path: Path) -> None:
    events = Log().host("api.example.org").write(tmp_path / "log")
    answer = json.loads(CliRunner().invoke(app, ["learn", "--json", str(events)]).stdout)
    assert (
        answer["ok"]
        and answer["own"] == ["app"]
        and answer["learnt"][0]["entry"] == "host: api.example.org"
    )
    assert resolve(parse("p.yaml", answer["policy"].encode()), "p").allows


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("START\nEND\n")
    done = CliRunner().invoke(app, ["learn", str(tmp_path / "log")])
    assert (
        done.exit_code == 2 and "nothing to learn from" in done.stderr and "monitor" in done.stderr
    )


def test_a_typing_error_in_accept(tmp_path: Path) -> None:
    events = Log().host("api.example.org").write(tmp_path / "log")
    done = CliRunner().invoke(app, ["learn", "--accept", "evil.example", str(events)])
    assert done.exit_code == 2 and "nothing that was held back" in done.stderr


def test_two_functions_are_told_apart(tmp_path: Path) -> None:
    log = (
        Log().host("a.example.org", function="one").host("b.example.org", function="two", nonce="2")
    )
    events = log.write(tmp_path / "log")
    assert "2 functions" in CliRunner().invoke(app, ["learn", str(events)]).stderr
    one = CliRunner().invoke(app, ["learn", "--function", "one", str(events)]).stdout
    assert "a.example.org" in one and "b.example.org" not in one


def test_more_than_a_policy_may_have_is_said_so(tmp_path: Path) -> None:
    log = Log()
    for number in range(5000):
        log.host(f"h{number}.a-site-of-its-own-{number}.example")
    done = CliRunner().invoke(app, ["learn", str(log.write(tmp_path / "events.log"))])
    assert done.exit_code == 2 and done.stdout == ""
    assert "what was learnt, 5,000 exceptions, is more than a policy holds (256 KB)" in done.stderr
    assert "fix:" in done.stderr and "learnt.yaml" not in done.stderr


# ---- files ----


def test_a_policy_that_a_person_edited_is_not_overwritten(tmp_path: Path) -> None:
    events = str(Log().host("api.example.org").write(tmp_path / "log"))
    more = str(Log().host("api.example.org").host("b.example.org").write(tmp_path / "more"))
    out = tmp_path / "p.yaml"

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["learn", *words])

    assert run(events, "-o", str(out)).exit_code == 0
    assert run(more, "-o", str(out)).exit_code == 0 and "b.example.org" in out.read_text()
    edited = out.read_text().replace("read_handler: block", "read_handler: alert")
    out.write_text(edited)
    refused = run(events, "-o", str(out))
    assert refused.exit_code == 2 and "--into" in refused.stderr and out.read_text() == edited
    assert run(more, "--into", str(out), "--yes").exit_code == 0
    out.write_text("version: 1\n")
    assert run(events, "-o", str(out)).exit_code == 2 and out.read_text() == "version: 1\n"
    out.write_text("")
    assert run(events, "-o", str(out)).exit_code == 0
    out.write_bytes(out.read_bytes() + b"# and a comment\n")
    assert run(events, "-o", str(out)).exit_code == 2


def test_what_invoke_prints_is_read(tmp_path: Path) -> None:
    log = Log().host("api.example.org").host("b.example.org")
    events = [json.loads(line) for line in log.lines]
    streams = {"response": None, "error": None, "duration_ms": 1.0, "stdout": "", "stderr": ""}
    document = {
        "ok": True,
        "invocations": [{**streams, "stdout": log.lines[0], "events": events[:1]}],
        "rest": {**streams, "events": events[1:]},
    }
    printed = json.dumps(document, indent=2)
    done = CliRunner().invoke(app, ["learn", "--json", "-"], input=printed)
    answer = json.loads(done.stdout)
    assert [line["entry"] for line in answer["learnt"]] == [
        "host: api.example.org",
        "host: b.example.org",
    ]
    assert answer["events"] == 2
    cut = CliRunner().invoke(app, ["learn", "-"], input=printed[: len(printed) // 2])
    assert cut.exit_code in (0, 1, 2) and not isinstance(cut.exception, ValueError)


@pytest.mark.parametrize(
    ("tests", "paths"),
    [
        ("", ["/tmp/out-*.json"]),
        ("tests:\n  - blocked: {open: /tmp/out-9.json}\n", ["/tmp/out-1.json", "/tmp/out-2.json"]),
        ("tests:\n  - blocked: {open: /tmp/other.json}\n", ["/tmp/out-*.json"]),
    ],
)
def test_into_puts_new_names_together_with_those_of_the_policy(
    tmp_path: Path, tests: str, paths: list[str]
) -> None:
    """Alternating `learn` and enforcement leads to a pattern, and not to one line for each
    input."""
    out = tmp_path / "p.yaml"
    head = "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n    allow:\n"
    kept = "      - {path: /tmp/out-0.json, reason: kept}\n"
    out.write_text(f"{head}      - /tmp/out-1.json\n{kept}{tests}")
    log = str(tmp("/tmp/out-2.json").write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["learn", log, "--into", str(out), "--yes"])
    assert done.exit_code == 0, done.output
    found = sorted(str(entry.pattern) for entry in load(out).allows)
    assert found == sorted(["/tmp/out-0.json", *paths])
    assert ("pattern: /tmp/out-*.json" in done.stderr) == (paths == ["/tmp/out-*.json"])
    again = CliRunner().invoke(app, ["learn", log, "--into", str(out), "--yes"])
    assert "it allows all that was learnt" in again.stderr


def test_a_rename_whose_other_name_is_not_known_is_noted() -> None:
    """os.replace("/tmp/a.part", "/tmp/report") makes one event. `report` stays blocked."""
    log = Log()
    for path in ("/tmp/a.part", "/tmp/b.part"):
        log.add("read_write_tmp", path=path, operation="create")
        log.add("read_write_tmp", path=path, operation="rename")
    (note,) = (note for note in notes(learnt(log)) if "rename" in note)
    assert note.startswith("/tmp/a.part and 1 more: ") and "--code" in note
    assert not any("rename" in note for note in notes(learnt(tmp("/tmp/a.part"))))
