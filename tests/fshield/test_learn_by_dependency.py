"""`fshield learn --by-dependency`: each entry is for the distributions that the function used."""

from __future__ import annotations

from fshield.engine import policy_tests
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled, Facts
from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.replay import replay
from fshield.evidence.tiers import Tiers
from fshield.language.loader import resolve
from fshield.language.policy import Family, Mode
from fshield.language.reader import parse
from fshield.language.review import refuse_dead_entries
from tests.fshield.learning import entries, policy_of
from tests.fshield.recorded import Log, stack


def by_dependency(log: Log) -> Learnt:
    evidence = log.evidence()
    return learn(evidence, Tiers(evidence), by_dependency=True)


def test_what_the_function_called_is_named() -> None:
    found = by_dependency(Log().host("api.example.org", *stack("requests")))
    assert entries(found) == ["{host: api.example.org, only_for: [requests]}"]
    policy = policy_of(found)
    compiled = Compiled(compile_policy(policy))
    for asker, mode in (("requests", Mode.ALLOW), ("tintkit", Mode.BLOCK), ("", Mode.BLOCK)):
        names = ("api.example.org",)
        verdict = compiled.decide(Family.OUTBOUND, names=names, port=443, caller=asker)
        assert verdict.mode is mode, asker
    results = policy_tests.run(policy)
    assert results and all(result.passed for result in results)


def test_the_function_s_own_code_is_named() -> None:
    found = by_dependency(Log().host("api.example.org", *stack("")))
    assert entries(found) == ["{host: api.example.org, only_for: [function]}"]


def test_two_ways_to_one_host_are_one_entry() -> None:
    log = (
        Log()
        .host("api.example.org", *stack("requests"))
        .host("api.example.org", "/var/task/boto3/client.py:4 call", *stack(""))
    )
    assert entries(by_dependency(log)) == ["{host: api.example.org, only_for: [boto3, requests]}"]


def test_paths_and_ports_are_written_so_that_they_can_be_read() -> None:
    log = Log().host(
        "db.example.org", "/var/task/redis/connection.py:4 connect", *stack(""), port=6379
    )
    found = by_dependency(log)
    assert entries(found) == ["{host: db.example.org, ports: [6379], only_for: [redis]}"]
    assert policy_of(found).allows[0].only_for == ("redis",)


def test_a_distribution_that_is_named_otherwise_than_its_package() -> None:
    log = Log().host("api.github.com", "/var/task/github/Requester.py:4 send", *stack(""))
    assert entries(by_dependency(log)) == ["{host: api.github.com, only_for: [pygithub]}"]


def test_what_sqlite_makes_beside_a_file_is_for_its_caller() -> None:
    frames = ("/var/task/sqlalchemy/engine.py:9 connect", *stack(""))
    log = Log().add("read_write_tmp", *frames, path="/tmp/offers.db", operation="open")
    nobody = {"ring": "libc", "origin": None}
    log.add("read_write_tmp", *frames, path="/tmp/offers.db-wal", operation="create", **nobody)
    assert entries(by_dependency(log)) == [
        "{path: /tmp/offers.db, only_for: [sqlalchemy]}",
        "{path: /tmp/offers.db-wal, only_for: [sqlalchemy, unknown]}",
    ]
    assert "# sqlalchemy\n" in by_dependency(log).text("p")
    assert "by an unknown caller, beside /tmp/offers.db\n" in by_dependency(log).text("p")


def test_a_test_holds_what_was_held_back_off_what_others_may() -> None:
    log = Log().host("api.example.org", *stack("requests")).host("evil.example", *stack("tintkit"))
    found = by_dependency(log)
    assert (
        '  - blocked:\n      connect: ["api.example.org:443"]\n    as: tintkit\n'
        "    reason: allowed for other packages\n"
    ) in found.text("p")
    results = policy_tests.run(policy_of(found))
    assert len(results) == 3 and all(result.passed for result in results)
    wide = found.text("p").replace("only_for: [requests]", "only_for: [requests, tintkit]")
    results = policy_tests.run(resolve(parse("p.yaml", wide.encode()), "p"))
    assert [result.passed for result in results].count(False) == 1


def test_what_was_learnt_is_replayed_for_its_callers() -> None:
    log = Log().host("api.example.org", *stack("requests")).host("b.example.org", *stack(""))
    compiled = Compiled(compile_policy(policy_of(by_dependency(log))))
    assert not [one for one in replay(compiled, log.evidence(), Facts()) if one.would_break]
    other = Log().host("api.example.org", "/var/task/redis/client.py:4 connect", *stack(""))
    (broken,) = replay(compiled, other.evidence(), Facts())
    assert broken.would_break
    assert broken.met.words.endswith(": allowed for requests; asked by redis")


def test_without_the_option_an_entry_is_for_all() -> None:
    evidence = Log().host("api.example.org", *stack("requests")).evidence()
    assert entries(learn(evidence, Tiers(evidence))) == ["host: api.example.org"]


def test_two_entries_for_one_host_may_be_for_different_packages() -> None:
    text = """
version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - {host: api.example.org, only_for: [stripe]}
      - {host: api.example.org, only_for: [requests]}
"""
    refuse_dead_entries(resolve(parse("p.yaml", text.encode()), "p"))
