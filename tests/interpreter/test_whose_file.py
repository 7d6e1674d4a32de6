"""Which package owns a file, for `only_for`: packages whose RECORD does not have the files' final
names.

An installer writes RECORD as CSV, relative to where it unpacked the wheel.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.attacks.lib import packages
from tests.support import rules, run_guarded, settle

HOST = "127.66.66.66"
DATA = "tintbox-1.0.data"
INFO = "tintbox-1.0.dist-info"
HOOK = """
import urllib3

def hook(address):
    return urllib3.dial(address)
"""
# A folder of the package that claims to be the allowed package.
DISGUISED = {
    "hooks.py": HOOK,
    "stripe-9.dist-info/RECORD": "hooks.py,,\n",
    "stripe-9.dist-info/METADATA": "Metadata-Version: 2.1\nName: stripe\nVersion: 9\n",
}
HANDLER = """
import importlib.util, json, os, sys
import stripe
ADDRESS = ("127.66.66.66", int(sys.argv[1]))
said = {}
for name in json.loads(sys.argv[2]):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    sys.path.insert(0, os.path.dirname(path))
    space = {"__name__": "hooks", "__file__": path}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), space)
    stripe.hooks[:] = [lambda: space["hook"](ADDRESS)]
    try:
        stripe.work()
        said[name] = "connected"
    except OSError as error:
        said[name] = str(error)
    del sys.path[0]
print(json.dumps(said))
"""
ODD = ("tint,box.py", 'tin"t.py', "tint\nbox.py", "tint,folder/hooks.py", 'tin""t/in,ner/hooks.py')


@pytest.fixture
def sink() -> Iterator[int]:
    """The port of a listener on HOST that accepts every connection."""
    with socket.create_server((HOST, 0), backlog=64) as server:
        yield server.getsockname()[1]


def build(folder: Path, files: Mapping[str, str]) -> Path:
    """Build a wheel of tintbox with these files, as a build backend does."""
    metadata = "Metadata-Version: 2.1\nName: tintbox\nVersion: 1.0\n"
    kind = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {**files, f"{INFO}/METADATA": metadata, f"{INFO}/WHEEL": kind}
    record = io.StringIO()
    writer = csv.writer(record, lineterminator="\n")
    writer.writerows((name, "", "") for name in (*files, f"{INFO}/RECORD"))
    path = folder / "tintbox-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{INFO}/RECORD", record.getvalue())
    return path


def install_by_pip(wheel: Path, task: Path) -> None:
    """`pip install -t`."""
    options = ["-q", "--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "-t", task, wheel]
    subprocess.run([str(part) for part in command], check=True, cwd=wheel.parent)


def install_by_sam(wheel: Path, task: Path) -> None:
    """What `sam build` does: it unpacks, moves purelib and platlib, and leaves RECORD unchanged."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(task)
    for name in ("purelib", "platlib"):
        if (task / DATA / name).is_dir():
            shutil.copytree(task / DATA / name, task, dirs_exist_ok=True)
            shutil.rmtree(task / DATA / name)


def asked(
    tmp_path: Path,
    port: int,
    files: Mapping[str, str],
    names: tuple[str, ...],
    install: Callable[[Path, Path], None],
) -> dict[str, str]:
    """The result of each hook, which stripe calls."""
    task = tmp_path / "task"
    task.mkdir()
    install(build(tmp_path, files), task)
    packages.install_all(task)
    (task / "app.py").write_text(HANDLER)
    for own in ("own.py", "bin/own.py"):
        (task / own).parent.mkdir(exist_ok=True)
        (task / own).write_text(HOOK)
    settle()
    entry = {"cidr": f"{HOST}/32", "ports": ["1-65535"], "only_for": ["stripe"]}
    wanted = (*names, "own.py", "bin/own.py")
    done = run_guarded(
        [sys.executable, task / "app.py", str(port), json.dumps(wanted)],
        policy=rules({"mode": "block", "allow": [entry]}),
        env={"LAMBDA_TASK_ROOT": str(task)},
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, str] = json.loads(done.stdout)
    # The function's own files may connect, beside those of the package.
    assert [results.pop(own) for own in ("own.py", "bin/own.py")] == ["connected"] * 2
    return results


def is_named(results: Mapping[str, str]) -> dict[str, bool]:
    """For each file, whether the event named the package."""
    return {name: "asked by tintbox" in text for name, text in results.items()}


@pytest.mark.parametrize("install", [install_by_pip, install_by_sam])
def test_a_name_that_csv_quotes(
    install: Callable[[Path, Path], None], tmp_path: Path, sink: int
) -> None:
    results = asked(tmp_path, sink, dict.fromkeys(ODD, HOOK), ODD, install)
    assert is_named(results) == dict.fromkeys(ODD, True)


def test_files_outside_the_folder_of_packages(tmp_path: Path, sink: int) -> None:
    """A wheel's data and scripts: `pip install -t` moves them, while RECORD has `../../NAME`."""
    files = {
        f"{DATA}/data/tintdata.py": HOOK,
        f"{DATA}/data/tint,data/hooks.py": HOOK,
        f"{DATA}/data/share/tint/hooks.py": HOOK,
        f"{DATA}/scripts/tinthook": HOOK,
        f"{DATA}/purelib/tintpure.py": HOOK,
    }
    names = (
        "tintdata.py",
        "tint,data/hooks.py",
        "share/tint/hooks.py",
        "bin/tinthook",
        "tintpure.py",
    )
    results = asked(tmp_path, sink, files, names, install_by_pip)
    assert is_named(results) == dict.fromkeys(names, True)


def test_folders_that_sam_moves(tmp_path: Path, sink: int) -> None:
    files = {
        f"{DATA}/purelib/tintpure.py": HOOK,
        f"{DATA}/platlib/tint,plat/hooks.py": HOOK,
        f"{DATA}/data/tintdata.py": HOOK,
    }
    names = ("tintpure.py", "tint,plat/hooks.py", f"{DATA}/data/tintdata.py")
    results = asked(tmp_path, sink, files, names, install_by_sam)
    assert is_named(results) == dict.fromkeys(names, True)


def test_a_folder_that_says_it_is_the_allowed_package(tmp_path: Path, sink: int) -> None:
    folders = ("tint,box", f"{DATA}/data/tintdata", f"{DATA}/purelib/tintpure", "tintbox/inner")
    files = {f"{at}/{name}": text for at in folders for name, text in DISGUISED.items()}
    names = tuple(f"{at}/hooks.py" for at in ("tint,box", "tintdata", "tintpure", "tintbox/inner"))
    results = asked(tmp_path, sink, files, names, install_by_pip)
    assert is_named(results) == dict.fromkeys(names, True)


def test_a_long_list_is_read_to_its_end(tmp_path: Path, sink: int) -> None:
    """RECORD is read in pieces. Each line is found, wherever the pieces are cut."""
    many = {f"tintbox/{at:05}/{'x' * (at % 90)}.py": "" for at in range(2000)}
    odd = {f"tint,{at}/{'y' * 200}.py": HOOK for at in range(12)}
    files = dict(sorted((many | odd).items(), key=lambda one: one[0][-40:]))
    results = asked(tmp_path, sink, files, tuple(odd), install_by_sam)
    assert is_named(results) == dict.fromkeys(odd, True)
