"""`learn` recognises the function's own code by its callers, at the paths that Lambda uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.evidence.acts import Evidence
from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.tiers import Tiers
from tests.fshield.recorded import Log, stack

NEW = "/var/lang/lib/python3.{}/site-packages/awslambdaric"
OLD = "/var/runtime/awslambdaric"
CLIENTS = {
    **{
        f"3.{minor}": [
            f"{NEW.format(minor)}/bootstrap.py:178 handle_event_request",
            f"{NEW.format(minor)}/bootstrap.py:549 run",
            f"{NEW.format(minor)}/__main__.py:31 main",
            "/var/runtime/bootstrap.py:63 main",
        ]
        for minor in range(12, 16)
    },
    **{
        f"3.{minor}": [
            f"{OLD}/bootstrap.py:149 handle_event_request",
            f"{OLD}/bootstrap.py:480 run",
            "/var/runtime/bootstrap.py:60 main",
            "/var/runtime/bootstrap.py:63 <module>",
        ]
        for minor in range(9, 12)
    },
    "image": [
        "/function/awslambdaric/bootstrap.py:178 handle_event_request",
        "/function/awslambdaric/__main__.py:3 m",
    ],
    "local": [
        "/cache/function-shield/runtime/cp313/awslambdaric/bootstrap.py:178 handle_event_request",
        "/cache/function-shield/runtime/cp313/awslambdaric/__main__.py:31 main",
        "/cache/function-shield/runtime/cp313/bootstrap.py:36 main",
    ],
}
CLIENT = CLIENTS["3.13"]


def writes(
    *frames: str, path: str = "/tmp/cache.txt", log: Log | None = None, version: str = ""
) -> Log:
    """A log with one more write, by the caller with these `frames`, innermost first."""
    made = (log or Log()).add("read_write_tmp", *frames, path=path, operation="create")
    event = json.loads(made.lines[-1])
    event["origin"]["version"] = version
    made.lines[-1] = json.dumps(event)
    return made


def learnt(log: Log) -> Learnt:
    evidence: Evidence = log.evidence()
    return learn(evidence, Tiers(evidence))


def own(log: Log) -> set[str]:
    return log.evidence().packages.own


@pytest.mark.parametrize("layout", CLIENTS)
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("app.py", "app"),
        ("handlers/api.py", "handlers"),
        ("pkg/mod.py", "pkg"),
        ("src/a/b/c.py", "src"),
    ],
)
def test_what_the_runtime_client_calls(layout: str, file: str, name: str) -> None:
    log = writes(f"/var/task/{file}:4 handler", *CLIENTS[layout])
    assert own(log) == {name}
    assert [line.text for line in learnt(log).lines] == ["/tmp/cache.txt"]


def test_at_import_and_in_another_folder() -> None:
    log = writes(
        "/srv/code/app.py:2 <module>",
        CLIENT[0].replace("handle_event_request", "_get_handler"),
        *CLIENT[1:],
    )
    event = json.loads(log.lines[0])
    event["origin"]["distribution"] = "app"
    log.lines[0] = json.dumps(event)
    assert own(log) == {"app"}


@pytest.mark.parametrize(
    "adapter",
    [
        "mangum/adapter.py:80 Mangum.__call__",
        "serverless_wsgi.py:100 handle_request",
        "apig_wsgi/__init__.py:9 h",
        "chalice/app.py:1200 __call__",
        "aws_lambda_powertools/logging/logger.py:400 decorate",
        "awsgi/__init__.py:9 response",
        "datadog_lambda/wrapper.py:9 __call__",
    ],
)
def test_an_adapter_is_not_the_function(adapter: str) -> None:
    log = writes("/var/task/app.py:4 endpoint", f"/var/task/{adapter}", *CLIENT)
    assert own(log) == {"app"} and not learnt(log).held


@pytest.mark.parametrize("first", [True, False])
def test_a_stack_that_was_cut_does_not_begin_with_the_function(first: bool) -> None:
    """The stack of an import is deep: an event shows the frames only up to some module of a
    dependency."""
    log = Log()
    for cut in (first, not first):
        frames = ["/var/task/app.py:4 handler", *CLIENT]
        if cut:
            frames = [
                "/var/task/tintkit/tz.py:10 <module>",
                "/var/task/othersdk/util.py:7 <module>",
            ]
        writes(*frames, path=f"/tmp/of-{cut}", log=log)
    assert own(log) == {"app"}
    assert [line.text for line in learnt(log).lines] == ["/tmp/of-False"]


FASTAPI = "/var/task/fastapi/telemetry/_api.py:244 _run_sync_endpoint"
ANYIO = "/var/task/anyio/_backends/_asyncio.py:1124 WorkerThread.run"


def test_a_framework_s_thread_has_no_runtime_client_on_its_stack() -> None:
    log = writes("/var/task/app.py:7 sync", FASTAPI, ANYIO)
    assert own(log) == {"app"} and [line.text for line in learnt(log).lines] == ["/tmp/cache.txt"]


def test_a_middleware_is_not_an_endpoint() -> None:
    log = writes(
        "/var/task/tintkit/__init__.py:7 mw",
        "/var/task/starlette/middleware/base.py:9 call_next",
        ANYIO,
    )
    assert own(log) == set() and learnt(log).held


def test_what_was_installed_is_not_the_function_s_as_an_endpoint() -> None:
    log = writes(
        "/var/task/tintkit/__init__.py:1 f", "/var/task/app.py:4 handler", *CLIENT, version="1.2.3"
    )
    writes("/var/task/tintkit/__init__.py:7 sync", FASTAPI, ANYIO, log=log)
    assert own(log) == {"app"}


def test_the_runtime_s_own_boto3_is_a_carrier() -> None:
    """Up to Python 3.11, boto3 lies in /var/runtime."""
    log = Log().host(
        "b.s3.amazonaws.com",
        "/var/runtime/urllib3/connection.py:1 connect",
        "/var/runtime/botocore/httpsession.py:9 s",
        "/var/runtime/boto3/session.py:3 put",
        "/var/task/app.py:4 handler",
        *CLIENTS["3.11"],
    )
    found = learnt(log)
    assert own(log) == {"app"} and not found.held
    assert found.comment(found.lines[0]).endswith("by app through boto3, botocore, urllib3")


def test_a_transfer_s_thread_has_no_caller_on_its_stack() -> None:
    place = "/var/lang/lib/python3.13/site-packages"
    names = (
        "urllib3/connection.py:1 connect",
        "botocore/client.py:2 call",
        "s3transfer/tasks.py:3 c",
    )
    frames = [f"{place}/{name}" for name in names]
    log = Log().host("bucket.s3.eu-central-1.amazonaws.com", *frames)
    log.add("read_write_tmp", *frames[2:], path="/tmp/photo.jpg.6fC2A1b9", operation="create")
    log.host("other.s3.eu-central-1.amazonaws.com", *frames[:1])
    assert not learnt(log).held and len(learnt(log).lines) == 3


def by_library(file: str, host: str = "db.shop.example", log: Log | None = None) -> Log:
    """A connection by a C library, made while Python ran other code."""
    origin = {"distribution": "", "version": "", "file": file, "line": 0, "stack": []}
    return (log or Log()).host(host, port=5432, ring="libc", origin=origin)


@pytest.mark.parametrize(
    ("file", "carrier"),
    [
        ("/var/task/psycopg2/../psycopg2_binary.libs/libpq-a17e3caa.so.5.17", "psycopg2"),
        ("/var/task/psycopg2/_psycopg.cpython-313-x86_64-linux-gnu.so", "psycopg2"),
        ("/opt/python/psycopg_binary/../psycopg_binary.libs/libpq-1.so.5", "psycopg_binary"),
        ("/x/site-packages/psycopg2/../psycopg2_binary.libs/libpq-a17e3caa.so.5.17", "psycopg2"),
        ("/x/site-packages/grpc/_cython/cygrpc.cpython-313-x86_64-linux-gnu.so", "grpc"),
        ("/opt/lib/libpq.so.5", "psycopg2"),
        ("/usr/lib64/librdkafka.so.1", "confluent_kafka"),
        ("/var/task/deltalake/_internal.abi3.so", "deltalake"),
        ("/var/task/_polars_runtime_32/_polars_runtime.abi3.so", "polars_runtime_32"),
        ("/var/task/lib/libmariadb.so.3", "MySQLdb"),
    ],
)
def test_a_carrier_s_library_in_c_shows_no_caller(file: str, carrier: str) -> None:
    found = learnt(by_library(file))
    assert [line.text for line in found.lines] == ["{host: db.shop.example, ports: [5432]}"]
    assert not found.held and found.lines[0].group == carrier
    assert found.comment(found.lines[0]).endswith(f"by {carrier}, for an unknown caller")


@pytest.mark.parametrize(
    "file",
    [
        "/var/task/tintkit/_speed.cpython-313-x86_64-linux-gnu.so",
        "/x/site-packages/tintkit/../tintkit.libs/libpq-a17e3caa.so.5.17",
        "/var/task/tintkit/../psycopg2/_psycopg.so",
        "/var/task/psycopg2/helper",
        "/var/task/tintkit/libpq-5.so",
        "/var/task/tintkit/lib/libpq.so.5",
        "/opt/python/tintkit.libs/libpq.so.5",
        "/var/task/psycopg2/../tintkit/_speed.so",
        "/x/site-packages/psycopg2/../tintkit.libs/libpq.so.5",
        "/usr/lib64/libtint.so.1",
        "/usr/lib64/libc.so.6",
        "/tmp/psycopg2/_psycopg.so",
        "",
    ],
)
def test_any_other_library_is_held_back(file: str) -> None:
    found = learnt(by_library(file))
    assert not found.lines and len(found.held) == 1


def test_a_carrier_s_library_is_learnt_for_hosts_only() -> None:
    log = Log()
    origin = {"distribution": "", "file": "/opt/lib/libpq.so.5", "line": 0, "stack": []}
    log.add("read_write_tmp", path="/tmp/x", operation="create", ring="libc", origin=origin)
    log.add("create_child_process", path="/usr/bin/uname", ring="libc", origin=origin)
    assert not learnt(log).lines
    # A suspicious name is held back, whichever package makes the connection.
    assert learnt(by_library("/opt/lib/libpq.so.5", "amazonaws.com.evil.example")).held


def test_own_by_folder_and_unsure_by_stack_is_said(tmp_path: Path) -> None:
    log = writes("/var/task/lib/store.py:4 put", "/var/task/app.py:4 handler", *CLIENT)
    assert [held.own for held in learnt(log).held] == ["lib"]
    out = tmp_path / "p.yaml"
    events = str(log.write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["learn", events, "-o", str(out)])
    assert done.exit_code == 1 and not out.exists()
    assert "nothing was learnt" in done.stderr and "--own lib" in done.stderr
    asked = CliRunner().invoke(app, ["learn", events, "-o", str(out), "--own", "lib"])
    assert asked.exit_code == 0 and "- /tmp/cache.txt" in out.read_text()


def test_a_dependency_that_was_installed_is_never_proposed() -> None:
    log = writes(
        "/var/task/tintkit/__init__.py:8 quietly",
        "/var/task/app.py:4 handler",
        *CLIENT,
        version="1.0",
    )
    assert [(held.own, "only tintkit" in held.why) for held in learnt(log).held] == [("", True)]


def test_everything_held_back_is_no_success() -> None:
    log = Log().host("collector.evil.example", *stack("tintkit"))
    done = CliRunner().invoke(app, ["learn", "--json", "-"], input="\n".join(log.lines))
    assert done.exit_code == 1 and json.loads(done.stdout)["ok"] is False
    ran = CliRunner().invoke(app, ["learn", "-"], input="\n".join(log.lines))
    assert ran.exit_code == 1 and "--accept collector.evil.example:443" in ran.stderr


def test_everything_held_back_is_no_success_with_into_either(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    log = Log().host("collector.evil.example", *stack("tintkit"))
    done = CliRunner().invoke(
        app, ["learn", "--into", str(policy), "-y", "-"], input="\n".join(log.lines)
    )
    assert done.exit_code == 1 and "nothing was learnt" in done.stderr
    assert policy.read_text() == "version: 1\npolicy:\n  default: block\n"


def test_a_thread_pool_without_a_framework_s_frame_is_proposed() -> None:
    """As in Starlette before it called endpoints by name: anyio's thread calls the endpoint."""
    log = writes("/var/task/app.py:7 sync", ANYIO)
    assert own(log) == set() and [held.own for held in learnt(log).held] == ["app"]


def test_fix_proposes_it_as_well(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    log = writes("/var/task/lib/store.py:4 put", "/var/task/app.py:4 handler", *CLIENT)
    events = str(log.write(tmp_path / "log"))
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), "-w", events])
    assert done.exit_code == 1 and "--own lib" in done.stderr
    done = CliRunner().invoke(app, ["fix", "-p", str(policy), "-w", "--own", "lib", events])
    assert done.exit_code == 0 and "- /tmp/cache.txt" in policy.read_text()
