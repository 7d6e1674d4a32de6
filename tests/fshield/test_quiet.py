"""`read_handler: {quiet: [...]}`: reads that make no event do not count as broken by a policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled, Facts
from fshield.evidence.fix import fix
from fshield.evidence.replay import replay
from fshield.language import edit
from fshield.language.loader import load, resolve
from fshield.language.reader import parse
from tests.fshield.recorded import Log, stack

SENTRY = "/var/task/sentry_sdk/utils.py:487 get_lines_from_file"
THIEF = "/var/task/tintkit/__init__.py:3 steal"
SOURCE = {"path": "/var/task/app.py", "operation": "read"}
#: The text of a rule, and the names that it makes quiet.
FORMS = [
    (None, ()),
    (" block", ()),
    (" alert  # for now", ()),
    (" {mode: block}", ()),
    (" {mode: block, also: [/var/task/lib/**]}  # kept", ()),
    (" {mode: block, }", ()),
    (" {mode: block, quiet: []}", ()),
    (" {mode: block, quiet: [rollbar]}", ("rollbar",)),
    (" {quiet: [rollbar,\n      bugsnag],\n    mode: block}", ("rollbar", "bugsnag")),
    ("\n    mode: block", ()),
    ("\n    # first\n    mode: block  # kept\n    # last", ()),
    ("\n    quiet: [rollbar]  # kept\n    mode: block", ("rollbar",)),
    ("\n    mode: block\n    quiet:\n      - rollbar  # kept\n      # below", ("rollbar",)),
    ("\n    mode: block\n    quiet:\n    - rollbar", ("rollbar",)),
]


def read(*frames: str) -> Log:
    return Log().add("read_handler", *frames, *stack(), **SOURCE)


def policy(folder: Path, rule: str) -> Path:
    path = folder / "p.yaml"
    path.write_text(f"version: 1\npolicy:\n  outbound_connectivity: block\n  read_handler:{rule}\n")
    return path


@pytest.mark.parametrize(("form", "there"), FORMS)
def test_quiet_is_added_to_every_form_of_the_rule(form: str | None, there: tuple[str, ...]) -> None:
    own = "" if form is None else f"  read_handler:{form}\n"
    text = (
        f"version: 1\npolicy:\n  outbound_connectivity: block\n{own}  runtime_api: block\n# end\n"
    )
    document = parse("p.yaml", text.encode())
    changed, made = edit.with_entries(document, "p", [], quiet=["sentry-sdk"])
    assert sorted(made.quiet_readers) == sorted([*there, "sentry-sdk"])
    before = resolve(document, "p")
    assert made.modes.keys() == before.modes.keys() and made.also_source == before.also_source
    assert [one.mode for one in made.modes.values()] == [one.mode for one in before.modes.values()]
    assert changed.count("#") == text.count("#")
    assert sum(line.startswith("-") for line in edit.difference(document, changed)) <= 2


def test_replay_counts_what_the_policy_tells(tmp_path: Path) -> None:
    loud, quiet = (
        Compiled(compile_policy(load(policy(tmp_path, rule))))
        for rule in (" block", " {mode: block, quiet: [sentry_sdk]}")
    )
    log = read(SENTRY)
    (found,) = replay(loud, log.evidence(), Facts())
    assert found.would_break and not found.quiet
    (found,) = replay(quiet, log.evidence(), Facts())
    assert found.quiet and not found.would_break
    # The same file, also read by another package.
    (found,) = replay(quiet, read(SENTRY).add("read_handler", THIEF, **SOURCE).evidence(), Facts())
    assert found.would_break


def test_replay_ends_with_0_where_all_is_quiet(tmp_path: Path) -> None:
    log = str(read(SENTRY).write(tmp_path / "log"))
    run = CliRunner()
    chosen = str(policy(tmp_path, " {mode: block, quiet: [sentry-sdk]}"))
    done = run.invoke(app, ["replay", "--policy", chosen, log])
    assert done.exit_code == 0, done.output
    chosen = str(policy(tmp_path, " block"))
    assert run.invoke(app, ["replay", "--policy", chosen, log]).exit_code == 1


@pytest.mark.parametrize("command", ["learn", "fix"])
def test_learn_and_fix_add_it_to_a_policy(tmp_path: Path, command: str) -> None:
    path = policy(tmp_path, " block  # why")
    log = str(read(SENTRY).write(tmp_path / "log"))
    words = {
        "learn": ["learn", "--into", str(path), "--yes", log],
        "fix": ["fix", "-p", str(path), "-w", log],
    }[command]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "  read_handler: {mode: block, quiet: [sentry-sdk]}  # why\n" in path.read_text()
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0 and "+" not in again.stdout


def test_fix_says_nothing_of_what_is_quiet(tmp_path: Path) -> None:
    path = policy(tmp_path, " {mode: block, quiet: [sentry-sdk]}")
    found = fix(path, read(SENTRY).evidence())
    assert not found.diff and not found.hopeless and not found.quiet
    # A read by another package is still refused.
    found = fix(path, read(THIEF).evidence())
    assert not found.diff and "takes no exceptions" in found.hopeless[0][1]
