"""`fix` again and again: names of later invocations end in patterns, and no line stays unused."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.evidence.fix import fix
from fshield.language.loader import load
from fshield.language.policy import Family, Mode
from tests.fshield.recorded import Log, stack


def shapes_of(chance: random.Random, round_: int) -> dict[str, list[str]]:
    """The paths under /tmp that honest functions use in one invocation."""
    eight = [
        "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789_", k=8)) for _ in range(6)
    ]
    user = chance.choice(["alice", "bob", "carol", "dave", "erin"]) + str(round_)
    made = uuid.UUID(int=chance.getrandbits(128))
    return {
        "tempfile": [f"/tmp/{eight[0]}", f"/tmp/tmp{eight[1]}", f"/tmp/tmp{eight[2]}/part.bin"],
        "prefixes": [f"/tmp/job-{eight[3]}", f"/tmp/job-{eight[3]}/a/{user}.bin"],
        "suffixes": [f"/tmp/{eight[4]}.csv", f"/tmp/upload_{eight[5]}_small.png"],
        "uuids": [f"/tmp/{made}.pdf", f"/tmp/{made.hex}/page-{round_}.png"],
        "numbers": [f"/tmp/job-{chance.randrange(10**6)}.log", f"/tmp/out/chunk-{round_}.bin"],
        "users": [f"/tmp/out/{user}.json", f"/tmp/out/{user}-{round_}.csv", "/tmp/out/index.html"],
        "siblings": [f"/tmp/thumb-{user}.png", f"/tmp/photo{round_}.jpg", "/tmp/fixed.db"],
        "folders": [f"/tmp/user-{user}/in.csv", f"/tmp/user-{user}/out.csv"],
    }


@pytest.mark.parametrize("name", list(shapes_of(random.Random(0), 0)))
@pytest.mark.parametrize("seed", range(3))
def test_ten_rounds_of_enforce_and_fix_leave_no_dead_line(
    tmp_path: Path, name: str, seed: int
) -> None:
    chance = random.Random(f"{name}{seed}")
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  read_write_tmp: block\n")
    used: set[str] = set()
    for round_ in range(12):
        paths = shapes_of(chance, round_)[name]
        compiled = native.Compiled(compile_policy(load(policy)))
        verdicts = {path: compiled.decide(Family.TMP, path=path) for path in paths}
        blocked = [path for path, verdict in verdicts.items() if verdict.mode is Mode.BLOCK]
        if round_ >= 10:
            assert blocked == [], policy.read_text()
            used |= {str(verdict.source) for verdict in verdicts.values()}
        log = Log()
        for path in blocked:
            log.add("read_write_tmp", path=path, operation="create", mode="block")
        if blocked:
            written = str(log.write(tmp_path / "log"))
            done = CliRunner().invoke(app, ["fix", "-p", str(policy), "-w", written])
            assert done.exit_code == 0, done.output
            assert CliRunner().invoke(app, ["check", str(policy)]).exit_code == 0
    dead = [entry.text for entry in load(policy).allows if entry.source not in used]
    assert dead == [], policy.read_text()


def test_siblings_in_the_policy_become_one_pattern_with_a_new_name(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n    allow:\n"
        "      - /tmp/thumb-a.png  # once\n"
        "      - {path: /tmp/thumb-b.png, reason: it must stay}\n"
        "      - /tmp/other  # mine\n"
        "tests:\n  - blocked: {open: /tmp/thumb-secret.png}\n"
    )
    log = Log().add("read_write_tmp", path="/tmp/thumb-c.png", operation="open")
    found = fix(policy, log.evidence())
    # The pattern would allow what a test of the policy forbids.
    assert [line.text for line in found.lines] == ["/tmp/thumb-c.png"]
    log.add("read_write_tmp", path="/tmp/thumb-d.png", operation="open")
    found = fix(policy, log.evidence())
    assert [line.text for line in found.lines] == ["/tmp/thumb-c.png", "/tmp/thumb-d.png"]
    log = Log().add("read_write_tmp", path="/tmp/thumb-c.png", operation="open")
    policy.write_text(policy.read_text().partition("tests:")[0])
    found = fix(policy, log.evidence())
    assert [line.text for line in found.lines] == ['"/tmp/thumb-*.png"']
    assert "thumb-a" not in found.changed and "it must stay" in found.changed
    assert "- /tmp/other  # mine" in found.changed


def test_sqlite_s_journal_beside_a_database_of_the_policy(tmp_path: Path) -> None:
    """The event has no stack, and the journal has a different name each time."""
    policy = tmp_path / "p.yaml"
    text = "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n    allow:\n"
    policy.write_text(f'{text}      - "/tmp/cache-*.new"\n      - /tmp/offers.db\n')
    library = {"ring": "libc", "origin": None}
    log = Log()
    for path in ("/tmp/cache-9.new-journal", "/tmp/offers.db-wal", "/tmp/other.db-wal"):
        log.add("read_write_tmp", path=path, operation="create", **library)
    found = fix(policy, log.evidence())
    wanted = ['"/tmp/cache-*.new-journal"', "/tmp/offers.db-wal"]
    assert sorted(line.text for line in found.lines) == wanted
    assert [held.act.target for held in found.held] == ["/tmp/other.db-wal"]
    known = stack("tintkit", "", runtime=False)
    log = Log().add("read_write_tmp", *known, path="/tmp/offers.db-wal", operation="create")
    assert fix(policy, log.evidence()).lines == []
