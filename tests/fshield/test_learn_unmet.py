"""learn: what the log does not show, and what needs no entry."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.cli.learn import notes
from fshield.evidence import named_hosts, own_text
from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.tiers import Tiers
from tests.fshield.learning import entries, held, learnt, policy_of
from tests.fshield.recorded import Log, stack

NODE: dict[str, Any] = {
    **{"distribution": "", "file": "/var/lang/bin/node", "line": 0, "function": ""},
    "stack": [],
}


OWN = "/var/task/index.mjs:21 handler"
PACKAGE = "/var/task/node_modules/graphdb/index.js:3 dial"


def exports(*names: str, folder: str = "export-", maker: str = OWN) -> Log:
    """mkdtemp by the function, and what Node's streams do in the folder."""
    log = Log()
    for letters, name in zip(("kUgkNo", "xq6Cvi"), names, strict=False):
        made = f"/tmp/{folder}{letters}"
        log.add("read_write_tmp", maker, path=made, operation="create")
        for operation in ("create", "open"):
            path = f"{made}/{name}.xlsx"
            log.add("read_write_tmp", path=path, operation=operation, origin=NODE)
    return log


def test_a_folder_that_the_function_made_is_for_what_shows_no_caller() -> None:
    found = learnt(exports("anna", "bob"), own=("index",))
    assert entries(found) == ['"/tmp/export-??????/**"']
    assert not found.held


def test_a_folder_that_a_package_made_is_not() -> None:
    found = held(learnt(exports("anna", "bob", maker=PACKAGE), own=("index",)))
    assert {"/tmp/export-??????", "/tmp/export-??????/anna.xlsx"} <= found.keys()


def test_a_package_s_own_file_in_the_folder_is_named() -> None:
    """The pattern allows it to all: in Node.js the engine knows no caller."""
    log = exports("anna", "bob")
    log.add("read_write_tmp", PACKAGE, path="/tmp/export-kUgkNo/.hidden", operation="create")
    found = learnt(log, own=("index",))
    assert [one.act.place for one in found.passed] == ["/tmp/export-??????/.hidden"]
    assert any(".hidden: a pattern for other names allows it" in note for note in notes(found))


@pytest.mark.parametrize(
    ("name", "value", "host"),
    [
        ("WEBHOOK", "https://hooks.example/api?x=1", "hooks.example"),
        ("DATABASE_URL", "postgres://u:p@db.shop.example:5432/shop", "db.shop.example"),
        ("SMTP_HOST", "smtp.Mailer.example", "smtp.mailer.example"),
        ("BROKER", "broker.example:8883", "broker.example"),
        ("REPORT", "orders.csv", None),
        ("SNOWFLAKE_HOST", "acme.eu-central-1", None),
        ("HANDLER", "app.handler", None),
        ("HOSTS", "", None),
    ],
)
def test_hosts_of_variables(name: str, value: str, host: str | None) -> None:
    assert named_hosts.in_variables({name: value}) == ({host: name} if host else {})


def test_hosts_of_code() -> None:
    text = """
# https://docs.example.org/how
ASK = "https://api.example.org/v1"
also = `wss://live.example.org`; queue = 'amqp://u:p@queue.example.org:5672'
part = f"https://api.{stage}.example.org/"
said = "see https://help.example.org/x"
"""
    assert named_hosts.in_code(text) == {"api.example.org", "live.example.org", "queue.example.org"}


def of_folder(log: Log, folder: Path, code: str, **variables: str) -> Learnt:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(code)
    evidence = log.evidence()
    named = own_text.read(folder, variables, {"app"})
    return learn(evidence, Tiers(evidence, text=named))


def test_a_host_that_is_named_and_was_not_reached_is_noted(tmp_path: Path) -> None:
    log = Log().host("api.example.org")
    code = 'API = "https://api.example.org"\nMAIL = "https://mail.example.org:8443/"\n'
    found = of_folder(log, tmp_path / "function", code, HOOK="https://hooks.example/x")
    (note,) = [note for note in notes(found) if "no event reached it" in note]
    assert note.startswith("hooks.example (HOOK), mail.example.org (in the code): named")
    assert not of_folder(log, tmp_path / "function", 'API = "https://api.example.org"\n').unmet


def test_a_host_of_env_alone_is_noted(tmp_path: Path) -> None:
    """Without --code as well."""
    log = str(Log().host("api.example.org").write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["learn", log, "-e", "HOOK=https://hooks.example/x", "--json"])
    assert any("hooks.example (HOOK)" in note for note in json.loads(done.stdout)["notes"])


@pytest.mark.parametrize("allows", [False, True])
def test_into_notes_what_the_policy_does_not_allow_yet(tmp_path: Path, allows: bool) -> None:
    frames = ["/var/task/gevent/_socketcommon.py:626 connect", *stack()]
    log = str(Log().host("api.example.org", *frames).write(tmp_path / "log"))
    out = tmp_path / "p.yaml"
    hosts, modules = ("{host: hooks.example}", "gevent") if allows else ("", "")
    out.write_text(
        f"version: 1\npolicy:\n  outbound_connectivity: {{mode: block, allow: [{hosts}]}}\n"
        f"  native_code: {{mode: block, allow: [{modules}]}}\n"
    )
    words = ["learn", log, "--into", str(out), "--yes", "-e", "HOOK=https://hooks.example/x"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert ("hooks.example (HOOK)" in done.stderr) != allows
    assert ("PolicyViolation" in done.stderr) != allows


def test_packages_whose_errors_make_code_are_noted() -> None:
    frames = ["/var/task/gevent/_socketcommon.py:626 connect", *stack()]
    found = learnt(Log().host("api.example.org", *frames))
    assert any("native_code: {allow: [gevent]}" in note for note in notes(found))
    assert "native_code: {allow: [gevent]}" in found.text("p")
    assert policy_of(found)
    module = Log().host("api.example.org", *frames)
    module.add("native_code", *frames, path="code.__new__", operation="make code by")
    found = learnt(module)
    assert "gevent" in entries(found)
    assert not found.errors


def test_a_module_that_needs_ctypes_at_import_is_learnt() -> None:
    """asyncssh fails without."""
    frames = ["/var/task/asyncssh/crypto/pq.py:23 <module>", *stack()]
    log = Log().add("native_code", *frames, path="_ctypes", operation="import")
    assert entries(learnt(log)) == ["asyncssh"]


@pytest.mark.parametrize("client", ["asyncssh/connection.py:535", "dulwich/client.py:9"])
def test_a_client_is_told_its_host_by_the_function(client: str) -> None:
    log = Log().host("files.example.org", f"/var/task/{client} connect", *stack(), port=22)
    assert entries(learnt(log)) == ["{host: files.example.org, ports: [22]}"]


def test_a_metadata_service_is_no_example_of_what_to_accept(tmp_path: Path) -> None:
    library = {**NODE, "file": "/var/task/snowflake/connector/_core/core.so"}
    log = Log().host("api.example.org")
    log.add(
        "outbound_connectivity",
        **{"host": None, "ip": "169.254.169.254", "port": 80, "protocol": "tcp"},
        origin=library,
    )
    done = CliRunner().invoke(app, ["learn", str(log.write(tmp_path / "log"))])
    assert "169.254.169.254" in done.stderr and "--accept" not in done.stderr
    assert "SNOWFLAKE_DISABLE_PLATFORM_DETECTION=true" in done.stderr


def test_bolt_s_lazy_listeners_have_a_hint(tmp_path: Path) -> None:
    frames = ["/var/task/urllib3/util/connection.py:60 create_connection"]
    frames += ["/var/task/botocore/httpsession.py:1 send", "/var/task/slack_bolt/app/app.py:2 x"]
    log = Log().host("api.example.org").host("lambda.eu-central-1.amazonaws.com", *frames, *stack())
    done = CliRunner().invoke(app, ["learn", str(log.write(tmp_path / "log"))])
    assert "--trust slack_bolt" in " ".join(done.stderr.split())


@pytest.mark.parametrize("region", [None, "eu-central-1"])
def test_replay_says_that_it_does_not_know_the_region(tmp_path: Path, region: str | None) -> None:
    log = str(Log().host("sqs.eu-central-1.amazonaws.com").write(tmp_path / "log"))
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy: {outbound_connectivity: {mode: block, allow: [{aws: [sqs]}]}}\n"
    )
    words = ["replay", "-p", str(policy), log, *(["--region", region] if region else [])]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == (0 if region else 1)
    assert ("nothing says the function's region" in done.stderr) == (region is None)


def test_notes_are_as_wide_as_the_terminal(tmp_path: Path) -> None:
    log = exports("anna", "bob", folder="exports-of-a-customer-with-a-long-name-")
    done = CliRunner().invoke(
        app, ["learn", str(log.write(tmp_path / "log")), "--own", "index"], env={"COLUMNS": "80"}
    )
    assert "pattern: /tmp/exports-of" in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 80


def test_no_folder_for_temporary_files_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb")
    log = str(Log().host("api.example.org").write(tmp_path / "log"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    done = CliRunner().invoke(app, ["learn", log])
    assert done.exit_code == 2, done.output
    assert "error: no folder for temporary files in " in done.stderr
    assert "TMPDIR=FOLDER" in done.stderr
