"""Who asked: distribution and version by installed metadata, and the frames, wherever code comes
from."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import Guarded, policy_file, rules, run_guarded

BLOCK = rules("block", "block", "block", "block")
ACT = "def act(name='x'):\n    try: open('/tmp/origin-' + name)\n    except OSError: pass\n"
NAMESPACES = ("google", "libs")
PYTHON = str(Path(sys.executable).resolve())


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "lib" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, name: str, text: str = ACT) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for parent in Path(name).parents[:-1]:
        if parent.parts[0] not in NAMESPACES:
            (folder / parent / "__init__.py").touch()
    path.write_text(text)
    return path


def installed(
    folder: Path, name: str, version: str, *files: str, kind: str = "dist-info", **more: str
) -> Path:
    """Metadata as pip writes it."""
    info = folder / f"{name.replace('-', '_')}-{version}.{kind}"
    info.mkdir(parents=True)
    said = "METADATA" if kind == "dist-info" else "PKG-INFO"
    (info / said).write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: x\n\nName: not this\n"
    )
    if files:
        (info / "RECORD").write_text("".join(f"{file},sha256=x,10\n" for file in files))
    for file, text in more.items():
        (info / file.replace("__", ".")).write_text(text)
    return info


def run(code: str, *path: Path, mode: Any = BLOCK, **more: Any) -> Guarded:
    env = {"PYTHONPATH": os.pathsep.join(map(str, path))} | more.pop("env", {})
    return run_guarded([PYTHON, "-c", code], policy=mode, env=env, **more)


def origin(code: str, *path: Path, **more: Any) -> dict[str, Any]:
    done = run(code, *path, **more)
    assert done.returncode == 0, done.stderr
    (event,) = done.violations
    found: dict[str, Any] = event["origin"]
    assert event["message"].startswith(f"{found['distribution']} tried to ")
    return found


def named(found: dict[str, Any]) -> tuple[str | None, str | None]:
    return found["distribution"], found["version"]


# ---- installed ----


def test_a_distribution_is_not_called_as_its_module(site: Path) -> None:
    write(site, "yaml/__init__.py", "from yaml.reader import act\n")
    file = write(site, "yaml/reader.py")
    installed(site, "PyYAML", "6.0.1", "yaml/__init__.py", "yaml/reader.py")
    installed(site, "other", "1", "other/__init__.py", "notyaml/reader.py")
    found = origin("import yaml; yaml.act()", site)
    assert named(found) == ("PyYAML", "6.0.1")
    assert (found["file"], found["line"], found["function"]) == (str(file), 2, "act")
    assert found["stack"] == [f"{file}:2 act", "<string>:1 <module>"]


def test_a_name_as_people_write_it(site: Path) -> None:
    write(site, "dateutil/parser.py")
    installed(site, "python-dateutil", "2.9.0.post0", "dateutil/parser.py")
    assert named(origin("from dateutil.parser import act; act()", site)) == (
        "python-dateutil",
        "2.9.0.post0",
    )


def test_a_single_module(site: Path) -> None:
    write(site, "six.py")
    installed(site, "six", "1.17.0", "six.py")
    assert named(origin("import six; six.act()", site)) == ("six", "1.17.0")


def test_namespace_packages(site: Path) -> None:
    for part in ("storage", "pubsub"):
        write(site, f"google/cloud/{part}/client.py")
        installed(site, f"google-cloud-{part}", "3.1", f"google/cloud/{part}/client.py")
    write(site, "google/api/late.py")
    code = "from google.cloud.{0}.client import act; act()"
    assert named(origin(code.format("storage"), site)) == ("google-cloud-storage", "3.1")
    assert named(origin(code.format("pubsub"), site)) == ("google-cloud-pubsub", "3.1")
    # A file that several might own is nobody's.
    assert named(origin("from google.api.late import act; act()", site)) == ("google", None)


def test_a_file_that_the_record_does_not_have(site: Path) -> None:
    write(site, "pkg/added.py")
    installed(site, "the-pkg", "1.0", "pkg/__init__.py")
    assert named(origin("from pkg.added import act; act()", site)) == ("the-pkg", "1.0")


@pytest.mark.parametrize("where", ["function", "layer on sys.path"])
def test_beside_the_function(tmp_path: Path, where: str) -> None:
    write(tmp_path, "requests/sessions.py")
    installed(tmp_path, "requests", "2.32.3", "requests/sessions.py")
    env = {"LAMBDA_TASK_ROOT": str(tmp_path)} if where == "function" else {}
    assert named(origin("from requests.sessions import act; act()", tmp_path, env=env)) == (
        "requests",
        "2.32.3",
    )


def test_without_a_record(site: Path) -> None:
    write(site, "yaml/a.py")
    installed(site, "PyYAML", "5.3", top_level__txt="_yaml\nyaml\n")
    write(site, "slim/a.py")
    installed(site, "slim", "0.1")
    assert named(origin("from yaml.a import act; act()", site)) == ("PyYAML", "5.3")
    assert named(origin("from slim.a import act; act()", site)) == ("slim", "0.1")


def test_egg_info(site: Path) -> None:
    write(site, "old/a.py")
    installed(site, "Old.Thing", "1.2", kind="egg-info", top_level__txt="old\n")
    (site / "flat-3.4-py3.9.egg-info").write_text("Name: Flat\nVersion: 3.4\n")
    write(site, "flat.py")
    assert named(origin("from old.a import act; act()", site)) == ("Old.Thing", "1.2")
    assert named(origin("import flat; flat.act()", site)) == ("Flat", "3.4")


def test_no_metadata(site: Path) -> None:
    write(site, "evilpkg/__init__.py")
    installed(site, "good", "1", "good/__init__.py")
    assert named(origin("import evilpkg; evilpkg.act()", site)) == ("evilpkg", None)


@pytest.mark.parametrize("how", ["path", "finder"])
def test_editable(tmp_path: Path, site: Path, how: str) -> None:
    project = tmp_path / "project"
    write(project / "src", "mine/__init__.py", "")
    write(project / "src", "mine/sub/__init__.py", "")
    write(project / "src", "mine/sub/a.py")
    installed(
        site,
        "mine",
        "0.9",
        "__editable__.mine.pth",
        direct_url__json=f'{{"dir_info": {{"editable": true}}, "url": "file://{project}"}}',
    )
    code = "from mine.sub.a import act; act()"
    if how == "path":
        assert named(origin(code, project / "src", site)) == ("mine", "0.9")
    else:
        source = str(project / "src")
        hidden = (
            f"import sys; sys.path.insert(0, {source!r}); import mine.sub.a; del sys.path[0];"
            " mine.sub.a.act()"
        )
        assert named(origin(hidden, site)) == ("mine", "0.9")
    # Another project's folder is not it.
    write(tmp_path / "elsewhere", "mine/sub/a.py")
    assert named(origin(code, tmp_path / "elsewhere", site)) == ("mine", None)


# ---- vendored, zipped, made ----


@pytest.mark.parametrize("folder", ["_vendor", "vendored", "third_party", "_vendor/deep/vendor"])
def test_vendored_code_by_its_folder(site: Path, folder: str) -> None:
    write(site, f"pip/{folder}/urllib3/poolmanager.py")
    installed(site, "pip", "24.0", f"pip/{folder}/urllib3/poolmanager.py")
    code = f"from pip.{folder.replace('/', '.')}.urllib3.poolmanager import act; act()"
    assert named(origin(code, site)) == ("urllib3", None)
    installed(site / "pip" / folder, "urllib3", "1.26.20", "urllib3/poolmanager.py")
    assert named(origin(code, site)) == ("urllib3", "1.26.20")


def test_vendored_on_the_path(tmp_path: Path) -> None:
    write(tmp_path / "libs", "requests/api.py")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'libs')!r}); from requests.api import act;"
        " act()"
    )
    assert named(origin(code, tmp_path, env={"LAMBDA_TASK_ROOT": str(tmp_path)})) == (
        "requests",
        None,
    )


def test_zipimport(tmp_path: Path) -> None:
    archive = tmp_path / "libs.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped/__init__.py", "")
        file.writestr("zipped/a.py", ACT)
        file.writestr("zipped-1.0.dist-info/METADATA", "Name: zipped\nVersion: 1.0\n")
    found = origin(
        "from zipped.a import act; act()", archive, env={"LAMBDA_TASK_ROOT": str(tmp_path)}
    )
    assert named(found) == ("zipped", None)
    assert found["file"] == f"{archive}/zipped/a.py"


def test_code_without_a_file_is_whose_who_ran_it(site: Path) -> None:
    write(site, "runner/a.py", f"def go(): exec({ACT + 'act()'!r})\n")
    installed(site, "runner", "7", "runner/a.py")
    found = origin("from runner.a import go; go()", site)
    assert named(found) == ("runner", "7")
    assert (found["file"], found["line"]) == ("<string>", 2)
    assert named(origin(ACT + "act()")) == ("__main__", None)


# ---- ways to run ----

WAYS = {
    "thread": "import threading\nt = threading.Thread(target=pkg.act); t.start(); t.join()",
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor as P\nwith P() as p:"
        " p.submit(pkg.act).result()"
    ),
    "bare thread": "import _thread, time\n_thread.start_new_thread(pkg.act, ())\ntime.sleep(0.3)",
    "timer": "import threading\nt = threading.Timer(0.01, pkg.act); t.start(); t.join()",
    "task": (
        "import asyncio\nasync def main(): await"
        " asyncio.create_task(pkg.coroutine())\nasyncio.run(main())"
    ),
    "nested awaits": (
        "import asyncio\nasync def main(): await asyncio.wait_for(pkg.coroutine(),"
        " 5)\nasyncio.run(main())"
    ),
    "loop callback": (
        "import asyncio\n"
        "async def main():\n"
        "  asyncio.get_running_loop().call_soon(pkg.act)\n"
        "  await asyncio.sleep(0.01)\n"
        "asyncio.run(main())"
    ),
    "done callback": (
        "import asyncio\n"
        "async def main():\n"
        "  t = asyncio.create_task(asyncio.sleep(0))\n"
        "  t.add_done_callback(lambda t: pkg.act())\n"
        "  await asyncio.sleep(0.01)\n"
        "asyncio.run(main())"
    ),
    "executor": (
        "import asyncio\n"
        "async def main(): await asyncio.get_running_loop().run_in_executor(None, pkg.act)\n"
        "asyncio.run(main())"
    ),
    "at exit": "import atexit; atexit.register(pkg.act)",
    "weak reference": (
        "import weakref\nclass A: pass\na = A(); r = weakref.ref(a, lambda r: pkg.act()); del a"
    ),
    "finaliser": "class A:\n  def __del__(self): pkg.act()\nA()",
    "sort key": "sorted([1], key=lambda n: pkg.act() or n)",
    "generator": "list(pkg.act() for _ in '1')",
    "library callback": "import functools\nfunctools.reduce(lambda a, b: pkg.act(), '12')",
    "signal": (
        "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *a: pkg.act());"
        " os.kill(os.getpid(), signal.SIGUSR1)"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_runs(site: Path, way: str) -> None:
    file = write(
        site,
        "pkg/__init__.py",
        ACT + "async def coroutine():\n    import asyncio; await asyncio.sleep(0); act()\n",
    )
    installed(site, "the-pkg", "2", "pkg/__init__.py")
    found = origin(f"import pkg\n{WAYS[way]}", site)
    assert named(found) == ("the-pkg", "2")
    assert (found["file"], found["line"], found["function"]) == (str(file), 2, "act")
    assert found["stack"][0] == f"{file}:2 act"
    if "await" in way or way == "task":
        assert found["stack"][1] == f"{file}:5 coroutine"


def test_at_most_eight_frames_of_others_than_the_standard_library(site: Path) -> None:
    call = (
        "import functools, m{1}\ndef act():\n    functools.reduce(lambda a, b: m{1}.act(), '12')\n"
    )
    for number in range(12):
        write(site, f"m{number}.py", call.format(number, number + 1))
    write(site, "m12.py")
    stack = origin("import m0; m0.act()", site)["stack"]
    assert len(stack) == 8
    assert stack[0] == f"{site}/m12.py:2 act"
    assert all(frame.startswith(f"{site}/m") for frame in stack)


FORKED = """
import os, threading

def spin():
    while not ended:
        sum(range(1000))

def act(path):
    try: os.mkfifo(path)
    except OSError: pass

def in_a_child(busy):
    global ended
    ended = False
    thread = threading.Thread(target=spin)
    if busy: thread.start()
    child = os.fork()
    if child == 0:
        act("/tmp/origin-forked")
        os._exit(0)
    os.waitpid(child, 0)
    ended = True

def by_the_library(busy):
    import multiprocessing.util, sys
    global ended
    ended = False
    thread = threading.Thread(target=spin)
    if busy: thread.start()
    command = [b"python", b"-S", b"-c", b""]
    child = multiprocessing.util.spawnv_passfds(sys.executable.encode(), command, [])
    os.waitpid(child, 0)
    ended = True
"""


@pytest.mark.parametrize("busy", [False, True], ids=["alone", "busy"])
@pytest.mark.parametrize("how", ["in_a_child", "by_the_library"])
def test_in_a_forked_child(python: Path, site: Path, how: str, busy: bool) -> None:
    """Only the libc ring sees these, and nobody may wait for the lock of a thread that is not
    there."""
    write(site, "pkg.py", FORKED)
    path = {"PYTHONPATH": str(site)}
    policy = rules("block", "block", "alert", "block")
    done = run_guarded(
        [python, "-c", f"import pkg; pkg.{how}({busy})"], policy=policy, env=path, timeout=60
    )
    verb = "create" if how == "in_a_child" else "start"
    (event,) = [event for event in done.violations if f" tried to {verb} " in event["message"]]
    assert (event["ring"], event["origin"]["file"]) == ("libc", f"{site}/pkg.py"), event


# ---- hostile metadata ----


def pipes(metadata: Path, record: Path) -> None:
    for path in (metadata, record):
        path.unlink()
        os.mkfifo(path)


def links(metadata: Path, record: Path) -> None:
    secret = write(record.parent, "secret", "Name: pkg\nVersion: leaked\npkg.py,\n")
    metadata.unlink()
    metadata.symlink_to(secret)


def folders(metadata: Path, record: Path) -> None:
    for path in (metadata, record):
        path.unlink()
        path.mkdir()


def empty(metadata: Path, record: Path) -> None:
    metadata.write_text("")
    record.write_text("")


def many(metadata: Path, record: Path) -> None:
    for number in range(3000):
        (record.parent.parent / f"p{number}-1.dist-info").mkdir()


def odd_names(metadata: Path, record: Path) -> None:
    for name in (
        "-1.dist-info",
        "x.dist-info",
        ".dist-info",
        "a" * 240 + "-1.dist-info",
        "pkg-.dist-info",
        "pkg-1",
    ):
        (record.parent.parent / name).mkdir(exist_ok=True)


HOSTILE: dict[str, Callable[[Path, Path], object]] = {
    "pipes": pipes,
    "links": links,
    "folders": folders,
    "empty": empty,
    "many": many,
    "odd names": odd_names,
    "another's name": lambda metadata, _: metadata.write_text("Name: boto3\nVersion: 1.0\n\n"),
    "escapes": lambda metadata, _: metadata.write_bytes(
        b'Name: p\x1b]0;k\x07g\nVersion: 1\x1b[2J\xff"\\\x00\r\n'
    ),
    "long": lambda metadata, _: metadata.write_text(f"Name: {'p' * 5000}\nVersion: {'1' * 5000}\n"),
    "no line end": lambda metadata, _: metadata.write_text("Name: pkg\nVersion: 1.0"),
    "huge": lambda _, record: record.write_bytes(b"x" * (40 << 20)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_metadata(site: Path, what: str) -> None:
    write(site, "pkg.py")
    info = installed(site, "pkg", "1.0", "pkg.py")
    HOSTILE[what](info / "METADATA", info / "RECORD")
    begin = time.monotonic()
    name, version = named(origin("import pkg; pkg.act()", site))
    assert time.monotonic() - begin < 10
    assert name == "pkg"
    assert version is None or (version.startswith("1") and len(version) <= 64)
    assert version != "leaked"


def test_metadata_is_read_past_our_own_doors(tmp_path: Path) -> None:
    """Metadata that lies in /tmp is no act of the function's; and in alert mode the function
    notices nothing."""
    code = (
        "import os, sys, tempfile\n"
        f"folder = {str(tmp_path)!r}\n"
        "fds = set(os.listdir('/proc/self/fd'))\n"
        "import pkg; pkg.act()\n"
        "assert fds == set(os.listdir('/proc/self/fd'))\n"
    )
    write(tmp_path, "pkg.py")
    installed(tmp_path, "pkg", "1.0", "pkg.py")
    for mode in ("block", "alert"):
        done = run(code, tmp_path, mode=rules("allow", mode, "allow", "allow"))
        assert done.returncode == 0, done.stderr
        assert [e["details"]["path"] for e in done.violations] == ["/tmp/origin-x"]


def test_many_threads_and_more_origins_than_are_remembered(site: Path) -> None:
    for number in range(100):
        write(site, f"m{number}.py")
        installed(site, f"d{number}", str(number), f"m{number}.py")
    code = (
        "import importlib, threading\n"
        "modules = [importlib.import_module(f'm{n}') for n in range(100)]\n"
        "def go(k):\n  for m in modules[k::4]: m.act(m.__name__)\n"
        "threads = [threading.Thread(target=go, args=(k,)) for k in range(4)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
    )
    done = run(code, site)
    assert {(e["details"]["path"], *named(e["origin"])) for e in done.violations} == {
        (f"/tmp/origin-m{n}", f"d{n}", str(n)) for n in range(100)
    }


# ---- other rings, children ----


def test_a_childs_command_line(tmp_path: Path) -> None:
    code = (
        "import subprocess; subprocess.run(['/bin/cat', '/tmp/origin-child', 'hunter2-secret'],"
        " stderr=-3)"
    )
    policy = {**rules("block", "block", "allow", "block")}
    done = run(code, mode=policy, env={"MY_TOKEN": "hunter2-secret"})
    (event,) = done.violations
    assert event["ring"] == "libc"
    assert event["origin"]["command"] == "/bin/cat /tmp/origin-child ***"
    assert event["origin"]["file"].endswith("/cat")
    assert (event["origin"]["distribution"], event["origin"]["version"]) == (None, None)


def test_the_function_itself_has_no_command(site: Path) -> None:
    write(site, "pkg.py")
    assert "command" not in origin("import pkg; pkg.act()", site)


def test_exceptions_of_native_code_go_by_the_folder(site: Path) -> None:
    """What metadata says is a claim: it opens nothing."""
    write(site, "evil/__init__.py", "import ctypes\n")
    installed(site, "numpy", "1.0", "evil/__init__.py")
    text = "version: 1\npolicy:\n  native_code: {mode: block, allow: [numpy]}\n"
    done = run(
        "try: import evil\nexcept ImportError: pass\nexcept OSError: pass",
        site,
        mode=policy_file(text),
    )
    events = [e for e in done.violations if e["policy"] == "native_code"]
    assert events
    assert events[0]["origin"]["distribution"] == "numpy"
    assert "allow: [evil]" in events[0]["message"]


ALLOWED = """\
version: 1
policy:
  outbound_connectivity:
    {mode: block, allow: [{host: allowed.example}, {cidr: 127.66.66.66, ports: [9]}]}
  read_write_tmp: {mode: block, allow: [TMP/**]}
  create_child_process: {mode: block, allow: [/usr/bin/true]}
events: {allowed: first}
"""
USES = """\
import socket, subprocess
def used():
    for act in (
        lambda: socket.getaddrinfo("allowed.example", 443),
        lambda: socket.create_connection(("127.66.66.66", 9), 1),
        lambda: open("TMP/x", "w"),
        lambda: subprocess.run(["/usr/bin/true"]),
    ):
        try: act()
        except OSError: pass
"""


def test_what_is_allowed_names_who_asked(site: Path, tmp_path: Path, tmp_name: Path) -> None:
    tmp_name.mkdir()
    write(site, "user.py", USES.replace("TMP", str(tmp_name)))
    installed(site, "user-of-things", "1.2.3", "user.py")
    policy = tmp_path / "used.yaml"
    policy.write_text(ALLOWED.replace("TMP", str(tmp_name)))
    done = run("import user\nuser.used()", site, mode=policy)
    found = {event["policy"]: event for event in done.events if event["event"] == "allowed"}
    told = [
        (event["rule"], event["details"].get("host"))
        for event in done.events
        if event["event"] == "allowed"
    ]
    assert len(told) == len(set(told)) == 4, told
    for rule in ("outbound_connectivity", "read_write_tmp"):
        origin = found[rule]["origin"]
        assert (origin["distribution"], origin["version"]) == ("user-of-things", "1.2.3")
        assert origin["function"].endswith("<lambda>") and found[rule]["ring"] == "interpreter"
    assert found["create_child_process"]["ring"] == "libc"


ATTACHES = """
import sqlite3, sys
connection = sqlite3.connect(":memory:")

def opens():
    open(sys.argv[1], "w").close()

def attaches():
    connection.execute("ATTACH ? AS other", (sys.argv[2],))

opens()
try:
    attaches()
except sqlite3.OperationalError:
    print("refused")
"""


def test_a_library_s_act_is_not_whose_act_was_before(tmp_path: Path, tmp_name: Path) -> None:
    """Python's own open is allowed, and its caller was kept for what SQLite opens next."""
    (tmp_path / "app.py").write_text(ATTACHES)
    allowed, other = f"{tmp_name}-allowed", f"{tmp_name}-other"
    done = run_guarded(
        [sys.executable, str(tmp_path / "app.py"), allowed, other],
        policy=rules(tmp={"mode": "block", "allow": [allowed]}),
    )
    Path(allowed).unlink(missing_ok=True)
    assert done.stdout == "refused\n", done
    origins = [event["origin"] for event in done.violations]
    assert {(origin["function"], tuple(origin["stack"])) for origin in origins} == {(None, ())}
    assert all("sqlite" in origin["file"] for origin in origins), origins


DATABASES = """
import pathlib, sqlite3, sys

class Odd:
    def __fspath__(self):
        raise ValueError("odd")

def keeps(path):
    try:
        sqlite3.connect(path)
    except (PermissionError, sqlite3.OperationalError) as error:
        print(type(error).__name__)

keeps(pathlib.Path(sys.argv[1]))
try:
    sqlite3.connect(Odd())
except ValueError as error:
    print(error)
"""


def test_a_database_by_a_path_object_has_its_caller(tmp_path: Path, tmp_name: Path) -> None:
    (tmp_path / "app.py").write_text(DATABASES)
    done = run_guarded([sys.executable, tmp_path / "app.py", tmp_name], policy=rules(tmp="block"))
    assert done.stdout == "PolicyViolation\nodd\n", done
    (event,) = done.violations
    assert event["details"]["path"] == str(tmp_name)
    assert (event["origin"]["function"], event["ring"]) == ("keeps", "interpreter"), event
