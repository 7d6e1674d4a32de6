"""Learning allows what happened, and nothing else. What nobody should allow unseen is held back."""

from __future__ import annotations

import json

import pytest

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.language.policy import Family, Mode
from tests.fshield.learning import entries, held, learnt, policy_of, tmp
from tests.fshield.recorded import Log, stack

# ---- by which package ----


def test_what_the_function_asks_for_is_learnt_with_who_carried_it() -> None:
    log = (
        Log()
        .host("api.example.org", *stack("requests"))
        .host("api.example.org", *stack("requests"))
    )
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
    log = (
        Log()
        .host("api.example.org")
        .host("collector.evil.example", *stack("requests", "", runtime=False))
    )
    assert "for an unknown caller" in held(learnt(log))["collector.evil.example:443"]


def test_what_a_dependency_does_while_it_is_imported_is_not_the_function_s() -> None:
    frames = ["/var/task/tintkit/__init__.py:1 <module>", *stack("")]
    found = learnt(Log().host("collector.evil.example", *frames))
    assert list(held(found)) == ["collector.evil.example:443"] and found.evidence.packages.own == {
        "app"
    }


def test_a_wrapper_of_handlers_is_not_the_function() -> None:
    frames = [
        "/var/task/app.py:1 handler",
        "/var/task/datadog_lambda/wrapper.py:3 __call__",
        stack("")[-1],
    ]
    found = learnt(Log().host("api.example.org", *frames))
    assert found.evidence.packages.own == {"app"} and entries(found) == ["host: api.example.org"]


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
    for ip in (
        "169.254.169.254",
        "10.0.1.5",
        "192.88.99.7",
        "8.8.8.8",
        "169.254.9.9",
        "fd00:ec2::254",
    ):
        log.add("outbound_connectivity", host=None, ip=ip, port=443, protocol="tcp")
    found = learnt(log)
    assert entries(found) == ['cidr: "10.0.1.5"']
    assert "no name led to" in held(found)["8.8.8.8:443"]
    assert "link-local" in held(found)["169.254.9.9:443"]
    assert (
        "metadata" in held(found)["169.254.169.254:443"]
        and "metadata" in held(found)["[fd00:ec2::254]:443"]
    )


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
    log = Log().add(
        "create_child_process", path="/usr/bin/uname", arguments="uname", operation="execute"
    )
    assert entries(learnt(log)) == ["/usr/bin/uname"]


def test_what_has_no_exception_is_never_learnt() -> None:
    log = Log().add(
        "guard_integrity", path="/proc/self/mem", operation="write", reason="guard_integrity"
    )
    log.add(
        "outbound_connectivity",
        host=None,
        ip=None,
        port=None,
        protocol="raw",
        reason="socket_family",
    )
    log.add("create_child_process", path="/opt/static", operation="execute", reason="unguardable")
    found = learnt(log, "/proc/self/mem", "raw", "/opt/static")
    assert (
        entries(found) == []
        and all(item.accept is None for item in found.held)
        and len(found.held) == 3
    )


def test_rules_without_exceptions_become_alerts_when_accepted() -> None:
    log = Log().add("read_handler", path="/var/task/app.py", operation="read")
    log.add("runtime_api", host=None, ip="127.0.0.1", port=9001, protocol="tcp")
    found = learnt(log)
    assert {item.accept for item in found.held} == {"read_handler", "runtime_api"}
    assert learnt(log, "read_handler").modes == {**found.modes, "read_handler": "alert"}
    assert policy_of(learnt(log, "read_handler")).modes[Family.HANDLER].mode is Mode.ALERT


def test_an_import_of_machine_code_by_a_package_that_is_known_for_it() -> None:
    log = Log().add(
        "native_code",
        "/var/task/numpy/ctypeslib.py:3 <module>",
        *stack(),
        path="_ctypes",
        operation="import",
    )
    log.add(
        "native_code",
        "/var/task/tintkit/__init__.py:3 <module>",
        *stack(),
        path="_ctypes",
        operation="import",
    )
    found = learnt(log)
    assert entries(found) == ["numpy"] and list(held(found)) == ["tintkit"]


def test_an_error_reporter_stays_blocked_and_makes_no_event() -> None:
    """Sentry reads the source around each error. That must not make an event each time."""
    sentry = "/var/task/sentry_sdk/utils.py:487 get_lines_from_file"
    source = {"path": "/var/task/app.py", "operation": "read"}
    found = learnt(Log().add("read_handler", sentry, *stack(), **source))
    assert held(found) == {} and not found.is_empty
    policy = policy_of(found)
    assert policy.modes[Family.HANDLER].mode is Mode.BLOCK
    assert policy.quiet_readers == ("sentry-sdk",)
    # Another package's read of the same file is still reported.
    log = Log().add("read_handler", sentry, *stack(), **source)
    log.add("read_handler", "/var/task/tintkit/__init__.py:3 steal", *stack(), **source)
    assert list(held(learnt(log))) == ["/var/task/app.py"]
    assert policy_of(learnt(log)).quiet_readers == ()


def test_what_the_clients_of_vendors_do_by_themselves() -> None:
    """platform.processor() starts uname. httpcore2 is not taken for an imitation of httpcore."""
    processor = "/var/task/openai/_base_client.py:2100 platform_headers"
    log = Log().add(
        "create_child_process",
        processor,
        *stack(),
        path="/usr/bin/uname",
        arguments="uname -p",
        operation="execute",
    )
    assert entries(learnt(log)) == ["/usr/bin/uname"]
    log = Log().host("api.openai.com", "/var/task/httpcore2/_sync/connection.py:9 connect")
    assert "looks like" not in str(held(learnt(log)))
    # pymongo watches its servers from its own threads.
    log = Log().host("db.shop.example", "/var/task/pymongo/pool.py:9 connect", port=27017)
    assert entries(learnt(log)) == ["{host: db.shop.example, ports: [27017]}"]


@pytest.mark.parametrize("name", ["gho_n353", "cyncnggc", "5_964_24"])
def test_a_probe_of_tempfile_that_looks_like_words(name: str) -> None:
    """A name of eight characters that one invocation makes and removes at once counts as random."""
    log = Log()
    for operation in ("create", "remove"):
        log.add("read_write_tmp", path=f"/tmp/{name}", operation=operation)
    assert entries(learnt(log)) == ['"/tmp/????????"']
    policy = native.Compiled(compile_policy(policy_of(learnt(log))))
    assert policy.decide(Family.TMP, path=f"/tmp/{name}").mode is Mode.ALLOW
    # Names that stay, and longer names, are learnt as they are.
    assert entries(learnt(tmp(f"/tmp/{name}"))) == [f"/tmp/{name}"]
    log = Log()
    for operation in ("create", "remove"):
        log.add("read_write_tmp", path="/tmp/report_1.csv", operation=operation)
    assert entries(learnt(log)) == ["/tmp/report_1.csv"]


def test_a_made_up_folder_that_looks_like_a_word() -> None:
    """GitPython's git wrote below three random folders, and one of the three names reads like a
    word."""
    gitdb, log = "/var/task/gitdb/util.py:9 open", Log()
    for name in ("history-k3v9_x2q", "history-goea2867"):
        log.add("read_write_tmp", *stack(), path=f"/tmp/{name}", operation="create")
        log.add("read_write_tmp", *stack(), path=f"/tmp/{name}/a.txt", operation="create")
        log.add("read_write_tmp", gitdb, path=f"/tmp/{name}/.git/HEAD.lock", operation="create")
    # In other folders it is still held back.
    log.add("read_write_tmp", gitdb, path="/tmp/other/HEAD.lock", operation="create")
    assert list(held(learnt(log))) == ["/tmp/other/HEAD.lock"]
    policy = native.Compiled(compile_policy(policy_of(learnt(log))))
    lock = "/tmp/history-goea2867/.git/HEAD.lock"
    assert policy.decide(Family.TMP, path=lock).mode is Mode.ALLOW


def test_memory_is_made_executable_by_a_library() -> None:
    """polars, through ctypes. An entry for the module would not allow it."""
    library = "/var/lang/lib/libffi.so.8"
    log = Log().add(
        "native_code",
        "/var/task/polars/_cpu_check.py:188 _make",
        *stack(),
        path=library,
        operation="make memory executable in",
    )
    assert entries(learnt(log)) == [] and list(held(learnt(log))) == [library]
    found = learnt(log, library)
    assert entries(found) == [library]
    policy = native.Compiled(compile_policy(policy_of(found)))
    assert policy.decide(Family.NATIVE, path=library).mode is Mode.ALLOW


def test_a_look_up_that_nothing_was_dialled_after() -> None:
    assert (
        "only looked up"
        in held(learnt(Log().host("api.example.org", port=None)))["api.example.org"]
    )


# ---- generalising ----


def test_hosts_are_generalised_by_evidence_only() -> None:
    log = Log()
    for number in range(4):
        log.host(f"shard{number}.example.org")
    assert len(entries(learnt(log))) == 4
    log.host("shard4.example.org")
    assert entries(learnt(log)) == ['host: "*.example.org"']
    assert "5 names" in learnt(log).text("p")


@pytest.mark.parametrize(
    "parent", ["s3.amazonaws.com", "amazonaws.com", "github.io", "co.uk", "example"]
)
def test_hosts_are_never_generalised_where_anybody_has_names(parent: str) -> None:
    log = Log()
    for number in range(9):
        log.host(f"name{number}.{parent}")
    assert len(entries(learnt(log))) == 9 and "*" not in "".join(entries(learnt(log)))


def test_ports_of_one_host_are_one_entry() -> None:
    log = (
        Log().host("db.example.org", port=5432).host("db.example.org", *stack("requests"), port=443)
    )
    assert entries(learnt(log)) == ["{host: db.example.org, ports: [443, 5432]}"]


@pytest.mark.parametrize(
    ("paths", "entry"),
    [
        (["/tmp/cache.db"], "/tmp/cache.db"),
        (["/tmp/tmpja9aaz34"], '"/tmp/tmp????????"'),
        (["/tmp/0nbl755u"], '"/tmp/????????"'),
        (["/tmp/job-123456.log"], "/tmp/job-123456.log"),
        (["/tmp/job-123456.log", "/tmp/job-99.log", "/tmp/job-8888.log"], '"/tmp/job-*.log"'),
        (
            [
                "/tmp/0d6f0f0e-8f3c-4b7e-9b0c-1f2e3d4c5b6a.bin",
                "/tmp/1d6f0f0e-8f3c-4b7e-9b0c-1f2e3d4c5b6a.bin",
            ],
            '"/tmp/????????-????-????-????-????????????.bin"',
        ),
        ([f"/tmp/cache/{name}" for name in "abcdefghij"], '"/tmp/cache/*"'),
    ],
)
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


def test_the_journal_of_a_database_whose_name_became_a_pattern() -> None:
    log = tmp("/tmp/ledger-ann.db", "/tmp/ledger-bob.db", "/tmp/offers.db")
    library = {"origin": None, "ring": "libc"}
    for path in ("/tmp/ledger-ann.db-journal", "/tmp/offers.db-journal"):
        log.add("read_write_tmp", path=path, operation="create", **library)
    assert entries(learnt(log)) == [
        '"/tmp/ledger-*.db"',
        '"/tmp/ledger-*.db-journal"',
        "/tmp/offers.db",
        "/tmp/offers.db-journal",
    ]


def test_distributions_are_known_by_their_packages() -> None:
    """The engine writes the name of the distribution (SQLAlchemy). Frames have the name of the
    package (sqlalchemy)."""
    frames = ["/opt/python/lib/python3.13/site-packages/sqlalchemy/engine.py:1 connect", *stack()]
    log = Log().host("db.example.org", *frames, port=5432)
    event = json.loads(log.lines[0])
    event["origin"] |= {"distribution": "SQLAlchemy", "version": "2.1.9"}
    log.lines[0] = json.dumps(event)
    found = learnt(log)
    assert entries(found) == [
        "{host: db.example.org, ports: [5432]}"
    ] and "# SQLAlchemy 2.1.9\n" in found.text("p")


def test_tmp_itself_is_never_all_of_it() -> None:
    found = entries(learnt(tmp(*[f"/tmp/{name}" for name in "abcdefghijklmnop"])))
    assert len(found) == 16 and not any("*" in entry for entry in found)


def test_a_folder_of_mkdtemp_keeps_its_form_with_what_is_in_it() -> None:
    """Node's mkdtemp appends six characters to a name."""
    log = Log()
    for made, name in (("SelSLe", "a.png"), ("hrz1HT", "summer.png")):
        for path in (f"/tmp/pictures-{made}", f"/tmp/pictures-{made}/{name}"):
            log.add("read_write_tmp", *stack(), path=path, operation="create")
    found = learnt(log)
    assert [line.value for line in found.lines] == ["/tmp/pictures-??????/**"]


def test_a_suffix_of_two_parts_keeps_its_dot() -> None:
    log = Log()
    for path in ("/tmp/work/north.duckdb.wal", "/tmp/work/south.duckdb.wal"):
        log.add("read_write_tmp", *stack(), path=path, operation="create")
    assert [line.value for line in learnt(log).lines] == ["/tmp/work/*.duckdb.wal"]
    log = Log()
    for path in ("/tmp/work/north.png", "/tmp/work/south.png"):
        log.add("read_write_tmp", *stack(), path=path, operation="create")
    assert len(learnt(log).lines) == 2
