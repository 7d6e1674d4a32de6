"""The pytest plugin runs a marked test under the guard, and reports it like any other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support import LAYER, clean_environment

TESTS = """
import os
import socket
import sys

import pytest

guarded = pytest.mark.function_shield


@pytest.fixture(scope="module")
def module():
    print("module fixture set up")
    yield os.getpid()


def test_before(module):
    assert "function_shield" not in sys.modules


@guarded
def test_writes(function_shield, tmp_path, capsys):
    (tmp_path / "x").write_text("1")
    with pytest.raises(PermissionError):
        open("/tmp/of-a-test", "w")
    function_shield.assert_blocked("read_write_tmp", path="/tmp/of-a-test")
    function_shield.assert_quiet("outbound_connectivity")
    print("out")
    assert capsys.readouterr().out == "out\\n"


@guarded(policy="monitor")
def test_reported(function_shield):
    with socket.socket() as s:
        s.settimeout(0.2)
        s.connect_ex(("127.66.66.66", 9))
    function_shield.assert_reported("outbound_connectivity", ip="127.66.66.66", mode="alert")
    with pytest.raises(AssertionError, match="nothing was blocked like"):
        function_shield.assert_blocked("outbound_connectivity")
    with pytest.raises(AssertionError, match="127.66.66.66"):
        function_shield.assert_quiet()


@guarded("mine.yaml")
@pytest.mark.parametrize("name", ["a b", "/tmp/\\u00e9::x]", "allowed"])
def test_policy_file(name, function_shield):
    if name == "allowed":
        open("/tmp/function-shield-plugin-test", "w").close()
        os.unlink("/tmp/function-shield-plugin-test")
    else:
        print("out of", name)
        open("/tmp/of-a-test", "w")


@guarded(policy="strict")
def test_the_runner_is_not_the_test(function_shield):
    function_shield.assert_quiet()


@guarded(policy="missing")
def test_no_such_policy():
    raise AssertionError("must not run")


@guarded(colour="red")
def test_wrong_argument():
    raise AssertionError("must not run")


@guarded
@pytest.mark.skip(reason="as it says")
def test_skipped():
    pass


@guarded
@pytest.mark.xfail(reason="known", strict=True)
def test_xfail():
    assert 0


@guarded(env={"COLOUR": "red"})
def test_environment(module):
    assert os.environ["COLOUR"] == "red" and module == os.getpid()


@guarded
def test_dies():
    os.write(1, b"last words")
    os.kill(os.getpid(), 9)


@guarded(timeout=3)
def test_hangs():
    import time
    time.sleep(60)


def test_fixture_without_the_mark(function_shield):
    pass


@guarded(handler="app.handler")
def test_handlers_source(function_shield):
    import app
    assert app.handler({}, None) == "done"
    with pytest.raises(PermissionError):
        open(app.__file__)
    function_shield.assert_blocked("read_handler", path=app.__file__)


@guarded(handler="none.handler")
def test_no_such_handler():
    raise AssertionError("must not run")


def test_after(module):
    assert module == os.getpid()
    library = {"boto3", "pydantic", "rich", "structlog", "typer", "yaml"}
    assert not library & set(sys.modules)
"""
HANDLER = "def handler(event, context):\n    return 'done'\n"
POLICY = (
    "version: 1\npolicy:\n  read_write_tmp: {mode: block, allow:"
    " [/tmp/function-shield-plugin-test]}\n"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "test_it.py").write_text(TESTS)
    (folder / "mine.yaml").write_text(POLICY)
    (folder / "app.py").write_text(HANDLER)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    return folder


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp=tmp", *arguments],
        cwd=project,
        env=clean_environment(
            {"FSHIELD_LAYER": str(LAYER), "FSHIELD_CACHE": str(project / "cache"), "COLUMNS": "200"}
        ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def whole(project: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """One run of all tests."""
    yield run(project, "-rA", "--junitxml=junit.xml", "test_it.py")


@pytest.fixture(scope="module")
def outcomes(whole: subprocess.CompletedProcess[str], project: Path) -> dict[str, str]:
    found = {}
    for case in ElementTree.parse(project / "junit.xml").iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[case.attrib["name"]] = kinds[0] if kinds else "passed"
    return found


def test_outcomes_are_those_of_the_guarded_process(outcomes: dict[str, str]) -> None:
    assert {name: kind for name, kind in outcomes.items() if "policy_file" not in name} == {
        "test_before": "passed",
        "test_writes": "passed",
        "test_reported": "passed",
        "test_the_runner_is_not_the_test": "passed",
        "test_no_such_policy": "error",
        "test_wrong_argument": "error",
        "test_skipped": "skipped",
        "test_xfail": "skipped",
        "test_environment": "passed",
        "test_dies": "failure",
        "test_hangs": "error",
        "test_fixture_without_the_mark": "error",
        "test_handlers_source": "passed",
        "test_no_such_handler": "error",
        "test_after": "passed",
    }
    assert [kind for name, kind in outcomes.items() if "policy_file" in name] == [
        "failure",
        "failure",
        "passed",
    ]


def test_the_traceback_and_the_events_come_back(whole: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r'> +open\("/tmp/of-a-test", "w"\)', whole.stdout)
    assert "function_shield.PolicyViolation: [Errno 13] read_write_tmp" in whole.stdout
    assert (
        "block: test_it tried to create /tmp/of-a-test: blocked, no rule allows it" in whole.stdout
    )
    assert "out of a b" in whole.stdout and "last words" in whole.stdout
    assert "the guarded process was ended by signal 9" in whole.stdout
    assert "it did not end within 3 s" in whole.stdout


def test_mistakes_say_what_to_do(whole: subprocess.CompletedProcess[str]) -> None:
    assert "no policy 'missing'" in whole.stdout and "must not run" not in whole.stdout
    assert "the marker function_shield takes policy, env, timeout, handler" in whole.stdout
    assert "mark it with @pytest.mark.function_shield" in whole.stdout


def test_the_configuration_has_defaults(project: Path) -> None:
    """Defaults for the policy, and for the handler whose source is protected."""
    other = project / "test_defaults.py"
    other.write_text(
        "import pytest\n\n\n@pytest.mark.function_shield\ndef test_it(function_shield):\n"
        "    import app\n    open(app.__file__).close()\n"
        "    function_shield.assert_reported('read_handler', mode='alert')\n"
    )
    options = ("-o", "function_shield_policy=monitor", "-o", "function_shield_handler=app.handler")
    done = run(project, *options, other.name)
    assert done.returncode == 0, done.stdout
    other.unlink()


def test_fixtures_before_and_after_are_shared(
    whole: subprocess.CompletedProcess[str], project: Path
) -> None:
    # Once here, for the tests without a mark. Each marked test runs in a separate process.
    junit = (project / "junit.xml").read_text()
    assert "INTERNALERROR" not in whole.stdout + whole.stderr and junit.count("<testsuite ") == 1


def test_nothing_stays_behind(whole: subprocess.CompletedProcess[str], project: Path) -> None:
    assert list((project / "cache" / "pytest").iterdir()) == []
    assert not Path("/tmp/of-a-test").exists()


def test_selection_and_stopping_work_as_ever(project: Path) -> None:
    done = run(project, "-x", "-v", "-k", "policy_file or after")
    assert done.returncode == 1 and "1 failed" in done.stdout and "passed" not in done.stdout
    done = run(project, "-k", "policy_file and allowed", "test_it.py")
    assert done.returncode == 0 and "1 passed" in done.stdout


def test_a_file_that_cannot_be_imported_under_the_guard_fails_its_tests(project: Path) -> None:
    other = project / "test_import.py"
    other.write_text(
        "import os, pytest\npytestmark = pytest.mark.function_shield\nif"
        " os.environ.get('FUNCTION_SHIELD_POLICY'):\n    open('/tmp/at-import', 'w')\ndef"
        " test_it(): pass\n"
    )
    done = run(project, other.name)
    assert done.returncode == 1 and "1 error" in done.stdout
    assert "open('/tmp/at-import', 'w')" in done.stdout and "PolicyViolation" in done.stdout
    other.unlink()


def test_where_it_is_not_used_nothing_of_it_is_imported(project: Path) -> None:
    code = (
        "import sys, pytest\ncode = pytest.main(['-q', '-p', 'no:cacheprovider', '-k', 'before',"
        " 'test_it.py'])\nprint(sorted(name for name in sys.modules if"
        " name.startswith('fshield')))\nprint([name for name in ('boto3', 'pydantic', 'rich',"
        " 'typer', 'yaml') if name in sys.modules])\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-2:] == [
        "['fshield', 'fshield.testing', 'fshield.testing.plugin', 'fshield.version']",
        "[]",
    ]
    assert "FUNCTION_SHIELD_POLICY" not in os.environ
