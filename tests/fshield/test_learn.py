"""Learning: what happened may happen again, and nothing else; what nobody should allow unseen is held back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield import evidence as evidence_module
from fshield import native
from fshield.cli import app
from fshield.compiler import compile_policy
from fshield.learn import Learnt, learn
from fshield.loader import resolve
from fshield.model import RULES
from fshield.policy import Family, Mode, Policy
from fshield.policy_tests import run
from fshield.reader import parse
from fshield.review import findings
from fshield.tiers import Tiers
from tests.fshield.recorded import Log, folded, stack


def learnt(
    log: Log, *accept: str, trust: tuple[str, ...] = (), own: tuple[str, ...] = (), region: str | None = None
) -> Learnt:
    evidence = log.evidence()
    evidence.askers.own |= set(own)
    return learn(evidence, Tiers(evidence, frozenset(accept), frozenset(trust)), region)


def policy_of(found: Learnt) -> Policy:
    return resolve(parse("p.yaml", found.text("p").encode()), "p")


def entries(found: Learnt) -> list[str]:
    return [line.text for line in found.lines]


def held(found: Learnt) -> dict[str, str]:
    return {item.act.place or item.act.words: item.why for item in found.held}


# ---- by whom ----


def test_what_the_function_asks_for_is_learnt_with_who_carried_it() -> None:
    log = Log().host("api.example.org", *stack("requests")).host("api.example.org", *stack("requests"))
    found = learnt(log)
    assert entries(found) == ["host: api.example.org"] and not found.held
    (line,) = found.lines
    assert found.comment(line) == "2 times, 2026-11-24 06:00, by app through requests, urllib3"
    assert line.group == "requests" and "# requests\n" in found.text("p")


def test_a_dependency_that_acts_by_itself_is_held_back() -> None:
    log = Log().host("collector.evil.example", *stack("tintkit"))
    found = learnt(log)
    assert entries(found) == []
    assert "only tintkit asked for it" in held(found)["collector.evil.example:443"]
    assert "collector.evil.example" not in found.text("p").split("tests:")[0]
    assert entries(learnt(log, "collector.evil.example:443")) == ["host: collector.evil.example"]
    assert entries(learnt(log, trust=("tintkit",))) == ["host: collector.evil.example"]


def test_a_thread_that_a_dependency_starts_with_another_s_function_has_nobody_behind_it() -> None:
    log = Log().host("api.example.org").host("collector.evil.example", *stack("requests", "", runtime=False))
    assert "nobody is known behind it" in held(learnt(log))["collector.evil.example:443"]


def test_what_a_dependency_does_while_it_is_imported_is_not_the_function_s() -> None:
    frames = ["/var/task/tintkit/__init__.py:1 <module>", *stack("")]
    found = learnt(Log().host("collector.evil.example", *frames))
    assert list(held(found)) == ["collector.evil.example:443"] and found.evidence.askers.own == {"app"}


def test_a_wrapper_of_handlers_is_not_the_function() -> None:
    frames = ["/var/task/app.py:1 handler", "/var/task/datadog_lambda/wrapper.py:3 __call__", stack("")[-1]]
    found = learnt(Log().host("api.example.org", *frames))
    assert found.evidence.askers.own == {"app"} and entries(found) == ["host: api.example.org"]


def test_code_without_a_file_is_nobody() -> None:
    log = Log().host("api.example.org").host("evil.example", "<string>:1 <module>")
    assert (
        "code without a file" in held(learnt(log))["evil.example:443"]
        or "nobody" in held(learnt(log))["evil.example:443"]
    )


def test_modules_of_the_function_s_own_by_their_user_s_word() -> None:
    log = Log().host("api.example.org", "/var/task/shared/net.py:1 get", *stack())
    assert entries(learnt(log)) == []
    assert entries(learnt(log, own=("shared",))) == ["host: api.example.org"]


# ---- tiers ----


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("api.str1pe.com", "looks like stripe.com"),
        ("s3.amazonaws.com.evil.example", "looks like amazonaws.com"),
        ("xn--strpe-i1e.com", "looks like stripe.com"),
        ("rnicrosoft.com", "looks like microsoft.com"),
        ("a" * 50 + ".example.org", "carry data"),
        ("metadata.google.internal", "credentials"),
    ],
)
def test_hosts_that_are_held_back_whoever_asks(host: str, why: str) -> None:
    assert why in held(learnt(Log().host(host)))[f"{host}:443"]
    assert entries(learnt(Log().host(host), f"{host}:443")) == [f"host: {host}"]


def test_a_name_like_one_that_the_function_uses() -> None:
    log = Log().host("api.mycompany.example")
    for _ in range(20):
        log.host("api.mycompany.example")
    log.host("api.mycompamy.example")
    assert "looks like mycompany.example" in held(learnt(log))["api.mycompamy.example:443"]


def test_addresses() -> None:
    log = Log()
    for ip in ("169.254.169.254", "10.0.1.5", "192.88.99.7", "8.8.8.8", "169.254.9.9", "fd00:ec2::254"):
        log.add("outbound_connectivity", host=None, ip=ip, port=443, protocol="tcp")
    found = learnt(log)
    assert entries(found) == ['cidr: "10.0.1.5"']
    assert "no name led to" in held(found)["8.8.8.8:443"]
    assert "link-local" in held(found)["169.254.9.9:443"]
    assert "metadata" in held(found)["169.254.169.254:443"] and "metadata" in held(found)["[fd00:ec2::254]:443"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/usr/bin/dash", "shell"),
        ("/usr/bin/bash", "shell"),
        ("/usr/local/bin/pip3.12", "package manager"),
        ("/usr/bin/python3.13", "runs, fetches or sends"),
        ("/usr/bin/curl", "runs, fetches or sends"),
        ("/tmp/payload", "can be written"),
    ],
)
def test_programs_that_are_held_back_whoever_asks(path: str, why: str) -> None:
    log = Log().add("create_child_process", path=path, arguments="x", operation="execute")
    assert why in held(learnt(log))[path]
    assert entries(learnt(log, path)) == [path]


def test_a_program_that_does_one_thing_is_learnt() -> None:
    log = Log().add("create_child_process", path="/usr/bin/uname", arguments="uname", operation="execute")
    assert entries(learnt(log)) == ["/usr/bin/uname"]


def test_what_has_no_exception_is_never_learnt() -> None:
    log = Log().add("guard_integrity", path="/proc/self/mem", operation="write", reason="guard_integrity")
    log.add("outbound_connectivity", host=None, ip=None, port=None, protocol="raw", reason="socket_family")
    log.add("create_child_process", path="/opt/static", operation="execute", reason="unguardable")
    found = learnt(log, "/proc/self/mem", "raw", "/opt/static")
    assert entries(found) == [] and all(item.accept is None for item in found.held) and len(found.held) == 3


def test_rules_without_exceptions_become_alerts_when_accepted() -> None:
    log = Log().add("read_handler", path="/var/task/app.py", operation="read")
    log.add("runtime_api", host=None, ip="127.0.0.1", port=9001, protocol="tcp")
    log.add("create_child_process", path=None, arguments="", operation="fork")
    found = learnt(log)
    assert {item.accept for item in found.held} == {"read_handler", "runtime_api", "create_child_process"}
    assert learnt(log, "read_handler").modes == {**found.modes, "read_handler": "alert"}
    assert policy_of(learnt(log, "read_handler")).modes[Family.HANDLER].mode is Mode.ALERT


def test_an_import_of_machine_code_by_a_package_that_is_known_for_it() -> None:
    log = Log().add(
        "native_code", "/var/task/numpy/ctypeslib.py:3 <module>", *stack(), path="_ctypes", operation="import"
    )
    log.add("native_code", "/var/task/tintkit/__init__.py:3 <module>", *stack(), path="_ctypes", operation="import")
    found = learnt(log)
    assert entries(found) == ["numpy"] and list(held(found)) == ["tintkit"]


def test_a_look_up_that_nothing_was_dialled_after() -> None:
    assert "only looked up" in held(learnt(Log().host("api.example.org", port=None)))["api.example.org"]


# ---- generalising ----


def test_hosts_are_generalised_by_evidence_only() -> None:
    log = Log()
    for number in range(4):
        log.host(f"shard{number}.example.org")
    assert len(entries(learnt(log))) == 4
    log.host("shard4.example.org")
    assert entries(learnt(log)) == ['host: "*.example.org"']
    assert "5 names" in learnt(log).text("p")


@pytest.mark.parametrize("parent", ["s3.amazonaws.com", "amazonaws.com", "github.io", "co.uk", "example"])
def test_hosts_are_never_generalised_where_anybody_has_names(parent: str) -> None:
    log = Log()
    for number in range(9):
        log.host(f"name{number}.{parent}")
    assert len(entries(learnt(log))) == 9 and "*" not in "".join(entries(learnt(log)))


def test_ports_of_one_host_are_one_entry() -> None:
    log = Log().host("db.example.org", port=5432).host("db.example.org", *stack("requests"), port=443)
    assert entries(learnt(log)) == ["{host: db.example.org, ports: [443, 5432]}"]


# ---- AWS ----


FRANKFURT = "eu-central-1"


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("dynamodb.eu-central-1.amazonaws.com", "aws: [dynamodb]"),
        ("dynamodb.eu-central-1.api.aws", "aws: [dynamodb]"),
        ("states.eu-central-1.amazonaws.com", "aws: [stepfunctions]"),
        ("sts.eu-central-1.amazonaws.com", "aws: [sts]"),
        ("sts.amazonaws.com", "aws: [sts]"),
        ("iam.amazonaws.com", "aws: [iam]"),
        ("my-bucket.s3.eu-central-1.amazonaws.com", "aws: {s3: {buckets: [my-bucket]}}"),
        ("my-bucket.s3.dualstack.eu-central-1.amazonaws.com", "aws: {s3: {buckets: [my-bucket]}}"),
    ],
)
def test_endpoints_of_the_function_s_own_region(host: str, entry: str) -> None:
    found = learnt(Log().host(host, *stack("requests")), region=FRANKFURT)
    assert entries(found) == [entry]
    (line,) = found.lines
    assert found.comment(line).endswith(f"by app through requests, urllib3, seen as {host}")
    # The engine's own word: by this policy the service is allowed in its region, and in no other one.
    policy = policy_of(found)
    assert [result.passed for result in run(policy)] == [True] and policy.tests[0].region == FRANKFURT
    if FRANKFURT not in host:
        return
    elsewhere = host.replace(FRANKFURT, "us-east-1")
    compiled = native.Compiled(compile_policy(policy))
    for region, name, mode in (
        (FRANKFURT, host, Mode.ALLOW), (FRANKFURT, elsewhere, Mode.BLOCK), ("us-east-1", elsewhere, Mode.ALLOW),
    ):  # fmt: skip
        asked = compiled.decide(Family.OUTBOUND, names=(name,), port=443, facts=native.Facts(region))
        assert asked.mode is mode, (region, name)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("dynamodb.us-east-1.amazonaws.com", 443),  # another region
        ("my-bucket.s3.us-east-1.amazonaws.com", 443),
        ("my-bucket.s3.amazonaws.com", 443),  # of us-east-1 alone
        ("dynamodb.eu-central-1.amazonaws.com", 80),  # another port
        ("s3.eu-central-1.amazonaws.com", 443),  # everybody's buckets
        ("my.dotted.bucket.s3.eu-central-1.amazonaws.com", 443),
        ("abc123.execute-api.eu-central-1.amazonaws.com", 443),  # a customer's
        ("abcdefgh.lambda-url.eu-central-1.on.aws", 443),
        ("db.c123.eu-central-1.rds.amazonaws.com", 443),
        ("vpce-0123456789abcdef0-abcd.sqs.eu-central-1.vpce.amazonaws.com", 443),  # one VPC endpoint, not everybody's
        ("123456789012.ddb.eu-central-1.amazonaws.com", 443),  # one account, where the function's is not known
    ],
)
def test_what_is_no_endpoint_of_the_own_region_stays_a_host(host: str, port: int) -> None:
    found = learnt(Log().host(host, port=port), region=FRANKFURT)
    assert [line.key for line in found.lines] == ["host"] and host in entries(found)[0]


def test_without_a_region_a_host_stays_one_and_it_is_said(tmp_path: Path) -> None:
    log = Log().host("dynamodb.eu-central-1.amazonaws.com").host("my-bucket.s3.eu-central-1.amazonaws.com")
    assert all(entry.startswith("host: ") for entry in entries(learnt(log)))
    events = str(log.write(tmp_path / "log"))
    said = CliRunner().invoke(app, ["learn", events]).stderr
    assert "and 1 more: tied to one region; --region" in said
    done = CliRunner().invoke(app, ["learn", "--region", FRANKFURT, events])
    assert "tied" not in done.stderr and "      - aws: [dynamodb]  # once" in done.stdout
    assert "did you mean" in CliRunner().invoke(app, ["learn", "--region", "eu-centra-1", events]).stderr


def test_two_names_of_one_service_are_one_entry_and_two_ports_are_two() -> None:
    log = Log()
    for name in ("dynamodb.eu-central-1.amazonaws.com", "dynamodb.eu-central-1.api.aws"):
        log.host(name).host(name, *stack("requests"))
    log.host("dynamodb.eu-central-1.amazonaws.com", port=8000)
    found = learnt(log, region=FRANKFURT)
    assert entries(found) == ["aws: [dynamodb]", "{host: dynamodb.eu-central-1.amazonaws.com, ports: [8000]}"]
    seen = "seen as dynamodb.eu-central-1.amazonaws.com, dynamodb.eu-central-1.api.aws"
    assert seen in found.text("p") and found.lines[0].seen.count == 4
    policy_of(found)


def test_the_region_of_the_functions_arn(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:{}:123456789012:function:pay"
    log = Log().host("sqs.eu-central-1.amazonaws.com", function_arn=arn.format(FRANKFURT))
    done = CliRunner().invoke(app, ["learn", "--json", str(log.write(tmp_path / "log"))])
    answer = json.loads(done.stdout)
    assert (answer["region"], answer["learnt"][0]["entry"]) == (FRANKFURT, "aws: [sqs]")
    for other in (arn.format("eu-west-1"), "arn:aws:lambda:nowhere:1:function:x", "nonsense"):
        both = Log().host("a.example", function_arn=arn.format(FRANKFURT)).host("b.example", function_arn=other)
        assert both.evidence().region is None


def test_into_a_policy_that_allows_the_service_already(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  outbound_connectivity:\n    allow:\n      - aws: [sqs]\n")
    log = Log().host("sqs.eu-central-1.amazonaws.com").host("my-bucket.s3.eu-central-1.amazonaws.com")
    events = str(log.write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["learn", "--into", str(policy), "-y", "--region", FRANKFURT, events])
    assert done.exit_code == 0 and "1 exceptions added" in done.stderr, done.output
    assert "- aws: {s3: {buckets: [my-bucket]}}  # once" in policy.read_text()


def tmp(*paths: str) -> Log:
    log = Log()
    for path in paths:
        log.add("read_write_tmp", path=path, operation="open")
    return log


@pytest.mark.parametrize(
    ("paths", "entry"),
    [
        (["/tmp/cache.db"], "/tmp/cache.db"),
        (["/tmp/tmpja9aaz34"], '"/tmp/tmp????????"'),
        (["/tmp/0nbl755u"], '"/tmp/????????"'),
        (["/tmp/job-123456.log"], "/tmp/job-123456.log"),
        (["/tmp/job-123456.log", "/tmp/job-99.log", "/tmp/job-8888.log"], '"/tmp/job-*.log"'),
        (["/tmp/0d6f0f0e-8f3c-4b7e-9b0c-1f2e3d4c5b6a.bin", "/tmp/1d6f0f0e-8f3c-4b7e-9b0c-1f2e3d4c5b6a.bin"],
         '"/tmp/????????-????-????-????-????????????.bin"'),
        ([f"/tmp/cache/{name}" for name in "abcdefghij"], '"/tmp/cache/*"'),
    ],
)  # fmt: skip
def test_paths_are_generalised_by_evidence_only(paths: list[str], entry: str) -> None:
    assert entry in entries(learnt(tmp(*paths)))
    assert len(entries(learnt(tmp(*paths)))) <= 2


def test_what_sqlite_touches_besides_the_function_s_file() -> None:
    log = tmp("/tmp/offers.db")
    library = {
        "origin": {"distribution": None, "file": "/lib/libsqlite3.so.0", "line": None, "stack": []},
        "ring": "libc",
    }
    for path in ("/tmp/offers.db-journal", "/tmp", "/tmp/other.db-wal", "/tmp/other"):
        log.add("read_write_tmp", path=path, operation="open", **library)
    found = learnt(log)
    assert entries(found) == ["/tmp", "/tmp/offers.db", "/tmp/offers.db-journal"]
    assert list(held(found)) == ["/tmp/other", "/tmp/other.db-wal"]


def test_distributions_are_known_by_their_packages() -> None:
    """The engine names what was installed (SQLAlchemy), frames name what was imported (sqlalchemy)."""
    frames = ["/opt/python/lib/python3.13/site-packages/sqlalchemy/engine.py:1 connect", *stack()]
    log = Log().host("db.example.org", *frames, port=5432)
    event = json.loads(log.lines[0])
    event["origin"] |= {"distribution": "SQLAlchemy", "version": "2.1.9"}
    log.lines[0] = json.dumps(event)
    found = learnt(log)
    assert entries(found) == ["{host: db.example.org, ports: [5432]}"] and "# SQLAlchemy 2.1.9\n" in found.text("p")


def test_tmp_itself_is_never_all_of_it() -> None:
    found = entries(learnt(tmp(*[f"/tmp/{name}" for name in "abcdefghijklmnop"])))
    assert len(found) == 16 and not any("*" in entry for entry in found)


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
    assert "\x1b" not in found.text("p") and "\u202e" not in found.text("p") and "\u2028" not in found.text("p")


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
        "policy": st.sampled_from(
            [*RULES, "guard_integrity", "x"]
        ),
        "reason": st.sampled_from(["no_rule", "port", "socket_family", "unguardable", "malformed", "new"]),
        "mode": st.sampled_from(["alert", "block", "allow", "?"]),
        "count": st.one_of(st.integers(-1, 1 << 64), TEXT),
        "details": st.dictionaries(
            st.sampled_from(["host", "ip", "port", "path", "operation", "protocol"]),
            st.one_of(
                TEXT, st.integers(-1, 70000), st.none(), st.sampled_from(TARGETS)
            ),
        ),
        "origin": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"distribution": TEXT, "file": TEXT, "line": st.integers(0, 9), "stack": st.lists(TEXT, max_size=8)}
            ),
            st.just(json.loads(Log().host("x.example").lines[0])["origin"]),
        ),
    }
)  # fmt: skip


# Shrinking so much text takes minutes and says little: the seed does.
@settings(max_examples=100, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(st.lists(EVENTS, max_size=25), st.booleans())
def test_whatever_is_read_the_policy_is_one(events: list[dict[str, Any]], accept: bool) -> None:
    """It loads, compiles, passes its own tests, warns of nothing, and allows by the engine's word what it learnt."""
    lines = [
        json.dumps({"function_shield": True, "event": "violation", "nonce": "n", "seq": at, **event})
        for at, event in enumerate(events)
    ]
    evidence = folded(lines)
    everything = Tiers(evidence)
    places = [item.accept for act, seen in evidence if (item := everything.held(act, seen)) and item.accept]
    found = learn(evidence, Tiers(evidence, frozenset(places if accept else ())), "us-east-1" if accept else None)
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
        app, ["learn", "--accept", "collector.evil.example:443", "-o", str(out), "-"], input=events.read_text()
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
    assert blocked(*variables, "--region", FRANKFURT) == [] == blocked(*variables, "-e", f"AWS_REGION={FRANKFURT}")
    done = CliRunner().invoke(app, ["replay", "-p", str(policy), events, "--env", "API_HOST"])
    assert done.exit_code == 2 and "NAME=VALUE" in done.stderr


def test_json(tmp_path: Path) -> None:
    events = Log().host("api.example.org").write(tmp_path / "log")
    answer = json.loads(CliRunner().invoke(app, ["learn", "--json", str(events)]).stdout)
    assert answer["ok"] and answer["own"] == ["app"] and answer["learnt"][0]["entry"] == "host: api.example.org"
    assert resolve(parse("p.yaml", answer["policy"].encode()), "p").allows


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("START\nEND\n")
    done = CliRunner().invoke(app, ["learn", str(tmp_path / "log")])
    assert done.exit_code == 2 and "nothing to learn from" in done.stderr and "monitor" in done.stderr


def test_a_typing_error_in_accept(tmp_path: Path) -> None:
    events = Log().host("api.example.org").write(tmp_path / "log")
    done = CliRunner().invoke(app, ["learn", "--accept", "evil.example", str(events)])
    assert done.exit_code == 2 and "nothing that was held back" in done.stderr


def test_two_functions_are_told_apart(tmp_path: Path) -> None:
    log = Log().host("a.example.org", function="one").host("b.example.org", function="two", nonce="2")
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
    assert "mend:" in done.stderr and "learnt.yaml" not in done.stderr
