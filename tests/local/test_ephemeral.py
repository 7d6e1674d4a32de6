"""`read_write_tmp: {mode: ephemeral}` over several invocations: an invocation may use what it
makes, and the next finds none of it."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import Function
from tests import forked

BASE = """
version: 1
policy:
  default: block
  read_write_tmp:
    mode: ephemeral
    keep: ["/tmp/{name}-kept/**", "/tmp/{name}-part/**/*.keep"]
  create_child_process: {{mode: block, allow: [/usr/bin/**, /bin/**]}}
  native_code: alert
"""
HEAD = """
import json, os, sqlite3, subprocess, tempfile, threading, time
NAME = "/tmp/NAME"

def write(path, text="x"):
    with open(path, "w") as file:
        file.write(text)

def read(path):
    with open(path) as file:
        return file.read()

def attempt(act, *arguments):
    try:
        return act(*arguments)
    except OSError as error:
        return error.errno
"""


@pytest.fixture
def name() -> Iterator[str]:
    """The prefix of all names under /tmp of one test."""
    made = f"fs-ephemeral-{uuid.uuid4().hex[:8]}"
    yield made
    for path in Path("/tmp").glob(f"{made}*"):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.fixture
def run(
    tmp_path: Path, name: str, function_folder: Callable[[str], Path]
) -> Callable[..., tuple[list[Any], list[dict[str, Any]]]]:
    """Invoke a function with each event. Returns its answers and the violations."""

    def invoke(text: str, *events: object, **options: Any) -> tuple[list[Any], list[Any]]:
        policy = tmp_path / "ephemeral.yaml"
        policy.write_text(BASE.format(name=name))
        folder = function_folder(HEAD.replace('NAME"', f'{name}"') + text)
        answers, seen = [], []
        with Function(folder, "app.handler", policy=str(policy), **options) as function:
            for event in events:
                done = function.invoke(event)
                assert done.error is None, done
                answers.append(done.response)
                seen += [one for one in done.events if one["event"] == "violation"]
        return answers, seen

    return invoke


def left(name: str) -> list[str]:
    return sorted(path.name for path in Path("/tmp").glob(f"{name}*"))


def test_what_an_invocation_makes_is_its_own_and_gone(run: Any, name: str) -> None:
    answers, seen = run(
        """
def handler(event, context):
    before = attempt(read, NAME + "-state")
    write(NAME + "-state", "mine")
    os.makedirs(NAME + "-dir/a/b")
    write(NAME + "-dir/a/b/c")
    os.rename(NAME + "-dir", NAME + "-moved")
    os.link(NAME + "-state", NAME + "-link")
    os.symlink(NAME + "-state", NAME + "-symlink")
    database = sqlite3.connect(NAME + ".db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (a)")
    database.close()
    with tempfile.TemporaryFile() as one, tempfile.NamedTemporaryFile(delete=False) as two:
        one.write(b"x")
        two.write(b"x")
    os.rename(two.name, NAME + "-named")
    os.mkdir(NAME + "-closed")
    write(NAME + "-closed/x")
    os.chmod(NAME + "-closed", 0)
    os.mkfifo(NAME + "-pipe")
    os.unlink(NAME + "-link")
    return [before, read(NAME + "-moved/a/b/c"), read(NAME + "-symlink")]
""",
        {},
        {},
    )
    assert answers == [[2, "x", "mine"]] * 2
    assert seen == []
    assert left(name) == []


def test_what_was_there_or_another_left_is_refused(run: Any, name: str) -> None:
    Path(f"/tmp/{name}-old").write_text("old")
    Path(f"/tmp/{name}-folder").mkdir()
    answers, seen = run(
        """
def handler(event, context):
    acts = [
        attempt(read, NAME + "-old"),
        attempt(write, NAME + "-old"),
        attempt(os.unlink, NAME + "-old"),
        attempt(os.rename, NAME + "-old", NAME + "-new"),
        attempt(os.link, NAME + "-old", NAME + "-new"),
        attempt(write, NAME + "-folder/x"),
        attempt(os.listdir, NAME + "-folder"),
    ]
    write(NAME + "-own")
    return [*acts, attempt(os.replace, NAME + "-own", NAME + "-old")]
""",
        {},
        {},
    )
    assert answers == [[13] * 8] * 2
    assert len(seen) >= 8
    assert left(name) == [f"{name}-folder", f"{name}-old"]
    assert Path(f"/tmp/{name}-old").read_text() == "old"


def test_keep_stays(run: Any, name: str) -> None:
    answers, seen = run(
        """
def handler(event, context):
    before = attempt(read, NAME + "-kept/deep/n")
    os.makedirs(NAME + "-kept/deep", exist_ok=True)
    write(NAME + "-kept/deep/n", str(event["n"]))
    write(NAME + "-other")
    return before
""",
        {"n": 1},
        {"n": 2},
        {"n": 3},
    )
    assert answers == [2, "1", "2"]
    assert seen == []
    assert left(name) == [f"{name}-kept"]


def test_deep_and_wide_trees_are_removed(run: Any, name: str) -> None:
    _, seen = run(
        """
def handler(event, context):
    os.mkdir(NAME)
    fd = os.open(NAME, os.O_RDONLY)
    for n in range(120):
        for word in ("a", "b"):
            os.mkdir(word, dir_fd=fd)
            os.close(os.open(word + "/f", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        inner = os.open("a", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    for n in range(300):
        write(f"{NAME}-{n}")
""",
        {},
        {},
    )
    assert seen == []
    assert left(name) == []
    assert not list(Path("/tmp").glob(".function-shield-*"))


def test_what_is_kept_stays_however_deep(run: Any, name: str) -> None:
    answers, seen = run(
        """
def handler(event, context):
    deep = NAME + "-kept" + "/d" * event["deep"]
    before = attempt(read, deep + "/file")
    os.makedirs(deep, exist_ok=True)
    write(deep + "/file", "kept")
    return before
""",
        *[{"deep": deep} for deep in (30, 30, 23, 23)],
    )
    assert answers == [2, "kept", 2, "kept"]
    assert seen == []


def test_what_is_kept_is_found_deep_in_what_is_not(run: Any, name: str) -> None:
    _, seen = run(
        """
def handler(event, context):
    folder = NAME + "-part"
    for depth in range(60):
        os.makedirs(folder + "/empty/inner")
        for n in range(100):
            write(f"{folder}/{n}")
        if depth > 0 and depth % 10 == 0:
            write(folder + "/some.keep")
        folder += "/folder"
""",
        {},
    )
    found = sorted(
        str(path.relative_to(f"/tmp/{name}-part"))
        for path in Path(f"/tmp/{name}-part").rglob("*")
        if path.name != "folder"
    )
    assert found == sorted("folder/" * depth + "some.keep" for depth in range(10, 60, 10))
    assert seen == []


def test_trees_deeper_than_any_path_are_removed(run: Any, name: str) -> None:
    """No path is long enough to reach the bottom. One tree was moved into another to get there."""
    _, seen = run(
        """
def handler(event, context):
    for word in ("-one", "-two"):
        os.mkdir(NAME + word)
        fd = os.open(NAME + word, os.O_RDONLY)
        for n in range(1050):
            os.mkdir("d", dir_fd=fd)
            inner = os.open("d", os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = inner
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        os.close(fd)
    os.rename(NAME + "-two", NAME + "-one" + "/d" * 1050 + "/two")
""",
        {},
    )
    assert seen == []
    assert left(name) == []
    assert not list(Path("/tmp").glob(".function-shield-*"))


def test_a_file_without_a_name_stays_usable(run: Any, name: str) -> None:
    answers, seen = run(
        """
def use(file):
    file.write("hey")
    file.flush()
    fd = file.fileno()
    os.fchmod(fd, 0o600)
    cat = ["/usr/bin/cat", f"/dev/fd/{fd}"]
    with open(f"/proc/{os.getpid()}/fd/{fd}", "r+") as again:
        got = [again.read()]
    got += [read(f"/proc/{at}/fd/{fd}") for at in ("self", "thread-self", os.getpid())]
    got.append(subprocess.run(cat, pass_fds=[fd], capture_output=True, text=True).stdout)
    file.seek(0)
    again = subprocess.run(
        ["/usr/bin/cat", "/dev/stdin"], stdin=file, capture_output=True, text=True
    )
    return [*got, again.stdout]

def handler(event, context):
    nameless = open(os.open("/tmp", os.O_TMPFILE | os.O_RDWR), "w+")
    with tempfile.TemporaryFile("w+") as file, nameless, open(NAME + "-gone", "w+") as gone:
        os.unlink(NAME + "-gone")
        got = [use(one) for one in (file, nameless, gone)]
        os.link(f"/proc/self/fd/{nameless.fileno()}", NAME + "-linked", src_dir_fd=0)
        return [*got, read(NAME + "-linked")]
""",
        {},
    )
    assert answers == [[["hey"] * 6] * 3 + ["hey"]]
    assert seen == []
    assert left(name) == []


def test_children_share_it(run: Any, name: str) -> None:
    answers, seen = run(
        """
def handler(event, context):
    write(NAME + "-in", "hey")
    copy = subprocess.run(["/usr/bin/cp", NAME + "-in", NAME + "-out"], capture_output=True)
    inner = "cp {0}-out {0}-inner && cat {0}-inner".format(NAME)
    shell = subprocess.run(["/bin/sh", "-c", inner], capture_output=True, text=True)
    return [copy.returncode, read(NAME + "-out"), shell.stdout, read(NAME + "-inner")]
""",
        {},
        {},
    )
    assert answers == [[0, "hey", "hey", "hey"]] * 2
    assert seen == []
    assert left(name) == []


def test_a_thread_that_writes_past_the_end_is_caught_at_the_next(run: Any, name: str) -> None:
    answers, seen = run(
        """
go, done = threading.Event(), threading.Event()

def late():
    go.wait()
    end = time.monotonic() + 0.5
    n = 0
    while time.monotonic() < end:
        attempt(write, f"{NAME}-late-{n % 100}")
        n += 1
    done.set()

def handler(event, context):
    if event["n"] == 1:
        threading.Thread(target=late).start()
        go.set()
    if event["n"] == 2:
        done.wait(20)
    return len([name for name in os.listdir("/tmp") if name.startswith(NAME[5:])])
""",
        {"n": 1},
        {"n": 2},
        {"n": 3},
    )
    assert answers[2] == 0
    assert left(name) == []
    # While a name is being removed, nobody may use it.
    assert all(f"{name}-late-" in event["details"]["path"] for event in seen), seen


def test_what_is_made_just_after_the_end_goes_at_the_next(
    tmp_path: Path, name: str, function_folder: Callable[[str], Path]
) -> None:
    """A thread can have passed the door when its invocation ends, and make the file then. Here the
    test makes it, after a link that failed."""
    policy = tmp_path / "ephemeral.yaml"
    policy.write_text(BASE.format(name=name))
    text = """
def handler(event, context):
    write(NAME + "-sign")
    if event["n"] == 1:
        return attempt(os.link, NAME + "-none", NAME + "-late")
"""
    folder = function_folder(HEAD.replace('NAME"', f'{name}"') + text)
    late, sign = Path(f"/tmp/{name}-late"), Path(f"/tmp/{name}-sign")
    with Function(folder, "app.handler", policy=str(policy)) as function:
        for number in (1, 2):
            done = function.invoke({"n": number})
            assert done.response == (errno.ENOENT if number == 1 else None), done
            end = time.monotonic() + 20
            while sign.exists() and time.monotonic() < end:
                time.sleep(0.01)
            if number == 1:
                late.write_text("late")
        while late.exists() and time.monotonic() < end:
            time.sleep(0.01)
    assert left(name) == []


def test_names_of_the_last_invocation_take_no_more_room(run: Any, name: str) -> None:
    """The table has room for 512 names."""
    answers, seen = run(
        """
def handler(event, context):
    for n in range(event):
        write(f"{NAME}-{n}")
    return len([name for name in os.listdir("/tmp") if name.startswith(NAME[5:])])
""",
        300,
        500,
    )
    assert (answers, seen) == ([300, 500], [])
    assert left(name) == []


def test_a_dry_run_removes_nothing(run: Any, name: str) -> None:
    Path(f"/tmp/{name}-old").write_text("old")
    answers, seen = run(
        """
def handler(event, context):
    write(NAME + "-new")
    return read(NAME + "-old")
""",
        {},
        env={"FUNCTION_SHIELD_MODE": "alert"},
    )
    assert answers == ["old"]
    assert {one["mode"] for one in seen} == {"alert"}
    assert {one["details"]["path"] for one in seen} == {f"/tmp/{name}-old"}
    assert left(name) == [f"{name}-new", f"{name}-old"]


def test_nothing_in_tmp_runs_whatever_the_rule_on_processes(
    tmp_path: Path, name: str, function_folder: Callable[[str], Path]
) -> None:
    policy = tmp_path / "ephemeral.yaml"
    text = BASE.format(name=name).partition("  create_child")[0]
    policy.write_text(f"{text}  create_child_process: allow\n  native_code: allow\n")
    folder = function_folder(
        HEAD.replace('NAME"', f'{name}"')
        + """
import shutil

def handler(event, context):
    shutil.copy("/usr/bin/true", NAME)
    os.chmod(NAME, 0o755)
    return attempt(subprocess.call, [NAME])
"""
    )
    with Function(folder, "app.handler", policy=str(policy)) as function:
        done = function.invoke({})
    assert done.response == 13
    (event,) = [one for one in done.events if one["event"] == "violation"]
    assert event["policy"] == "read_write_tmp" and "ephemeral" in event["message"]


def segments(pid: int) -> list[str]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [line for line in lines if int(line.split()[4]) == pid]


def test_the_table_goes_with_the_last_process(
    tmp_path: Path, name: str, function_folder: Callable[[str], Path]
) -> None:
    policy = tmp_path / "ephemeral.yaml"
    policy.write_text(BASE.format(name=name))
    folder = function_folder("def handler(event, context): pass\n")
    with Function(folder, "app.handler", policy=str(policy)) as function:
        function.invoke({})
        pid = function.pid()
        if Path("/proc/sysvipc/shm").exists():
            assert len(segments(pid)) == 1
    if Path("/proc/sysvipc/shm").exists():
        assert segments(pid) == []


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return forked.fshield(*arguments)


def test_explain_and_diff_know_it(tmp_path: Path) -> None:
    ephemeral, block = tmp_path / "ephemeral.yaml", tmp_path / "block.yaml"
    ephemeral.write_text("version: 1\npolicy: {read_write_tmp: {mode: ephemeral}}\n")
    block.write_text("version: 1\npolicy: {read_write_tmp: block}\n")
    answer = json.loads(check("explain", ephemeral, "--json").stdout)
    assert answer["modes"]["read_write_tmp"]["mode"] == "ephemeral"
    assert "block becomes ephemeral" in check("diff", block, ephemeral).stdout
    assert "ephemeral becomes block" in check("diff", ephemeral, block).stdout


def test_keep_needs_ephemeral(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy: {read_write_tmp: {mode: block, keep: [/tmp/x]}}\n")
    done = check("check", policy)
    assert done.returncode != 0
    assert "only `mode: ephemeral` removes" in done.stdout + done.stderr


def test_a_child_that_asks_for_an_event_keeps_nothing(
    run: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = BASE.replace("allow: [/usr/bin/**, /bin/**]", "allow: [fork]")
    monkeypatch.setattr(f"{__name__}.BASE", allowed)
    answers, seen = run(
        """
def handler(event, context):
    if (pid := os.fork()) == 0:
        try:
            import runtime_client
            threading.Thread(target=runtime_client.next, daemon=True).start()
            time.sleep(0.7)
            write(NAME + "-state")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return os.path.exists(NAME + "-state")
""",
        {},
    )
    assert answers == [True] and seen == [] and left(name) == []


def test_a_child_of_the_import_that_asks_for_an_event_keeps_nothing(
    run: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks before its parent does, and writes while its parent serves."""
    allowed = BASE.replace("allow: [/usr/bin/**, /bin/**]", "allow: [fork]")
    monkeypatch.setattr(f"{__name__}.BASE", allowed)
    answers, seen = run(
        """
asked, told = os.pipe()
serves, served = os.pipe()
if os.fork() == 0:
    try:
        import runtime_client
        threading.Thread(target=runtime_client.next, daemon=True).start()
        time.sleep(1)
        os.write(told, b"x")
        os.read(serves, 1)
        write(NAME + "-state")
    finally:
        os._exit(0)
os.read(asked, 1)

def handler(event, context):
    for _ in range(event):
        os.write(served, b"x")
        os.wait()
    return os.path.exists(NAME + "-state")
""",
        1,
        0,
    )
    assert answers == [True, False] and seen == [] and left(name) == []
