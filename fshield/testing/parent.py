"""Runs a marked test in a guarded process, and passes its reports on.

It imports pytest and the standard library only, as the plugin does: a tested project keeps the
modules and versions that it has without fshield.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fshield.testing.shield import of_runner, read

_ARGUMENTS = ("policy", "env", "timeout", "handler")
_REFUSED = 78
_PREPARE_S = 60
#: Categories of characters that a terminal would act on, or a reader would not see.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class _CannotRun(Exception):
    """The test could not be run under the guard; the message says why."""


def protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run `item` guarded. Takes the place of pytest's own protocol."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports(item):
        item.ihook.pytest_runtest_logreport(report=report)
    _tear_down(item, nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _tear_down(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End fixtures of earlier tests that the next test does not share. pytest does not, because
    this test was not set up here.
    """
    # There is no public way: pytest's own teardown hooks expect that the setup hooks ran.
    call = pytest.CallInfo.from_call(
        lambda: item.session._setupstate.teardown_exact(nextitem),
        when="teardown",
        reraise=(pytest.exit.Exception,),
    )
    if call.excinfo is not None:
        item.ihook.pytest_runtest_logreport(
            report=item.ihook.pytest_runtest_makereport(item=item, call=call)
        )


def _reports(item: pytest.Item) -> list[pytest.TestReport]:
    if sys.platform != "linux":
        return _made(
            item,
            "skipped",
            (str(item.path), item.location[1] or 0, "Skipped: the guard runs on Linux"),
        )
    try:
        marked = _marked(item)
        prepared = _prepared(item, marked.policy)
        with _folder(prepared["folder"]) as folder:
            return _run(item, folder, marked, prepared)
    except _CannotRun as error:
        return _made(item, "failed", str(error))


@dataclass(frozen=True)
class _Marked:
    """The marker's arguments."""

    policy: str
    env: dict[str, str]
    timeout: float | None
    handler: str


#: Cached answers of `prepare`, because a suite asks the same for each of its tests.
_known: dict[str, dict[str, str]] = {}


def _prepared(item: pytest.Item, policy: str) -> dict[str, str]:
    """The launcher, the policy's variable, and a folder outside /tmp. Raises _CannotRun."""
    named = item.config.rootpath / policy
    asked = json.dumps(
        {
            "policy": str(named) if named.is_file() else policy,
            "places": [["the interpreter", sys.executable], ["the test", str(item.path)]],
            "blocks": os.environ.get("FUNCTION_SHIELD_MODE") not in {"alert", "off"},
            # An edited policy is a different one.
            "changed": named.stat().st_mtime_ns if named.is_file() else 0,
        }
    )
    if asked not in _known:
        done = subprocess.run(
            [sys.executable, "-m", "fshield.testing.prepare"],
            input=asked,
            capture_output=True,
            text=True,
            timeout=_PREPARE_S,
            check=False,
        )
        if done.returncode != 0:
            raise _CannotRun(f"fshield cannot run here:\n{done.stderr.strip()[-2000:]}")
        _known[asked] = json.loads(done.stdout)
    if "problem" in _known[asked]:
        raise _CannotRun(_known[asked]["problem"])
    return _known[asked]


@contextmanager
def _folder(beside: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(
    item: pytest.Item, folder: Path, marked: _Marked, prepared: dict[str, str]
) -> list[pytest.TestReport]:
    capture = item.config.getoption("capture", "fd")
    task = {"nodeid": item.nodeid, "arguments": _arguments(item, folder, capture), "path": sys.path}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    events = folder / "events.jsonl"
    variables = {
        "FUNCTION_SHIELD_POLICY": prepared["variable"],
        "FUNCTION_SHIELD_EVENTS": str(events),
    }
    if marked.handler:
        # What Lambda sets: `read_handler` protects the module that they name.
        variables |= {
            "_HANDLER": marked.handler,
            "LAMBDA_TASK_ROOT": str(item.config.rootpath),
        }
    try:
        done = subprocess.run(
            [prepared["launcher"], sys.executable, "-m", "fshield.testing.child", folder],
            env={**os.environ, **marked.env, **variables},
            cwd=item.config.invocation_params.dir,
            stdin=subprocess.DEVNULL,
            stdout=None if capture == "no" else subprocess.PIPE,
            stderr=None if capture == "no" else subprocess.STDOUT,
            timeout=marked.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _CannotRun(
            f"it did not end within {marked.timeout} s\n{_text(error.output)}"
        ) from None
    return _read(item, folder, done)


def _marked(item: pytest.Item) -> _Marked:
    """The marker's arguments, the nearest marker's first, then those of the configuration."""
    found: dict[str, Any] = {}
    for mark in item.iter_markers("function_shield"):
        given = {**dict(zip(_ARGUMENTS, mark.args, strict=False)), **mark.kwargs}
        if len(mark.args) > len(_ARGUMENTS) or set(given) - set(_ARGUMENTS):
            raise _CannotRun(f"the marker function_shield takes {', '.join(_ARGUMENTS)}")
        found = given | found
    env = {str(key): str(value) for key, value in (found.get("env") or {}).items()}
    policy = found.get("policy") or item.config.getini("function_shield_policy")
    handler = str(found.get("handler") or item.config.getini("function_shield_handler"))
    if handler and not _handler_is_there(item.config.rootpath, handler):
        raise _CannotRun(f"handler={handler!r}: no such module in {item.config.rootpath}")
    return _Marked(str(policy), env, found.get("timeout"), handler)


def _handler_is_there(root: Path, handler: str) -> bool:
    """Whether Lambda would find the handler's module in `root`: ``app.handler``,
    ``package.module.handler``, ``folder/app.handler``."""
    module = root.joinpath(*handler.rpartition(".")[0].replace(".", "/").split("/"))
    return module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()


def _arguments(item: pytest.Item, folder: Path, capture: str) -> list[str]:
    """The run's own options, and in the place of its paths this test's file."""
    config = item.config
    given = list(config.invocation_params.args)
    for path in reversed(getattr(config.known_args_namespace, "file_or_dir", None) or []):
        at = next((at for at in range(len(given) - 1, -1, -1) if str(given[at]) == path), None)
        if at is not None:
            del given[at]
    more = [
        f"--rootdir={config.rootpath}",
        f"--basetemp={folder / 'tmp'}",
        # A file is where pytest's own capture keeps output, in /tmp.
        "--capture=no" if capture == "no" else "--capture=sys",
        "-o",
        f"cache_dir={folder / 'cache'}",
    ]
    # What runs tests in other processes, or counts in them, has done so already.
    for plugin, option in (("xdist", "-n0"), ("pytest_cov", "--no-cov")):
        if config.pluginmanager.has_plugin(plugin):
            more.append(option)
    return [*map(str, given), *more, str(item.path)]


def _read(
    item: pytest.Item, folder: Path, done: subprocess.CompletedProcess[bytes]
) -> list[pytest.TestReport]:
    """What the guarded process reported; where it broke off, a failure that says how."""
    config, reports, collect = item.config, [], ""
    for data in _lines(folder / "reports.jsonl"):
        if "collect" in data:
            collect = str(data["collect"])
            continue
        report = config.hook.pytest_report_from_serializable(config=config, data=data)
        # Always attribute the report to this test.
        if isinstance(report, pytest.TestReport) and report.nodeid == item.nodeid:
            if report.skipped and isinstance(report.longrepr, list):
                report.longrepr = tuple(
                    report.longrepr
                )  # JSON has no tuples, and pytest asks for one
            reports.append(report)
    output = _text(done.stdout)
    whole = bool(reports) and reports[-1].when == "teardown"
    if not whole:
        why = collect or _ended(done.returncode)
        when = "setup" if not reports else "call"
        reports += _made(item, "failed", f"{why}\n{output}".strip(), when)
    sentences = _event_lines(folder / "events.jsonl")
    sections = [("function_shield", sentences)] if sentences else []
    sections += [("Output past pytest's capture", output)] if output and whole else []
    for report in reports:
        report.sections += sections
    return reports


def _ended(code: int) -> str:
    if code == _REFUSED:
        return "the guard refused to start the test:"
    if code < 0:
        return f"the guarded process was ended by signal {-code}"
    return f"the guarded process ended with status {code} before the test did"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in content.splitlines():
        try:
            data = json.loads(line)
        except ValueError:
            continue
        if isinstance(data, dict):
            yield data


def _event_lines(events: Path) -> str:
    """The events' sentences, for a failed test."""
    sentences = [
        f"{event.get('mode') or event.get('event')}: {event.get('message')}"
        for event in read(events)
        if event.get("event") != "armed" and not of_runner(event)
    ]
    return "\n".join(_harmless(line) for line in sentences)


def _harmless(text: str) -> str:
    """`text` with escapes for what a terminal would act on."""
    return "".join(
        c if unicodedata.category(c) not in _HARMFUL else c.encode("unicode_escape").decode()
        for c in text
    )


def _made(
    item: pytest.Item, outcome: Any, longrepr: Any, when: Any = "setup"
) -> list[pytest.TestReport]:
    """A report of our own."""
    keywords: dict[str, Any] = dict.fromkeys(item.keywords, 1)
    return [
        pytest.TestReport(item.nodeid, item.location, keywords, outcome, longrepr, when),
        pytest.TestReport(item.nodeid, item.location, keywords, "passed", None, "teardown"),
    ]


def _text(output: bytes | str | None) -> str:
    return output if isinstance(output, str) else (output or b"").decode("utf-8", "replace").strip()
