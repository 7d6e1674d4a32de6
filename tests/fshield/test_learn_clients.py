"""What clients and frameworks do in places where no event shows the function: in their own threads,
below eight of their own frames, in C, and in Node.js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from tests.fshield.learning import entries, held, learnt
from tests.fshield.recorded import Log, stack

TASK = "/var/task"
ARN_REGION = "eu-central-1"


def frames(*packages: str) -> list[str]:
    """Eight frames, the most that an event shows."""
    made = [f"{TASK}/{name}/part{at}.py:{at + 1} call" for at, name in enumerate(packages)]
    return [*made, *(f"{TASK}/{packages[-1]}/deep.py:{at} call" for at in range(8 - len(made)))]


def from_library(log: Log, path: str, library: str) -> Log:
    """An open by a C library, with no Python on the stack."""
    origin: dict[str, Any] = {
        "distribution": None,
        "version": None,
        "file": library,
        "line": None,
        "stack": [],
    }
    return log.add("read_write_tmp", path=path, operation="create", origin=origin)


@pytest.mark.parametrize(
    ("packages", "host", "port", "entry"),
    [
        (("psycopg", "django"), "db.shop.example", 5432, "{host: db.shop.example, ports: [5432]}"),
        (
            ("pymysql", "sqlalchemy"),
            "db.shop.example",
            3306,
            "{host: db.shop.example, ports: [3306]}",
        ),
        (("anyio", "mangum"), "api.shop.example", 443, "host: api.shop.example"),
        (
            ("urllib3", "elastic_transport", "urllib3", "elastic_transport"),
            "search.shop.example",
            443,
            "host: search.shop.example",
        ),
        (("redis", "rq"), "cache.shop.example", 6379, "{host: cache.shop.example, ports: [6379]}"),
        (
            ("urllib3", "requests", "azure"),
            "shop.blob.core.windows.net",
            443,
            "host: shop.blob.core.windows.net",
        ),
    ],
)
def test_their_own_frames_fill_the_stack(
    packages: tuple[str, ...], host: str, port: int, entry: str
) -> None:
    found = learnt(Log().host(host, *frames(*packages), port=port))
    assert (entries(found), found.held) == ([entry], [])


def test_what_azure_s_client_reaches_elsewhere_is_held_back() -> None:
    found = learnt(Log().host("collector.evil.example", *frames("urllib3", "requests", "azure")))
    assert "only azure asked for it" in held(found)["collector.evil.example:443"]


def test_fsspec_s_loop_runs_in_a_thread_of_its_own() -> None:
    log = Log().host(
        f"lake-raw.s3.{ARN_REGION}.amazonaws.com",
        *frames("aiohappyeyeballs", "aiohttp", "aiobotocore", "s3fs", "fsspec"),
    )
    found = learnt(log, region=ARN_REGION)
    assert entries(found) == ["aws: {s3: {buckets: [lake-raw]}}"] and not found.held


def test_duckdb_s_library_lies_beside_its_package() -> None:
    log = from_library(Log(), "/tmp/north.duckdb", f"{TASK}/_duckdb.abi3.so")
    assert entries(learnt(log)) == ["/tmp/north.duckdb"]
    for file in ("_tintkit.abi3.so", "_tintkit/duckdb.so"):
        log = from_library(Log(), "/tmp/north.duckdb", f"{TASK}/{file}")
        assert list(held(learnt(log))) == ["/tmp/north.duckdb"]


def test_a_framework_s_database_and_its_journal() -> None:
    log = Log().add("read_write_tmp", *frames("django"), path="/tmp/shop.db", operation="open")
    for path in ("/tmp/shop.db-journal", "/tmp"):
        from_library(log, path, "/lib64/libsqlite3.so.0")
    found = learnt(log)
    assert (
        sorted(entries(found)) == ["/tmp", "/tmp/shop.db", "/tmp/shop.db-journal"]
        and not found.held
    )


def test_the_folder_of_a_package_s_file_is_not_learnt_without_a_journal() -> None:
    log = Log().add("read_write_tmp", *frames("django"), path="/tmp/shop.db", operation="open")
    from_library(log, "/tmp", "/lib64/libsqlite3.so.0")
    assert list(held(learnt(log))) == ["/tmp"]


@pytest.mark.parametrize(
    ("rule", "frame", "said"),
    [
        ("native_code", "polars/_cpu_check.py:197 __init__", "POLARS_SKIP_CPU_CHECK=1"),
        ("native_code", "llvmlite/binding/ffi.py:9 __call__", "--trust llvmlite"),
        ("create_child_process", "sentry_sdk/utils.py:141 get_git_revision", "SENTRY_RELEASE"),
        ("read_handler", "numba/core/caching.py:165 _hash", "in a module of their own"),
        ("read_handler", "joblib/externals/loky/process_executor.py:453 _w", "workers of joblib"),
    ],
)
def test_what_to_do_about_what_is_held_back(
    rule: str, frame: str, said: str, tmp_path: Path
) -> None:
    details = {"path": "/lib/libffi.so.8", "operation": "make memory executable in"}
    if rule == "read_handler":
        details = {"path": "/var/task/app.py", "operation": "open"}
    if rule == "create_child_process":
        details = {"path": "/usr/bin/git", "operation": "start"}
    log = Log().add(rule, f"/var/task/{frame}", *stack(""), **details)
    log.host("api.example")
    policy, file = tmp_path / "p.yaml", str(log.write(tmp_path / "log"))
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    assert said in " ".join(CliRunner().invoke(app, ["learn", file]).output.split())
    found = json.loads(CliRunner().invoke(app, ["fix", "-p", str(policy), file, "--json"]).stdout)
    hints = [item["hint"] for item in found["held"]]
    assert rule == "read_handler" or [said in hint for hint in hints] == [True]


def test_a_worker_of_joblib_cannot_do_without_what_it_runs() -> None:
    """Quietly blocked, a task cannot be read by the worker, and no event says why."""
    log = Log()
    for frame in ("func_inspect.py:113 get_code", "externals/loky/process_executor.py:453 _worker"):
        log.add("read_handler", f"{TASK}/joblib/{frame}", *stack(), path=f"{TASK}/app.py")
    found = learnt(log)
    assert found.quiet == () and list(held(found)) == [f"{TASK}/app.py"]


def test_joblib_s_look_at_the_source_is_refused_and_makes_no_event() -> None:
    log = Log().add(
        "read_handler",
        f"{TASK}/joblib/func_inspect.py:113 get_func_code",
        *stack(),
        path=f"{TASK}/app.py",
        operation="read",
    )
    found = learnt(log)
    assert found.quiet == ("joblib",) and not found.held


# ---- Node.js ----


def node(log: Log, host: str, port: int | None, *files: str) -> Log:
    """A lookup without a port, or a connection, as the engine reports them in Node.js."""
    name = files[0].partition("/node_modules/")[2] if files else ""
    name = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
    log.host(host, port=port, ring="libc")
    event: dict[str, Any] = json.loads(log.lines[-1])
    event["origin"] = {
        "distribution": name or None,
        "version": "1.0.0" if name else None,
        "file": files[0].rpartition(":")[0] if files else "/var/lang/bin/node",
        "line": 7 if files else None,
        "function": "connect" if files else None,
        "stack": [f"{file} connect" for file in files],
    }
    log.lines[-1] = json.dumps(event)
    return log


@pytest.mark.parametrize(
    ("client", "port"), [("pg", 5432), ("ioredis", 6379), ("@smithy/node-http-handler", 443)]
)
def test_a_client_of_node_connects_in_a_later_turn(client: str, port: int) -> None:
    file = f"{TASK}/node_modules/{client}/lib/client.js:7"
    log = node(node(Log(), "db.shop.example", None, file), "db.shop.example", port, file)
    found = learnt(log)
    assert [line.value for line in found.lines] == ["db.shop.example"] and not found.held


@pytest.mark.parametrize("mapper", ["knex", "typeorm"])
def test_a_mapper_of_node_connects_by_its_driver(mapper: str) -> None:
    files = [f"{TASK}/node_modules/{name}/lib/client.js:7" for name in ("pg", mapper)]
    found = learnt(node(Log(), "db.shop.example", 5432, *files))
    assert [line.value for line in found.lines] == ["db.shop.example"] and not found.held


def test_a_lookup_without_a_port_belongs_to_the_connection() -> None:
    file = f"{TASK}/node_modules/undici/lib/core/connect.js:92"
    log = node(node(Log(), "api.shop.example", None, file), "api.shop.example", 443, file)
    node(log, "data.evil.example", None, file)
    why = held(learnt(log))
    assert list(why) == ["api.shop.example:443", "data.evil.example"]
    assert why["api.shop.example:443"] == "undici carried it, for an unknown caller"
    assert "never dialled: `fshield fix` writes its entry" in why["data.evil.example"]
    assert entries(learnt(log, "api.shop.example:443")) == ["host: api.shop.example"]
    assert entries(learnt(log, trust=("undici",))) == ["host: api.shop.example"]


@pytest.mark.parametrize("file", ["app.js", "app.mjs", "app.cjs", "src/orders/app.js", "app.ts"])
def test_what_lies_beside_node_modules_is_the_functions_own(file: str) -> None:
    log = node(Log(), "api.shop.example", 443, f"{TASK}/{file}:7")
    found = learnt(log)
    assert entries(found) == ["host: api.shop.example"] and not found.held
    (line,) = found.lines
    assert f"by {file.partition('/')[0].partition('.')[0]}\n" in found.comment(line) + "\n"


def test_what_a_dependency_of_node_does_by_itself_is_held_back() -> None:
    app, theirs = f"{TASK}/app.mjs:7", f"{TASK}/node_modules/tintbox/index.js:3"
    log = node(Log(), "api.shop.example", 443, f"{TASK}/node_modules/axios/lib/http.js:9", app)
    node(log, "collector.evil.example", 443, theirs, app)
    node(log, "other.evil.example", 443, theirs)
    found = learnt(log)
    assert entries(found) == ["host: api.shop.example"]
    assert {one.own for one in found.held} == {""}
    assert all("tintbox" in why for why in held(found).values()) and len(found.held) == 2


def test_code_of_node_that_lies_elsewhere_is_confirmed() -> None:
    log = node(Log(), "api.shop.example", 443, "/srv/task/app.js:7")
    assert learnt(log).held
    assert entries(learnt(log, own=("app",))) == ["host: api.shop.example"]


def test_what_nobody_known_did_is_not_called_the_function_s() -> None:
    log = Log().add("read_write_tmp", *stack(), path="/tmp/own.txt", operation="create")
    from_library(log, "/tmp/thumb.webp", "/var/lang/bin/node")
    text = learnt(log, "/tmp/thumb.webp").text("p")
    own, nobody = text.index("# the function's own code"), text.index("# unknown caller: ")
    assert nobody < text.index("/tmp/thumb.webp") and own < text.index("/tmp/own.txt")
    assert "# the function's own code\n      - /tmp/own.txt" in text


def test_packages_that_call_each_other_by_turns_are_named_once() -> None:
    turns = ("urllib3", "elastic_transport", "urllib3", "elastic_transport")
    found = learnt(Log().host("search.shop.example", *frames(*turns)))
    (line,) = found.lines
    assert "by elastic_transport, urllib3, for an unknown caller" in found.comment(line)


@pytest.mark.parametrize("file", ["billiard/util.py", "dateutil/tz/win.py", "magic/__init__.py"])
def test_packages_that_import_ctypes_at_every_start(file: str) -> None:
    log = Log().add(
        "native_code",
        f"{TASK}/{file}:18 <module>",
        *stack("", "app"),
        operation="import",
        path="_ctypes",
    )
    assert entries(learnt(log)) == [file.partition("/")[0]]


def test_a_tool_s_import_goes_by_the_tool() -> None:
    frame = f"{TASK}/opentelemetry/context/__init__.py:3 <module>"
    log = Log().add("native_code", frame, operation="import", path="_ctypes")
    (line,) = learnt(log).lines
    assert (line.value, line.group) == ("opentelemetry", "opentelemetry")


def test_a_name_of_eight_characters_is_not_taken_for_tempfile_s() -> None:
    log = Log()
    for name in ("x3v9_2qa", "alpha.png", "beta.png", "delta.png"):
        log.add("read_write_tmp", *stack(), path=f"/tmp/{name}", operation="create")
    assert [line.value for line in learnt(log).lines] == ["/tmp/*.png", "/tmp/????????"]


def test_a_database_of_eight_characters_stays_beside_its_journal() -> None:
    log = Log()
    for name in ("x3v9_2qa", "notes.db"):
        log.add("read_write_tmp", *stack(), path=f"/tmp/{name}", operation="create")
    log.add("read_write_tmp", path="/tmp/notes.db-journal", operation="create", origin=None)
    values = [line.value for line in learnt(log).lines]
    assert sorted(values) == ["/tmp/????????", "/tmp/notes.db", "/tmp/notes.db-journal"]


def test_an_upload_that_starlette_spools_in_a_thread_of_anyio() -> None:
    """tempfile probes the folder in that thread, where only anyio's frames are on the stack."""
    thread = f"{TASK}/anyio/_backends/_asyncio.py:1124 WorkerThread.run"
    log = Log()
    for path in ("/tmp/t01a6bnq", "/tmp/notes.txt"):
        for operation in ("create", "remove"):
            log.add("read_write_tmp", thread, path=path, operation=operation)
    found = learnt(log)
    assert entries(found) == ['"/tmp/????????"'] and list(held(found)) == ["/tmp/notes.txt"]
