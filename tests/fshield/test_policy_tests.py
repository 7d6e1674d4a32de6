"""The ``tests:`` of a policy: what they mean, how a failure looks, and that a policy with a failing
test is never packed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.cli.keywords import keyword
from fshield.engine.compiler import compile_policy
from fshield.engine.policy_tests import WORDS, run
from fshield.errors import CouldNotRun, PolicyError
from fshield.language.loader import load
from tests.support import ROOT

POLICY = """\
version: 1
policy:
  outbound_connectivity:
    allow:
      - host: "*.example.org"
      - cidr: 10.0.0.0/8
        ports: [5432]
  read_write_tmp: {mode: block, allow: [/tmp/cache/**]}
  create_child_process: {mode: block, allow: [/usr/bin/uname]}
  native_code: {mode: block, allow: [numpy]}
"""


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def policy(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(tests: str, name: str = "shop.yaml") -> Path:
        path = tmp_path / name
        path.write_text(POLICY + tests)
        return path

    return write


PASSING = [
    "allowed: {connect: www.example.org}",
    'allowed: {connect: "www.example.org:443"}',
    'allowed: {connect: "10.1.2.3:5432"}',
    "allowed: {look_up: a.b.example.org}",
    "allowed: {open: /tmp/cache/x/y}",
    "allowed: {exec: /usr/bin/uname}",
    "allowed: {load: numpy}",
    'allowed: {connect: ["127.0.0.1:9", "[::1]:9"]}',
    "blocked: {connect: example.org}",
    'blocked: {connect: "www.example.org:80"}',
    "blocked: {connect: 10.1.2.3}",
    'blocked: {connect: "[2001:db8::1]:443"}',
    "blocked: {connect: 2001:db8::1}",
    "blocked: {look_up: example.net}",
    "blocked: {open: [/tmp, /tmp/x]}",
    "blocked: {exec: /bin/sh, load: _ctypes, read_source: /var/task/app.py}",
]
OPPOSITE = {"allowed": "blocked", "blocked": "allowed"}


@pytest.mark.parametrize("case", PASSING)
def test_each_act_is_put_to_the_engine(policy, case: str) -> None:  # type: ignore[no-untyped-def]
    code, out = invoke("test", str(policy(f"tests:\n  - {case}\n")))
    assert code == 0, out
    verdict = case.split(":", maxsplit=1)[0]
    code, out = invoke(
        "test", str(policy(f"tests:\n  - {case.replace(verdict, OPPOSITE[verdict])}\n"))
    )
    assert code == 1, "this test cannot fail"
    assert f"- {OPPOSITE[verdict]}" in out and f"+ {verdict}" in out


def test_facts_of_the_function(policy) -> None:  # type: ignore[no-untyped-def]
    path = policy("")
    path.write_text("""\
version: 1
policy:
  outbound_connectivity:
    allow: [aws: {s3: {buckets: ["${env:BUCKET}"]}}]
tests:
  - allowed: {connect: mine.s3.eu-central-1.amazonaws.com}
    region: eu-central-1
    env: {BUCKET: mine}
  - blocked: {connect: [theirs.s3.eu-central-1.amazonaws.com, mine.s3.eu-west-1.amazonaws.com]}
    region: eu-central-1
    env: {BUCKET: mine}
  - blocked: {connect: mine.s3.eu-central-1.amazonaws.com}
    region: eu-central-1
""")
    code, out = invoke("test", str(path))
    assert code == 0, out
    path.write_text(path.read_text().replace("{BUCKET: mine}", "{BUCKET: other}"))
    assert invoke("test", str(path))[0] == 1
    path.write_text(path.read_text().replace("{BUCKET: other}", "[BUCKET]"))
    code, out = invoke("test", str(path))
    assert code == 2 and "is not an environment" in out


def test_a_failure_is_a_diff_with_both_lines(policy) -> None:  # type: ignore[no-untyped-def]
    tests = (
        "tests:\n  - blocked:\n      connect: [evil.test, www.example.org]\n    reason: nobody but"
        " us\n"
    )
    code, out = invoke("test", str(policy(tests)))
    assert code == 1
    lines = out.splitlines()
    assert lines[0].endswith("shop.yaml:13  connect www.example.org")
    assert lines[1:4] == [
        "  - blocked",
        "  + allowed    an allow entry matches: host: *.example.org  shop.yaml:5",
        "    nobody but us",
    ]
    assert lines[-1] == "1 failed, 1 passed in 1 policy"


def test_json_has_every_test(policy) -> None:  # type: ignore[no-untyped-def]
    code, out = invoke(
        "test",
        str(policy("tests: [{allowed: {exec: /bin/sh}}, {blocked: {open: /tmp/x}}]\n")),
        "--json",
    )
    found = json.loads(out)
    assert code == 1
    assert (found["ok"], found["failed"], found["passed"]) == (False, 1, 1)
    assert [(test["act"], test["expected"], test["got"]) for test in found["tests"]] == [
        ("exec", "allowed", "blocked"),
        ("open", "blocked", "blocked"),
    ]


def test_no_tests_are_no_success(policy) -> None:  # type: ignore[no-untyped-def]
    code, out = invoke("test", str(policy("")))
    assert code == 2 and "no test was run" in out
    code, out = invoke(
        "test", str(policy("tests: [{blocked: {exec: /bin/sh}}]\n")), "-k", "nothing"
    )
    assert code == 2 and "none matches" in out


def test_keywords_choose(policy) -> None:  # type: ignore[no-untyped-def]
    path = policy("tests: [{allowed: {exec: /bin/sh}}, {blocked: {open: /tmp/x}}]\n")
    assert invoke("test", str(path), "-k", "open")[0] == 0
    assert invoke("test", str(path), "-k", "not open")[0] == 1
    assert invoke("test", str(path), "-k", "open and")[0] == 2


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "b", "c", "not a", "not (b or c)", "(a and b)"]),
        min_size=1,
        max_size=5,
    ),
    st.data(),
)
def test_keywords_mean_what_python_means(words: list[str], data: st.DataObject) -> None:
    expression = words[0]
    for word in words[1:]:
        expression += data.draw(st.sampled_from([" and ", " or "])) + word
    name = "".join(data.draw(st.sets(st.sampled_from("abc"))))
    values = {letter: letter in name for letter in "abc"}
    assert keyword(expression)(name) is eval(expression, {"__builtins__": {}}, values)


def test_tests_never_reach_the_engine(policy) -> None:  # type: ignore[no-untyped-def]
    with_tests = compile_policy(load(policy("tests: [{blocked: {exec: /bin/sh}}]\n")))
    assert with_tests == compile_policy(load(policy("")))


def test_a_failing_policy_is_not_packed(policy: Any, tmp_path: Path) -> None:
    path = policy("tests:\n  - allowed: {exec: /bin/sh}\n")
    out = tmp_path / "out" / "policies.zip"
    out.parent.mkdir()
    code, printed = invoke("package", str(path.parent), "-o", str(out))
    assert code == 2 and not out.exists()
    assert "shop.yaml:12" in printed and "this test wants it allowed" in printed
    policy("tests:\n  - blocked: {exec: /bin/sh}\n")
    assert invoke("package", str(path.parent), "-o", str(out))[0] == 0 and out.exists()


@pytest.mark.parametrize(
    ("tests", "printed"),
    [
        ("tests: {}", "`tests` is a list"),
        ("tests:", "`tests` is a list"),
        ("tests: [{}]", "does not say which verdict"),
        ("tests: [{allow: {exec: /bin/sh}}]", "did you mean `allowed`?"),
        ("tests: [{alowed: {exec: /bin/sh}}]", "did you mean `allowed`?"),
        ("tests: [{allowed: www.example.org}]", "{connect: www.example.org}"),
        ("tests: [{allowed: {}}]", "nothing in it"),
        ("tests: [{allowed: }]", "nothing in it"),
        ("tests: [{allowed: {conect: a.example.org}}]", "did you mean `connect`?"),
        ("tests: [{allowed: {connect: []}}]", "the list is empty"),
        ('tests: [{allowed: {connect: "a.example.org:0"}}]', "is not a port"),
        ('tests: [{allowed: {connect: "a.example.org:70000"}}]', "is not a port"),
        ('tests: [{allowed: {connect: "https://a.example.org/"}}]', "a.example.org"),
        ('tests: [{allowed: {connect: "*.example.org"}}]', "is a pattern"),
        ('tests: [{allowed: {connect: "a:b:c"}}]', "read in two ways"),
        ("tests: [{allowed: {open: /etc/passwd}}]", "not under /tmp"),
        ("tests: [{allowed: {open: /tmp/*}}]", "is a pattern"),
        ("tests: [{allowed: {exec: sh}}]", "not absolute"),
        ("tests: [{allowed: {exec: 5}}]", "is not text"),
    ],
)
def test_bad_input_has_a_place_and_a_fix(
    policy: Callable[[str], Path], tests: str, printed: str
) -> None:
    path = policy(tests + "\n")
    code, out = invoke("test", str(path))
    assert code == 2
    assert f"{path}:11:" in out and printed in out, out
    assert len(out.splitlines()) <= 12


def test_the_policies_that_we_ship_carry_tests_and_pass() -> None:
    paths = sorted((ROOT / "policies").glob("*.yaml"))
    assert {"default.yaml", "strict.yaml"} <= {path.name for path in paths}
    for path in paths:
        results = run(load(path))
        assert results, f"{path.name} carries no tests"
        assert all(result.passed for result in results), [
            (result.name, WORDS[result.answer.mode]) for result in results if not result.passed
        ]


def test_a_wrong_policy_does_not_hide_the_others(policy) -> None:  # type: ignore[no-untyped-def]
    good = policy("tests: [{allowed: {exec: /bin/sh}}]\n", "a.yaml")
    policy("tests: [{}]\n", "b.yaml")
    code, out = invoke("test", str(good.parent))
    assert code == 2 and "1 failed" in out and "b.yaml:11" in out
    with pytest.raises(PolicyError):
        load(good.parent / "b.yaml")


@pytest.mark.parametrize(
    "expression", ["not " * 5000 + "a", "(" * 5000 + "a" + ")" * 5000, " or ".join("a" * 5000)]
)
def test_an_expression_of_any_length_has_an_answer(expression: str) -> None:
    with pytest.raises(CouldNotRun, match="words and brackets"):
        keyword(expression)


def test_the_longest_expressions_are_read() -> None:
    assert keyword("not " * 98 + "a")("a") and keyword("(" * 49 + "a" + ")" * 49)("a")
    assert keyword(" or ".join("b" * 49 + "a"))("a")
