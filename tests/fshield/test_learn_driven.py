"""What a dependency has known packages do for it, so that `learn` would take it for theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.cli.learn import notes
from fshield.engine import policy_tests
from fshield.evidence.learn import learn
from fshield.evidence.lookalike import imitated_package
from fshield.evidence.tiers import Tiers
from tests.fshield.learning import entries, held, learnt, policy_of
from tests.fshield.recorded import Log, stack

FORK = {"path": None, "arguments": "", "operation": "fork"}
EVIL = "collector.evil.example"


def frames(*packages: str) -> list[str]:
    return [f"/var/task/{name}/part.py:{at} call" for at, name in enumerate(packages, 1)]


def known() -> Log:
    """A log that shows which code is the function's."""
    return Log().host("api.shop.example", *stack("requests"))


@pytest.mark.parametrize("seen", [stack(), []], ids=["with the function", "cut"])
@pytest.mark.parametrize(
    ("through", "host"),
    [
        (("psycopg", "sqlalchemy"), EVIL),
        (("redis", "rq"), EVIL),
        (("pymysql", "peewee"), EVIL),
        (("urllib3", "requests", "azure"), "evil.blob.core.windows.net"),
        (("urllib3", "requests", "google"), "storage.googleapis.com"),
        (("urllib3", "requests", "github"), "api.github.com"),
        (("urllib3", "slack_sdk"), "hooks.slack.com"),
        # Tracers put frames of theirs into every client.
        (("urllib3", "aws_xray_sdk", "urllib3", "requests"), EVIL),
        (("urllib3", "opentelemetry", "urllib3", "requests"), EVIL),
        (("pymongo", "aws_xray_sdk"), EVIL),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_where_it_has_a_known_client_connect_is_held_back(
    through: tuple[str, ...], host: str, seen: list[str]
) -> None:
    found = learnt(known().host(host, *frames(*through, "tintbox"), *seen))
    assert entries(found) == ["host: api.shop.example"]
    assert "only tintbox asked for it" in held(found)[f"{host}:443"]
    trusted = learnt(known().host(host, *frames(*through, "tintbox"), *seen), trust=("tintbox",))
    assert f"host: {host}" in entries(trusted) and not trusted.held


@pytest.mark.parametrize("through", [("psycopg", "sqlalchemy"), ("urllib3", "requests", "azure")])
def test_where_the_function_has_it_connect_is_learnt(through: tuple[str, ...]) -> None:
    host = "shop.blob.core.windows.net"
    assert not learnt(known().host(host, *frames(*through), *stack())).held
    assert not learnt(known().host(host, *frames(*through))).held


def test_what_a_widely_used_one_has_it_do_is_learnt() -> None:
    through = frames("httpcore", "httpx", "openai", "langchain_openai", "langchain_core")
    log = known().host("api.openai.com", *through, *stack())
    log.add(
        "read_write_tmp",
        *frames("PIL", "qrcode"),
        *stack(),
        path="/tmp/code.png",
        operation="create",
    )
    found = learnt(log)
    assert not found.held
    assert {"host: api.openai.com", "/tmp/code.png"} <= {*entries(found)}


def test_what_pikepdf_writes_beside_a_file_is_learnt() -> None:
    path = "/tmp/.pikepdf.out.pdf5cxeeg0x"
    log = known().add("read_write_tmp", *frames("pikepdf"), *stack(), path=path, operation="create")
    assert '"/tmp/.pikepdf.out.pdf????????"' in entries(learnt(log))


@pytest.mark.parametrize("name", ["storage", "barcodes", "altar"])
def test_a_module_of_the_function_imitates_none_of_those(name: str) -> None:
    assert imitated_package(name) is None


def test_where_a_tracer_s_frames_lie_within_a_client_s() -> None:
    through = frames("urllib3", "aws_xray_sdk", "urllib3", "requests")
    found = learnt(known().host("api.github.com", *through, *stack()))
    assert entries(found) == ["host: api.github.com", "host: api.shop.example"]
    assert "by app through requests, urllib3" in found.comment(found.lines[0])


@pytest.mark.parametrize("seen", [stack(), []], ids=["with the function", "cut"])
def test_a_utility_of_a_wrapper_asks_for_what_calls_it(seen: list[str]) -> None:
    """Powertools wraps the handler, and its `parameters` are called by any code."""
    table, utility = "dynamodb.eu-central-1.amazonaws.com", "aws_lambda_powertools"
    driven = frames("urllib3", "botocore", utility, "tintbox")
    found = learnt(known().host(table, *driven, *seen))
    assert "only tintbox asked for it" in held(found)[f"{table}:443"]
    found = learnt(known().host(table, *frames("urllib3", "botocore", utility), *stack(), *seen))
    assert not found.held
    assert f"by app through {utility}, botocore, urllib3" in found.text("p")


@pytest.mark.parametrize("by_dependency", [False, True])
def test_what_a_pattern_of_others_allows_is_not_called_blocked(by_dependency: bool) -> None:
    log = Log()
    for name in ("a.bin", "b.bin", "c.bin"):
        log.add("read_write_tmp", *stack(), path=f"/tmp/work/{name}", operation="create")
    log.add(
        "read_write_tmp", *frames("tintbox"), *stack(), path="/tmp/work/x y", operation="create"
    )
    evidence = log.evidence()
    found = learn(evidence, Tiers(evidence), by_dependency=by_dependency)
    results = policy_tests.run(policy_of(found))
    assert results and all(result.passed for result in results)
    assert [each.act.target for each in found.passed] == (
        [] if by_dependency else ["/tmp/work/x y"]
    )
    assert bool(found.held) is by_dependency
    said = any("/tmp/work/x y: a pattern for other names allows it" in one for one in notes(found))
    assert said is not by_dependency


def test_a_proposal_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    log = known().add(
        "read_write_tmp", *frames("tintbox"), *stack(), path="/tmp/my cat.png", operation="open"
    )
    done = CliRunner().invoke(app, ["learn", str(log.write(tmp_path / "log"))])
    assert "--accept '/tmp/my cat.png'" in done.stderr
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), str(log.write(tmp_path / "log"))])
    assert "--accept '/tmp/my cat.png'" in done.stderr


def test_what_it_has_a_known_package_write_is_held_back() -> None:
    log = known().add(
        "read_write_tmp",
        *frames("PIL", "tintbox"),
        *stack(),
        path="/tmp/.x/state.bin",
        operation="create",
    )
    assert "only tintbox asked for it" in held(learnt(log))["/tmp/.x/state.bin"]
    log = known().add(
        "read_write_tmp", *frames("PIL"), *stack(), path="/tmp/a.png", operation="create"
    )
    assert "/tmp/a.png" in entries(learnt(log))


def test_the_fork_of_a_pool_that_it_makes_is_held_back() -> None:
    log = known().add("create_child_process", *frames("joblib", "tintbox"), *stack(), **FORK)
    assert "only tintbox asked for it" in held(learnt(log))["fork"]
    log = known().add("create_child_process", *frames("joblib", "sklearn"), *stack(), **FORK)
    assert "{path: fork, only_for: [joblib, scikit-learn]}" in entries(learnt(log))


def test_a_thread_of_urllib3_alone_is_anybody_s() -> None:
    found = learnt(known().host(EVIL, *frames("urllib3")))
    assert held(found) == {f"{EVIL}:443": "urllib3 carried it, for an unknown caller"}
    aws = "bucket.s3.eu-central-1.amazonaws.com"
    assert not learnt(known().host(aws, *frames("urllib3"))).held


@pytest.mark.parametrize(
    "domain",
    ["snowflakecomputing.com", "servicebus.windows.net", "openai.azure.com", "ingest.sentry.io"],
)
def test_five_tenants_of_a_service_are_no_pattern(domain: str) -> None:
    log = Log()
    for name in ("one", "two", "three", "four", "five"):
        log.host(f"{name}.{domain}", *stack("requests"))
    assert len(entries(learnt(log))) == 5
