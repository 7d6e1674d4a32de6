"""`fshield learn --by-dependency`: an entry also names what is on the stack and in no event."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fshield.cli.learn import notes
from fshield.evidence import own_text
from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.requirements import imports, makes_tasks, required
from fshield.evidence.tiers import Tiers
from tests.fshield.learning import entries
from tests.fshield.recorded import Log, stack

TASK = "/var/task"
NOBODY: dict[str, Any] = {"ring": "libc", "origin": None}
#: Where an event shows that it was cut: eight frames, and the last is not the runtime client's.
CUT = 8
POOL = "/usr/lib/python3.13/concurrent/futures/thread.py"
REQUIRED = {
    "boto3": ["botocore (>=1)", "s3transfer>=0.10"],
    "s3transfer": ["botocore"],
    "botocore": ["urllib3 (<3,>=1.25); python_version >= '3.10'"],
    "aioboto3": ["aiofiles", "aiobotocore[boto3]==2"],
    "aiobotocore": ["aiohttp", "boto3; extra == 'boto3'"],
    "parcels": ["boto3"],
    "opentelemetry_api": [],
    "opentelemetry_sdk": ["opentelemetry-api"],
    "polars": ["polars-runtime-32"],
    "strands_agents": ["opentelemetry-sdk"],
    "requests": ["urllib3"],
}


def frames(*packages: str) -> list[str]:
    return [f"{TASK}/{name}/part.py:3 step" for name in packages]


def cut(*packages: str) -> list[str]:
    """A stack of which the event shows eight frames only."""
    return [*frames(*packages[:-1]), *frames(packages[-1]) * (CUT - len(packages) + 1)]


def learnt(
    log: Log, folder: Path | None = None, variables: Mapping[str, str] | None = None
) -> Learnt:
    evidence = log.evidence()
    evidence.packages.own.add("app")
    named = own_text.count_as_own(evidence.packages, folder, variables or {})
    return learn(evidence, Tiers(evidence, text=named), by_dependency=True)


def package(folder: Path, code: str, **modules: str) -> Path:
    """A function's package: the code of its handler, and the distributions of REQUIRED that are
    named, each with a module."""
    (folder / "app.py").write_text(code)
    for name, module in modules.items():
        about = folder / f"{name}-1.0.dist-info"
        about.mkdir()
        needs = "".join(f"Requires-Dist: {one}\n" for one in REQUIRED.get(name, []))
        (about / "METADATA").write_text(f"Name: {name}\n{needs}\nRequires-Dist: not-a-header\n")
        (about / "RECORD").write_text(f"{module},,\n")
    return folder


def test_a_framework_that_one_stack_shows_is_named_where_others_are_cut() -> None:
    log = Log().add("read_write_tmp", *frames("flask"), *stack(""), path="/tmp/a.lock")
    whole = [f"{TASK}/app.py:6 view", *frames("flask", "apig_wsgi"), stack("")[-1]]
    log = log.add("read_write_tmp", *whole, path="/tmp/notes.db", operation="open")
    log.host("api.example.org", *cut("urllib3", "requests"), port=443)
    log.host("api.example.org", *stack("requests"))
    found = entries(learnt(log))
    assert "{host: api.example.org, only_for: [apig-wsgi, flask, requests, unknown]}" in found


def test_a_framework_that_the_handler_calls_is_named_where_no_stack_shows_it() -> None:
    view = [f"{TASK}/shop/views.py:3 item", f"{TASK}/flask/app.py:3 Flask.dispatch_request"]
    log = Log().add("read_write_tmp", *view, *stack(""), path="/tmp/notes.db", operation="open")
    log.host("api.example.org", *stack("requests"))
    found = entries(learnt(log))
    assert "{host: api.example.org, only_for: [flask, requests]}" in found


def test_a_tracer_that_the_function_imports_is_named_where_no_stack_shows_it(
    tmp_path: Path,
) -> None:
    """Sentry wraps the handler and the threads, in which OpenTelemetry exports."""
    package(tmp_path, "import sentry_sdk\n", sentry_sdk="sentry_sdk/a.py")
    log = Log().host("otel.example.org", *cut("urllib3", "requests", "exporter"))
    (entry,) = entries(learnt(log, tmp_path, {"URL": "https://otel.example.org"}))
    assert entry == "{host: otel.example.org, only_for: [exporter, sentry-sdk, unknown]}"


def test_a_module_that_calls_the_framework_is_no_distribution() -> None:
    """A cut stack ends with the handler's module, and only the view is known to be the
    function's."""
    view = f"{TASK}/shop/views.py:3 item"
    flask = f"{TASK}/flask/app.py:3 Flask.dispatch_request"
    handler = stack("", "app", runtime=False)
    evidence = Log().host("api.example.org", view, flask, *handler * 6).evidence()
    found = entries(learn(evidence, Tiers(evidence), by_dependency=True))
    assert found == ["{host: api.example.org, only_for: [flask, function]}"]


def test_a_decorator_between_two_functions_of_the_handler_s_is_named() -> None:
    own = f"{TASK}/app.py:6 handler"
    log = Log().host("api.example.org", *frames("requests"), own, *frames("tenacity"), *stack(""))
    assert entries(learnt(log)) == ["{host: api.example.org, only_for: [requests, tenacity]}"]


def test_a_driver_that_its_user_does_not_require_is_named() -> None:
    log = Log().host("db.example.org", *frames("pg8000", "sqlalchemy"), *stack(""))
    assert entries(learnt(log)) == ["{host: db.example.org, only_for: [pg8000, sqlalchemy]}"]


def test_boto3_is_named_where_only_the_threads_that_it_started_are_seen() -> None:
    log = Log().host("bucket.example.org", *frames("urllib3", "botocore", "s3transfer"))
    log.host("bucket.example.org", *stack("requests"))
    (found,) = entries(learnt(log))
    assert found == "{host: bucket.example.org, only_for: [boto3, requests, s3transfer, unknown]}"


def test_what_the_function_imports_is_named_where_a_stack_ends_before_it(tmp_path: Path) -> None:
    code = "import parcels\nfrom boto3.session import Session\nHOST = 'bucket.example.org'\n"
    code += "OTHER = '/tmp/parcels'\n"
    modules = {name: f"{name}/__init__.py" for name in ("boto3", "botocore", "s3transfer")}
    folder = package(tmp_path, code, parcels="parcels/__init__.py", **modules)
    log = Log().host("bucket.example.org", *frames("botocore", "s3transfer"))
    (found,) = entries(learnt(log, folder))
    # parcels requires boto3 as well, and no event shows that it did this.
    assert found == "{host: bucket.example.org, only_for: [boto3, s3transfer, unknown]}"


def test_boto3_is_named_where_another_caller_of_botocore_made_the_event(tmp_path: Path) -> None:
    """Powertools' event stands for the function's own calls by boto3 as well: all of them connect
    in the same line of urllib3."""
    code = "import boto3\nimport requests\nfrom aws_lambda_powertools import parameters\n"
    modules = {"aws_lambda_powertools": "aws_lambda_powertools/a.py", "boto3": "boto3/a.py"}
    package(tmp_path, code, **modules, botocore="botocore/a.py", requests="requests/a.py")
    called = frames("urllib3", "botocore", "aws_lambda_powertools")
    log = Log().host("ssm.eu-central-1.amazonaws.com", *called, *stack(""), port=443)
    (entry,) = entries(learnt(log, tmp_path))
    assert "only_for: [aws-lambda-powertools, boto3]" in entry, entry


def test_a_file_that_an_unknown_caller_opened_too_is_also_for_unknown() -> None:
    log = Log().add("read_write_tmp", *frames("diskcache"), *stack(""), path="/tmp/answers/a")
    for name in ("a", "b", "c"):
        log.add("read_write_tmp", *frames("diskcache"), *stack(""), path=f"/tmp/answers/{name}")
    log.add("read_write_tmp", path="/tmp/answers/a", operation="open", **NOBODY)
    assert entries(learnt(log)) == ['{path: "/tmp/answers/*", only_for: [diskcache, unknown]}']


def test_a_lookup_by_an_unknown_thread_adds_no_caller() -> None:
    log = Log().host("api.example.org", *stack("requests")).host("api.example.org", **NOBODY)
    assert entries(learnt(log)) == ["{host: api.example.org, only_for: [requests]}"]


def test_a_fork_by_an_unknown_caller_adds_no_caller() -> None:
    log = Log().add("create_child_process", *stack(""), operation="fork")
    log.add("create_child_process", operation="fork", **NOBODY)
    assert entries(learnt(log)) == ["{path: fork, only_for: [function]}"]


def test_who_may_have_started_the_threads_of_a_pool_is_named(tmp_path: Path) -> None:
    modules = {name: f"{name}/__init__.py" for name in ("aioboto3", "aiofiles", "aiobotocore")}
    folder = package(tmp_path, "import aioboto3\nname = '/tmp/day.csv'\n", **modules)
    log = Log().add("read_write_tmp", *stack(""), path="/tmp/day.csv", operation="open")
    origin = {"distribution": "", "file": POOL, "line": 58, "function": "run", "stack": []}
    log.add("read_write_tmp", path="/tmp/day.csv", operation="create", origin=origin)
    (found,) = entries(learnt(log, folder))
    assert found == "{path: /tmp/day.csv, only_for: [aioboto3, function, unknown]}"


def test_who_may_have_started_the_thread_that_calls_the_function_is_named(tmp_path: Path) -> None:
    """Strands runs a tool in a thread that OpenTelemetry wraps. The engine sees who started it."""
    code = "import requests\nfrom strands import Agent\n"
    modules = {"strands_agents": "strands/a.py", "requests": "requests/a.py"}
    package(tmp_path, code, **modules, opentelemetry_sdk="opentelemetry/a.py")
    log = Log().host("api.example.org", *stack("requests", runtime=False), *frames("opentelemetry"))
    (entry,) = entries(learnt(log, tmp_path))
    names = "opentelemetry-sdk, requests, strands-agents, unknown"
    assert entry == f"{{host: api.example.org, only_for: [{names}]}}"


def test_a_library_in_a_thread_of_its_own_is_named_by_its_distribution(tmp_path: Path) -> None:
    runtime = "_polars_runtime_32/_polars_runtime.abi3.so"
    folder = package(
        tmp_path,
        "import polars\nname = '/tmp/day.csv'\n",
        polars="polars/__init__.py",
        polars_runtime_32=runtime,
    )
    log = Log().add("read_write_tmp", *stack(""), path="/tmp/day.csv", operation="create")
    origin: dict[str, Any] = {
        **{"distribution": "", "file": f"{TASK}/{runtime}", "line": None, "function": None},
        "stack": [],
    }
    log.add("read_write_tmp", path="/tmp/day.csv", operation="open", origin=origin)
    (found,) = entries(learnt(log, folder))
    assert found.endswith("only_for: [function, polars, polars-runtime-32, unknown]}")


def test_what_opens_files_in_c_may_open_those_that_the_function_made(tmp_path: Path) -> None:
    folder = package(tmp_path, "import duckdb\n", duckdb="duckdb/__init__.py")
    log = Log().add("read_write_tmp", *stack(""), path="/tmp/day.csv", operation="create")
    (found,) = entries(learnt(log, folder))
    assert found == "{path: /tmp/day.csv, only_for: [duckdb, function, unknown]}"


def test_tasks_that_the_function_made_have_an_unknown_maker(tmp_path: Path) -> None:
    code = "import asyncio\nasync def all(): await asyncio.gather(one(), two())\n"
    folder = package(tmp_path, code, boto3="boto3/__init__.py")
    log = Log().add("read_write_tmp", *stack(""), path="/tmp/day.csv", operation="create")
    (found,) = entries(learnt(log, folder))
    assert found == "{path: /tmp/day.csv, only_for: [function, unknown]}"


def test_one_package_of_several_distributions_is_named_by_the_outermost(tmp_path: Path) -> None:
    folder = package(
        tmp_path,
        "from opentelemetry import trace\nHOST = 'otlp.example.org'\n",
        opentelemetry_api="opentelemetry/trace/__init__.py",
        opentelemetry_sdk="opentelemetry/sdk/__init__.py",
    )
    log = Log().host("otlp.example.org", *frames("opentelemetry"), *stack(""))
    assert entries(learnt(log, folder)) == [
        "{host: otlp.example.org, only_for: [opentelemetry-sdk]}"
    ]


def test_in_node_every_entry_is_for_all_and_a_note_says_so() -> None:
    log = Log().add("read_write_tmp", *stack(""), path="/tmp/day.csv", operation="create")
    log.add("read_write_tmp", event="armed", runtime="node", path="/tmp/x")
    found = learnt(log)
    assert entries(found) == ["/tmp/day.csv"]
    assert any(note.startswith("--by-dependency: in Node.js") for note in notes(found))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os, boto3.session as s", {"os", "boto3"}),
        ("    from google.cloud import storage\n", {"google"}),
        ("from . import views\nx = 'import no'\n", set()),
        ("import requests  # and more", {"requests"}),
    ],
)
def test_imports(text: str, found: set[str]) -> None:
    assert imports(text) == found


def test_requirements_of_extras_count_where_the_extra_is_asked_for() -> None:
    text = "Requires-Dist: PyJWT[crypto] (>=2)\nRequires-Dist: tqdm; extra == 'all'\n\nbody\n"
    assert required(text) == {"": {"pyjwt", "pyjwt[crypto]"}, "all": {"tqdm"}}


def test_words_that_make_tasks() -> None:
    assert makes_tasks("await asyncio.gather(*all)") and not makes_tasks("gathered = 1")


@pytest.mark.parametrize(
    ("name", "owner"), [("requests", "requests"), ("websocket", "websocket-client")]
)
def test_a_package_that_lists_files_of_another_is_not_named(
    tmp_path: Path, name: str, owner: str
) -> None:
    folder = package(tmp_path, f"import {name}", **{owner.replace("-", "_"): f"{name}/__init__.py"})
    about = folder / "tintkit-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Name: tintkit\nRequires-Dist: {owner}\n")
    (about / "RECORD").write_text(f"{name}/__init__.py,,\n{name}/more.py,,\n")
    log = Log().host("api.example.org", *frames(name), *stack(""))
    assert entries(learnt(log, folder)) == [f"{{host: api.example.org, only_for: [{owner}]}}"]
