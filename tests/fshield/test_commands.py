"""The commands as run by a person at a terminal, and by a build machine."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from fshield import __version__, output
from fshield.cli.app import app
from fshield.engine import decide as native
from fshield.engine import explain
from fshield.engine.decide import Compiled
from fshield.errors import Finding
from fshield.language import endpoints
from fshield.language.loader import load, resolve
from fshield.language.policy import Family
from fshield.language.reader import parse
from fshield.language.review import findings
from fshield.language.schema import text as schema_text
from tests.support import core_file

ROOT = Path(__file__).resolve().parents[2]
POLICIES = ROOT / "policies"
OUTBOUND = "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
DEFAULT = str(POLICIES / "default.yaml")
Write = Callable[[str | bytes], Path]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_version_and_help() -> None:
    assert run("--version").output == f"fshield {__version__}\n"
    shown = run("--help")
    assert "Exit codes" in shown.output
    for command in ("check", "compile", "package", "explain", "schema"):
        assert command in shown.output
        assert run(command, "--help").exit_code == 0


def test_mistakes_are_named_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy's name instead of a file, a mistyped value, a zip of another kind: each message fits
    the mistake.
    """
    monkeypatch.chdir(ROOT)
    assert "bare IP address" in run("explain", "default", "connect", "192.0.2.7:443").output
    wrong = run("explain", DEFAULT, "conect", "api.example.org")
    assert "'conect' is not one of 'connect'" in wrong.output and "Value error" not in wrong.output
    missing = run("rollout", str(tmp_path / "none.zip"), "--all")
    assert missing.exit_code == 2 and "fshield package DIR" in missing.output


def test_what_is_allowed_fits_a_terminal() -> None:
    """On a terminal it is wrapped and indented, elsewhere it is one line. A fix is always one
    line.
    """
    finding = Finding("error", "p.yaml", 3, 3, "no key", "a-word, " * 20 + "end", "x " * 60 + "y")
    for terminal in (True, False):
        to = Console(file=io.StringIO(), force_terminal=terminal, width=80, no_color=True)
        output.print_finding(finding, to)
        text = re.sub("\x1b\\[[0-9;]*m", "", to.file.getvalue())  # type: ignore[attr-defined]
        shown = text.split("  allowed: ")[1].split("\n  fix:     ")
        assert (max(map(len, shown[0].split("\n"))) <= 80) is terminal
        assert " ".join(shown[0].split()) == finding.allowed
        assert shown[1].strip() == finding.fix


def test_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fshield", "check", DEFAULT],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["default", "strict", "monitor", "functionshield"])
def test_postures_are_fine(name: str) -> None:
    done = run("check", str(POLICIES / f"{name}.yaml"))
    assert done.exit_code == 0, done.output
    assert (
        (POLICIES / f"{name}.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=policy.schema.json\n")
    )


def test_postures_are_those_of_the_design() -> None:
    def modes(name: str) -> str:
        return " ".join(
            rule.mode.name.lower() for rule in load(POLICIES / f"{name}.yaml").modes.values()
        )

    assert modes("monitor") == "alert alert alert alert alert alert"
    assert modes("default") == "block block block block alert block"
    assert modes("strict") == "block block block block block block"
    assert modes("functionshield") == "block block block block allow allow"
    assert [entry.text for entry in load(POLICIES / "functionshield.yaml").allows] == ["aws: true"]
    services, *quiet = load(POLICIES / "default.yaml").allows
    # Under `alert`, an entry only suppresses an event. It allows nothing that would otherwise be
    # blocked.
    assert {entry.family for entry in quiet} == {Family.NATIVE}
    assert not services.is_aws
    assert {"dynamodb", "sqs", "secretsmanager"} < set(services.services)
    assert not any(host.wildcard for host in services.hosts)
    assert load(POLICIES / "strict.yaml").allows == []
    assert load(POLICIES / "strict.yaml").mode_overrides == ()
    assert load(POLICIES / "default.yaml").mode_overrides == ("alert", "off")


def test_the_schema_is_in_step() -> None:
    assert (POLICIES / "policy.schema.json").read_text() == schema_text() == run("schema").output


def test_the_schema_takes_what_the_model_takes() -> None:
    page = (ROOT / "docs" / "policy.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    validator.check_schema(validator.schema)
    texts = [path.read_text() for path in sorted(POLICIES.glob("*.yaml"))]
    assert len(texts) >= 4
    for text in [*texts, example]:
        document = parse("x.yaml", text.encode())
        resolve(document, "x")
        assert list(validator.iter_errors(document.root.plain())) == []
    for wrong in (
        {},
        {"version": 2},
        {"version": 1, "polcy": {}},
        {"version": 1, "policy": {"read_handler": "blok"}},
    ):
        assert not validator.is_valid(wrong)


def test_check_levels(write: Write) -> None:
    path = write(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      - {host:"
        " x.org, expires: 2026-01-31, owner: me}\n      - {host: y.org, expires: 2999-01-31}\n"
    )
    done = run("check", str(path))
    assert done.exit_code == 1
    assert "expired on 2026-01-31" in done.output
    assert "2999" not in done.output.replace("expires: 2999", "")
    assert "owner: me" in done.output
    found = findings(load(path), date(2026, 1, 31))
    assert [finding.level for finding in found] == ["note", "note"]
    assert "expires today (owner: me)" in found[0].message
    assert [finding.level for finding in findings(load(path), date(2026, 1, 16))] == ["note"]
    assert "in 14 days" in findings(load(path), date(2026, 1, 17))[0].message


def test_check_says_what_a_rule_cannot_do() -> None:
    done = run("check", DEFAULT)
    assert "not the account behind it" in done.output
    assert "aws:ResourceOrgID" in done.output


def test_check_warns_of_the_suffix(write: Write) -> None:
    text = (
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n      - aws:"
        " true\n"
    )
    done = run("check", str(write(text + "      - host: x.org\n")))
    assert done.exit_code == 1
    assert done.output.count("not a boundary") == done.output.count(": warning: ") == 1
    assert "note" not in done.output
    assert "aws:ResourceOrgID" in done.output
    acknowledged = run("check", str(write(text + "        reason: as it was\n")))
    assert acknowledged.exit_code == 0
    assert "not a boundary" in acknowledged.output


def test_check_warns_of_old_endpoint_data(write: Write, tmp_path: Path) -> None:
    policy = load(write(OUTBOUND + "      - aws: [sqs]\n"))
    day = endpoints.DATA_DAY
    assert [f.level for f in findings(policy, day + timedelta(90))] == ["note"]
    old = findings(policy, day + timedelta(91))
    assert [f.level for f in old] == ["note", "warning"]
    assert "91 days old" in old[1].message
    assert not any(
        "days old" in f.message
        for f in findings(load(write("version: 1\n")), day + timedelta(1000))
    )
    out = tmp_path / "p.policy"
    assert (
        run("compile", str(write(OUTBOUND + "      - aws: [sqs]\n")), "-o", str(out)).exit_code == 0
    )
    assert Compiled(out.read_bytes()).endpoints == day
    assert (run("check", str(out)).exit_code == 1) == (
        datetime.now(timezone.utc).date() > day + timedelta(90)
    )


def test_check_warns_of_linked_folders(write: Write) -> None:
    done = run(
        "check",
        str(
            write("version: 1\npolicy:\n  create_child_process: {mode: block, allow: [/bin/sh]}\n")
        ),
    )
    assert done.exit_code == 1
    assert "/usr/bin/sh" in done.output


def test_check_of_what_is_not_there(tmp_path: Path) -> None:
    for command in (["check"], ["explain"]):
        done = run(*command, str(tmp_path / "none.yaml"))
        assert done.exit_code == 2
        assert "No such file" in done.output
    both = run("check", "--json", DEFAULT, str(tmp_path / "none.yaml"))
    assert both.exit_code == 2
    assert json.loads(both.stdout)["problems"]


def test_check_of_a_folder_says_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "none")
    (tmp_path / "b.yaml").write_text("version: 3\n")
    (tmp_path / "c.yaml").write_text(
        "version: 1\npolicy:\n  read_handler: blok\n  nope: block\n  read_write_tmp: blok\n"
    )
    done = run("check", "--json", str(tmp_path))
    answer = json.loads(done.stdout)
    assert done.exit_code == 2
    assert [(Path(one["file"]).name, one["line"]) for one in answer["findings"]] == [
        ("b.yaml", 1),
        ("c.yaml", 3),
        ("c.yaml", 4),
        ("c.yaml", 5),
    ]
    assert ["a.yaml" in one["message"] for one in answer["problems"]] == [True]


def test_check_of_odd_names(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff \n")
    folder.mkdir()
    (folder / "p.yaml").write_text("version: 3\n")
    (folder / os.fsdecode(b"\xff.yaml")).write_text("version: 1\n")
    for option in ([], ["--json"]):
        assert run("check", str(folder / "p.yaml"), *option).exit_code == 1
        assert run("check", str(folder / os.fsdecode(b"\xff.yaml")), *option).exit_code == 2
        assert run("check", str(folder / ("n" * 300 + ".yaml")), *option).exit_code == 2
        assert run("check", str(folder / "a\0b"), *option).exit_code == 2


def test_check_of_a_pipe_that_nobody_fills(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    done = run("check", str(tmp_path / "pipe.yaml"))
    assert done.exit_code == 1
    assert "empty" in done.output


def test_check_of_a_functions_folder(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "requirements.txt").write_text("boto3\nrequests\n")
    assert run("check", "--function", str(tmp_path)).exit_code == 0
    (tmp_path / "requirements.txt").write_text("boto3\nfunction-shield==2.0.16\n")
    (tmp_path / "function_shield").mkdir()
    (tmp_path / "package.json").write_text('{"dependencies": {\n"@puresec/function-shield": "1"}}')
    (tmp_path / "node_modules/@puresec/function-shield").mkdir(parents=True)
    done = run("check", "--json", "--function", str(tmp_path))
    assert done.exit_code == 1
    places = {
        (Path(finding["file"]).name, finding["line"])
        for finding in json.loads(done.stdout)["findings"]
    }
    assert places == {
        ("function_shield", 1),
        ("requirements.txt", 2),
        ("package.json", 2),
        ("function-shield", 1),
    }


def test_compile(tmp_path: Path) -> None:
    out = tmp_path / "default.policy"
    done = run("compile", DEFAULT, "-o", str(out))
    assert done.exit_code == 0
    first = out.read_bytes()
    assert native.Compiled(first).name == "default"
    assert out.stat().st_mode & 0o777 == 0o644
    assert run("compile", DEFAULT, "-o", str(out)).exit_code == 0
    assert out.read_bytes() == first
    assert run("check", str(out)).exit_code == 0
    out.write_bytes(first[:-8])
    assert run("check", str(out)).exit_code == 1
    assert run("explain", str(out), "open", "/tmp/x").exit_code == 2


def test_compile_where_nothing_can_be_written(tmp_path: Path) -> None:
    assert run("compile", DEFAULT, "-o", str(tmp_path / "none" / "x.policy")).exit_code == 2
    assert run("compile", DEFAULT, "-o", str(tmp_path)).exit_code == 2
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run("compile", DEFAULT, "-o", str(tmp_path / "pipe")).exit_code == 0
    assert os.read(reader, 8) == b"FSPOLICY"
    os.close(reader)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_package(tmp_path: Path) -> None:
    out = tmp_path / "policies.zip"
    assert run("package", str(POLICIES), "-o", str(out)).exit_code == 0
    first = out.read_bytes()
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        assert names == [
            f"function-shield.d/policies/{n}.policy"
            for n in ("default", "functionshield", "monitor", "strict")
        ]
        for info in archive.infolist():
            assert info.external_attr >> 16 == 0o100644
            native.Compiled(archive.read(info))
    os.utime(DEFAULT)
    assert run("package", str(POLICIES), "-o", str(out)).exit_code == 0
    assert out.read_bytes() == first


def test_package_of_what_cannot_be_one(tmp_path: Path) -> None:
    out = tmp_path / "p.zip"
    folder = tmp_path / "in"
    folder.mkdir()
    assert run("package", str(folder), "-o", str(out)).exit_code == 2
    (folder / "a b.yaml").write_text("version: 1\n")
    assert run("package", str(folder), "-o", str(out)).exit_code == 2
    (folder / "a b.yaml").rename(folder / "a.yaml")
    (folder / "a.yml").write_text("version: 1\n")
    assert "same name" in run("package", str(folder), "-o", str(out)).output
    assert not out.exists()


def explained(*arguments: str) -> dict[str, object]:
    done = run("explain", *arguments, "--json")
    assert done.exit_code == 0, done.output
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_explain_knows_what_tests_know(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\n"
        "policy:\n"
        "  outbound_connectivity:\n"
        "    mode: block\n"
        "    allow:\n"
        "      - host: a.example\n"
        "  native_code:\n"
        "    mode: block\n"
        "    allow: [numpy, /opt/lib/libffi.so]\n"
        "  read_handler: block\n"
    )
    for act, target, mode in (
        ("connect", "a.example", "allow"),
        ("connect", "b.example", "block"),
        ("connect", "2001:db8::1", "block"),
        ("connect", "[::1]", "allow"),
        ("look_up", "a.example", "allow"),
        ("look_up", "b.example", "block"),
        ("load", "numpy", "allow"),
        ("load", "numpy.core.x", "allow"),
        ("load", "numpyish", "block"),
        ("load", "/opt/lib/libffi.so", "allow"),
        ("read_source", "/var/task/app.py", "block"),
    ):
        assert explained(str(policy), act, target)["mode"] == mode, (act, target)
    assert run("explain", str(policy), "look_up", "*.a.example").exit_code == 2
    assert run("explain", str(policy), "connect", "1:2:x").exit_code == 2
    assert "is a URL" in run("explain", str(policy), "connect", "https://a.example/x").output
    assert run("explain", str(policy), "load").exit_code == 2


def test_explain(tmp_path: Path) -> None:
    line = Path(DEFAULT).read_text().splitlines().index("      - aws:") + 1
    allowed = explained(DEFAULT, "connect", "sqs.us-east-1.amazonaws.com:443")
    assert (allowed["mode"], allowed["rule"]) == ("allow", f"default.yaml:{line}")
    assert str(allowed["rule_text"]).startswith("aws: [cloudwatch, dynamodb, ")
    shown = run("explain", DEFAULT, "connect", "sqs.us-east-1.amazonaws.com:443").output
    assert f"default.yaml:{line}  aws: [cloudwatch, dynamodb, " in shown
    assert explained(DEFAULT, "connect", "sqs.eu-west-1.amazonaws.com:443")["mode"] == "block"
    assert (
        explained(DEFAULT, "connect", "sqs.eu-west-1.amazonaws.com:443", "--region", "eu-west-1")[
            "mode"
        ]
        == "allow"
    )
    blocked = explained(DEFAULT, "connect", "evil.example:443")
    assert (blocked["mode"], blocked["rule"], blocked["reason"]) == ("block", None, "no_rule")
    assert str(blocked["source"]).startswith("default.yaml:")
    assert explained(DEFAULT, "connect", "sqs.cn-north-1.amazonaws.com.cn:443")["mode"] == "block"
    assert (
        explained(
            DEFAULT, "connect", "sqs.cn-north-1.amazonaws.com.cn:443", "--region", "cn-north-1"
        )["mode"]
        == "allow"
    )
    assert explained(DEFAULT, "connect", "sqs.us-east-1.amazonaws.com:80")["reason"] == "port"
    for loopback in (
        "127.0.0.1:80",
        "localhost:80",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "0.0.0.0:80",
    ):
        assert explained(DEFAULT, "connect", loopback)["reason"] == "always"
    assert explained(DEFAULT, "connect", "127.66.66.66:80")["mode"] == "block"
    assert explained(DEFAULT, "open", "/tmp/../tmp/x")["mode"] == "block"
    assert explained(DEFAULT, "open", "/etc/hosts")["mode"] == "allow"
    assert explained(DEFAULT, "exec", "/usr/bin/uname")["mode"] == "block"
    out = tmp_path / "d.policy"
    run("compile", DEFAULT, "-o", str(out))
    assert explained(str(out), "connect", "sqs.us-east-1.amazonaws.com:443") == allowed


def test_explain_of_a_rename_asks_for_both_paths(tmp_path: Path) -> None:
    policy = tmp_path / "own.yaml"
    policy.write_text("version: 1\npolicy: {read_write_tmp: {mode: block, allow: [/tmp/a*]}}\n")
    answer = explained(str(policy), "rename", "/tmp/a.part", "/tmp/b")
    assert (answer["mode"], answer["to"]) == ("block", "/tmp/b")
    assert '"target": "/tmp/a.part", "policy": "read_write_tmp", "mode": "allow"' in json.dumps(
        answer["also"]
    )
    assert explained(str(policy), "rename", "/tmp/b", "/tmp/a")["mode"] == "block"
    assert explained(str(policy), "rename", "/var/task/b", "/tmp/a")["mode"] == "allow"
    said = run("explain", str(policy), "rename", "/tmp/a.part", "/tmp/b").output
    assert "rename /tmp/a.part to /tmp/b" in said
    assert "only rename takes two" in run("explain", DEFAULT, "open", "/tmp/a", "/tmp/b").output


def test_explain_says_what_ephemeral_lets_pass(tmp_path: Path) -> None:
    policy = tmp_path / "own.yaml"
    policy.write_text(
        "version: 1\npolicy: {read_write_tmp: {mode: ephemeral, keep: [/tmp/cache/**]}}\n"
    )
    assert "same invocation" in str(explained(str(policy), "open", "/tmp/x")["note"])
    assert explained(str(policy), "open", "/tmp/cache/x")["note"] is None
    assert explained(DEFAULT, "open", "/tmp/x")["note"] is None


def test_explain_alone_lists_what_always_holds() -> None:
    done = run("explain", DEFAULT)
    assert done.exit_code == 0
    for word in (
        "Runtime API",
        "X-Ray",
        "resolver",
        "127.0.0.1",
        "AF_UNIX",
        "outbound_connectivity",
        "alert",
    ):
        assert word in done.output
    assert max(len(line) for line in done.output.splitlines()) <= 80
    assert explained(DEFAULT)["always_allowed"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("connect",),
        ("connect", "x.org:0"),
        ("connect", "x.org:70000"),
        ("connect", "x.org:" + "9" * 5000),
        ("connect", "::1:80"),
        ("connect", "https://x.org:443"),
        ("connect", "*.x.org:443"),
        ("connect", ":443"),
        ("open", "x"),
        ("open", ""),
        ("exec", "uname"),
        ("read", "x"),
        ("rename", "/tmp/x"),
        ("open", "/tmp/x", "/tmp/y"),
    ],
)
def test_explain_of_what_is_no_question(arguments: tuple[str, ...]) -> None:
    done = run("explain", DEFAULT, *arguments)
    assert done.exit_code == 2
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_explain_lists_every_permitted_request() -> None:
    """The requests that permits.c lets through for callers other than the runtime client."""
    rows = re.findall(r'\{PERMIT_\w+, \w+, "([^"]+)"\}', core_file("permits.c").read_text())
    assert len(rows) == 6
    listed = " ".join(text for _, text in explain.ALWAYS_ALLOWED)
    assert [row for row in rows if row not in listed] == []
