"""A caller's distribution and version, from installed metadata, wherever its code comes from."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interpreter.origins import ACT, installed, named, origin, run, write
from tests.support import rules

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
    # A file that several distributions might own belongs to none.
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
    # Another project's folder is not part of it.
    write(tmp_path / "elsewhere", "mine/sub/a.py")
    assert named(origin(code, tmp_path / "elsewhere", site)) == ("mine", None)


# ---- vendored, zipped, generated ----


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
    """The guard itself reads metadata in /tmp. That makes no event, and the function does not
    notice."""
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
