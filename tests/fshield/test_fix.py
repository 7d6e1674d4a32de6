"""Edits of a policy are as small as possible, leave the rest of the file untouched, and have the
effect that they claim, as the engine itself decides."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine.widening import changes
from fshield.errors import CouldNotRun
from fshield.evidence.acts import Evidence
from fshield.evidence.fix import fix
from fshield.evidence.tiers import Tiers
from fshield.language import edit
from fshield.language.loader import resolve
from fshield.language.model import RULES
from fshield.language.reader import parse
from tests.fshield.recorded import Log, stack

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = {
    "outbound_connectivity": "host: added.example",
    "read_write_tmp": "/tmp/added",
    "create_child_process": "/usr/bin/added",
    "native_code": "added",
}
OUTBOUND = (
    "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      - host:"
    " z.example\n"
)
FORMS = [
    "block",
    "block  # why",
    "{mode: block}",
    "{mode: block, allow: []}  # kept",
    "{mode: block, allow: [ENTRY]}",
    "\n    mode: block",
    "\n    # first\n    mode: block  # kept\n    # last",
    "\n    mode: block\n    allow: [ENTRY, ENTRY2]  # kept",
    "\n    allow:\n    - ENTRY  # at the key's column\n    # after\n    mode: block",
    (
        "\n    mode: block\n    allow:\n        # above\n        - ENTRY\n        # below\n\n  # of"
        " the next"
    ),
    "\n      mode: block\n      allow:\n      -   ENTRY",
]
OTHERS = {
    "outbound_connectivity": ("{host: a.example, ports: [443]}", "{cidr: 10.0.0.0/8}"),
    "read_write_tmp": ("/tmp/a", '"/tmp/b*"'),
    "create_child_process": ("/usr/bin/a", "{path: /usr/bin/b, reason: why}"),
    "native_code": ("a", "{library: b}"),
}


def add(text: str, *rules: str) -> tuple[str, Any, Any]:
    document = parse("p.yaml", text.encode())
    changed, policy = edit.with_entries(
        document, "p", [edit.Addition(rule, ENTRIES[rule], "new") for rule in rules]
    )
    return changed, resolve(document, "p"), policy


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rule", ENTRIES)
def test_every_form_of_a_rule(rule: str, form: str) -> None:
    first, second = OTHERS[rule]
    form = form.replace("ENTRY2", second).replace("ENTRY", first)
    between = "" if form.startswith("\n") else " "
    head, tail = (
        "# top\nversion: 1\npolicy:\n  runtime_api: alert\n",
        "  read_handler: block  # end\n# bottom\n",
    )
    text = f"{head}  {rule}:{between}{form}\n{tail}"
    changed, before, after = add(text, rule)
    found = changes(before, after)
    assert [(change.kind, change.rule) for change in found] == [("widens", rule)]
    assert len(after.allows) == len(before.allows) + 1
    assert f"- {ENTRIES[rule]}  # new" in changed
    for comment in (
        "# top",
        "# bottom",
        "# end",
        "# kept",
        "# why",
        "# first",
        "# last",
        "# above",
        "# below",
        "# after",
    ):
        assert (comment in changed) == (comment in text)


@pytest.mark.parametrize(
    "rules", [rules for size in (1, 2, 4) for rules in itertools.combinations(ENTRIES, size)]
)
@pytest.mark.parametrize("name", ["strict", "default"])
def test_the_shipped_policies(name: str, rules: tuple[str, ...]) -> None:
    text = (ROOT / "policies" / f"{name}.yaml").read_text()
    changed, before, after = add(text, *rules)
    assert {(change.kind, change.rule) for change in changes(before, after)} == {
        ("widens", rule) for rule in rules
    }
    kept = [line for line in text.splitlines() if line.strip().startswith("#") or not line.strip()]
    assert [
        line for line in changed.splitlines() if line.strip().startswith("#") or not line.strip()
    ] == kept


def test_rules_that_are_left_out_are_added_in_order() -> None:
    changed, _, after = add("version: 1\npolicy:\n  read_handler: block\n# end\n", *ENTRIES)
    keys = [
        line.strip()[:-1]
        for line in changed.splitlines()
        if line.startswith("  ") and line.strip()[:-1] in ENTRIES
    ]
    assert keys == [rule for rule in RULES if rule in ENTRIES] and len(after.allows) == 4
    assert changed.endswith("# end\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("policy: {outbound_connectivity: block}\n", "options have no exceptions"),
        ("version: 1\n", "no `policy:`"),
        ("version: 1\npolicy: {read_write_tmp: block}\n", "no `policy:`"),
        (
            "version: 1\npolicy:\n  read_write_tmp: {mode: block,  # why\n    allow: [/tmp/a]}\n",
            "`#` within brackets",
        ),
    ],
)
def test_what_a_person_must_change(text: str, why: str) -> None:
    with pytest.raises(CouldNotRun, match=why):
        add(text, "read_write_tmp")


def test_line_ends_and_byte_order_mark_stay(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_bytes(b"\xef\xbb\xbfversion: 1\r\npolicy:\r\n  read_write_tmp: block\r\n")
    log = Log().add("read_write_tmp", path="/tmp/x", operation="open").write(tmp_path / "log")
    assert CliRunner().invoke(app, ["fix", "-p", str(policy), "-w", str(log)]).exit_code == 0
    after = policy.read_bytes()
    assert (
        after.startswith(b"\xef\xbb\xbfversion: 1\r\n")
        and after.count(b"\n") == after.count(b"\r\n") == 6
    )


# ---- fix ----


def evidence(**more: Any) -> Evidence:
    return Log().add(**more).evidence()


@pytest.mark.parametrize(
    ("host", "entry", "admitted"),
    [
        (
            "sqs.eu-central-1.amazonaws.com",
            "- aws: [sqs]",
            "any account's resources in the function's own region",
        ),
        (
            "b-1.s3.eu-central-1.amazonaws.com",
            "- aws: {s3: {buckets: [b-1]}}",
            "the bucket b-1: under all names",
        ),
        ("sqs.us-east-1.amazonaws.com", "- host: sqs.us-east-1.amazonaws.com", "any path"),
    ],
)
def test_endpoints_of_the_own_region(tmp_path: Path, host: str, entry: str, admitted: str) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(OUTBOUND)
    log = str(Log().host(host).write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), "--region", "eu-central-1", log])
    comment = f"seen as {host}, " if "aws:" in entry else ""
    assert f"+      {entry}  # {comment}asked by app\n" in done.stdout and admitted in done.stderr
    without = CliRunner().invoke(app, ["fix", "-p", str(policy), log])
    assert f"+      - host: {host}  # asked by app\n" in without.stdout


@pytest.mark.parametrize(
    ("event", "entry", "admitted"),
    [
        (
            {"policy": "outbound_connectivity", "host": "a.example", "port": 443},
            "host: a.example",
            "any path",
        ),
        (
            {"policy": "outbound_connectivity", "host": "a.example", "port": 80, "reason": "port"},
            "{host: a.example, ports: [80]}",
            "on port 80",
        ),
        (
            {"policy": "outbound_connectivity", "host": "b.s3.amazonaws.com", "port": 443},
            "host: b.s3.amazonaws.com",
            "anybody can have a name",
        ),
        (
            {"policy": "outbound_connectivity", "ip": "192.0.2.7", "port": 5432},
            '{cidr: "192.0.2.7", ports: [5432]}',
            "whatever listens there",
        ),
        ({"policy": "read_write_tmp", "path": "/tmp/x"}, "/tmp/x", "this one object"),
        (
            {"policy": "read_write_tmp", "path": "/tmp/tmpja9aaz34"},
            '"/tmp/tmp????????"',
            "every name of this form",
        ),
        (
            {"policy": "create_child_process", "path": "/usr/bin/uname"},
            "/usr/bin/uname",
            "any arguments",
        ),
        (
            {"policy": "native_code", "path": "_ctypes", "operation": "import"},
            "app",
            "borrow the name",
        ),
    ],
)
def test_one_event_one_entry(
    tmp_path: Path, event: dict[str, Any], entry: str, admitted: str
) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(OUTBOUND + "  native_code: block\n")
    found = fix(policy, evidence(**event))
    assert [line.text for line in found.lines] == [entry] and admitted in found.admits[0]
    assert sum(line.startswith("-") for line in found.diff) <= 2 and not found.hopeless


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (
            {"policy": "guard_integrity", "path": "/proc/self/mem", "reason": "guard_integrity"},
            "protects itself",
        ),
        (
            {"policy": "outbound_connectivity", "protocol": "raw", "reason": "socket_family"},
            "refused whatever",
        ),
        ({"policy": "read_handler", "path": "/var/task/app.py"}, "takes no exceptions"),
        ({"policy": "runtime_api", "ip": "127.0.0.1", "port": 9001}, "takes no exceptions"),
        (
            {
                "policy": "create_child_process",
                "path": None,
                "operation": "fork",
                "reason": "malformed",
            },
            "can be judged",
        ),
        ({"policy": "read_write_tmp", "path": "/tmp/a\nb"}, "no entry can name it"),
        ({"policy": "create_child_process", "path": "/usr/sbin/ldconfig"}, "cannot be loaded"),
    ],
)
def test_what_no_entry_can_allow(tmp_path: Path, event: dict[str, Any], why: str) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n  runtime_api: block\n")
    found = fix(policy, evidence(**event))
    assert found.lines == [] and found.diff == [] and why in found.hopeless[0][1]
    log = Log().add(**event).write(tmp_path / "log")
    assert CliRunner().invoke(app, ["fix", "-p", str(policy), str(log)]).exit_code == 1


def test_a_shell_is_written_only_where_it_is_accepted(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    seen = evidence(policy="create_child_process", path="/usr/bin/dash")
    found = fix(policy, seen)
    assert (
        found.lines == []
        and "shell" in found.held[0].why
        and found.held[0].accept == "/usr/bin/dash"
    )
    found = fix(policy, seen, tiers=Tiers(seen, frozenset({"/usr/bin/dash"})))
    assert "shell" in found.careful[0] and [line.text for line in found.lines] == ["/usr/bin/dash"]


def test_what_only_a_dependency_asked_for_is_held_back(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(OUTBOUND)
    log = (
        Log()
        .host("evil.example", *stack("tintkit"))
        .host("a.example", *stack("requests"))
        .write(tmp_path / "log")
    )
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), "-w", str(log)])
    assert done.exit_code == 1 and "--accept evil.example:443" in done.stderr
    assert "- host: a.example  # asked by app through requests, urllib3" in policy.read_text()
    assert "evil.example" not in policy.read_text()
    accepted = CliRunner().invoke(
        app, ["fix", "-p", str(policy), "-w", "--accept", "evil.example:443", str(log)]
    )
    assert (
        accepted.exit_code == 0 and "- host: evil.example  # asked by tintkit" in policy.read_text()
    )
    wrong = CliRunner().invoke(
        app, ["fix", "-p", str(policy), "--accept", "evil.exmaple:443", str(log)]
    )
    assert wrong.exit_code == 2


def test_what_a_test_of_the_policy_blocks_is_held_back(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(OUTBOUND + 'tests:\n  - blocked: {connect: ["a.example:443"]}\n')
    seen = Log().host("a.example").host("b.example").evidence()
    found = fix(policy, seen)
    assert [line.text for line in found.lines] == ["host: b.example"]
    assert [(held.accept, "p.yaml:8" in held.why) for held in found.held] == [
        ("a.example:443", True)
    ]
    found = fix(policy, seen, tiers=Tiers(seen, frozenset({"a.example:443"})))
    assert len(found.lines) == 2 and [result.test.target for result in found.failing] == [
        "a.example:443"
    ]


def test_one_sight_of_a_name_is_one_name(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    one = Log().add(
        "read_write_tmp", path="/tmp/report-2024/summary-20261128.csv", operation="open"
    )
    assert [line.text for line in fix(policy, one.evidence()).lines] == [
        "/tmp/report-2024/summary-20261128.csv"
    ]
    two = one.add("read_write_tmp", path="/tmp/report-2024/summary-20261129.csv", operation="open")
    assert [line.value for line in fix(policy, two.evidence()).lines] == [
        "/tmp/report-2024/summary-????????.csv"
    ]


def test_the_command(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  outbound_connectivity: block  # mine\n")
    line = Log().host("a.example").lines[0]
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), "-"], input=line)
    assert (
        done.exit_code == 0
        and "+      - host: a.example" in done.stdout
        and "admits:" in done.stderr
    )
    assert policy.read_text().endswith("block  # mine\n")
    assert CliRunner().invoke(app, ["fix", "-p", str(policy), "-w", "-"], input=line).exit_code == 0
    assert "outbound_connectivity:  # mine" in policy.read_text()
    again = CliRunner().invoke(app, ["fix", "-p", str(policy), "--json", "-"], input=line)
    assert json.loads(again.stdout)["allowed_already"] == ["reach a.example:443"]


# ---- learn --into ----


def test_into_shows_the_diff_and_asks(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    before = OUTBOUND.replace("block", "block  # ours").replace("example", "example  # old")
    policy.write_text(before)
    log = (
        Log()
        .host("a.example", *stack("requests"))
        .host("z.example")
        .host("evil.example", *stack("tintkit"))
    )
    events = log.write(tmp_path / "log")
    done = CliRunner().invoke(app, ["learn", "--into", str(policy), str(events)])
    assert done.exit_code == 1 and policy.read_text() == before
    assert (
        "+      - host: a.example  # once" in done.stdout and "nothing was written" in done.stderr
    )
    assert (
        CliRunner().invoke(app, ["learn", "--into", str(policy), "--yes", str(events)]).exit_code
        == 0
    )
    after = policy.read_text()
    assert (
        after.startswith(before.rstrip("\n"))
        and "evil.example" not in after
        and "by app through requests" in after
    )
    assert CliRunner().invoke(app, ["learn", "--into", str(policy), str(events)]).exit_code == 0
    assert policy.read_text() == after


def test_into_adds_only_the_ports_that_are_missing(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      - host:"
        " a.example\n"
    )
    events = Log().host("a.example").host("a.example", port=8443).write(tmp_path / "log")
    assert (
        CliRunner().invoke(app, ["learn", "--into", str(policy), "-y", str(events)]).exit_code == 0
    )
    assert "- {host: a.example, ports: [8443]}" in policy.read_text()
