"""Checks how the guard resolves paths against the kernel, in a scratch tree with links in every
direction.

A bare process opens a path and reports the object. A guarded one, under a policy that blocks /tmp,
gets the same object or the same error, and nothing under /tmp.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.core import judged
from tests.support import LAUNCHER, ROOT, clean_environment, policy_file, rules

# Reads lines of [act, path, folder]. Answers with [errno, device, inode, the kernel's path of the
# object].
WORKER = """
import errno, json, os, sys
home = os.getcwd()
for line in sys.stdin:
    act, path, folder = json.loads(line)
    answer = [0, 0, 0, ""]
    at = made = None
    try:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if folder else None
        if act == "list":
            with os.scandir(path) as entries:
                answer[3] = sorted(entry.name for entry in entries)[:20]
        elif act == "make":
            os.mkdir(path, dir_fd=at)
            made = os.open(path, os.O_PATH | os.O_NOFOLLOW, dir_fd=at)
            answer[3] = os.readlink(f"/proc/self/fd/{made}")
            os.rmdir(path, dir_fd=at)
        else:
            flags = {"read": os.O_RDONLY, "write": os.O_WRONLY, "create": os.O_RDWR | os.O_CREAT,
                     "name": os.O_PATH, "nofollow": os.O_RDONLY | os.O_NOFOLLOW,
                     "append": os.O_WRONLY | os.O_APPEND}[act]
            made = os.open(path, flags | os.O_NONBLOCK, 0o600, dir_fd=at)
            status = os.fstat(made)
            answer[1:] = [status.st_dev, status.st_ino, os.readlink(f"/proc/self/fd/{made}")]
    except OSError as error:
        answer[0] = error.errno
    finally:
        for fd in (at, made):
            if fd is not None: os.close(fd)
    print(json.dumps(answer), flush=True)
"""
ACTS = ["read", "write", "create", "name", "nofollow", "append", "list", "make"]
EACCES = 13


class Worker:
    """A process that performs acts on request, bare or guarded."""

    def __init__(self, argv: list[str], home: Path, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [*argv, sys.executable, "-c", WORKER],
            cwd=home,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def does(self, act: str, path: str, folder: str | None) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([act, path, folder]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)


class Tree:
    """Two folders, one of them under /tmp, with links between them."""

    def __init__(self) -> None:
        self.inside = Path(tempfile.mkdtemp(prefix="function-shield-oracle-", dir="/tmp"))
        self.outside = ROOT / "build" / "oracles" / f"tree-{os.getpid()}"
        for folder in (self.inside, self.outside):
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "a" / "b").mkdir(parents=True)
            (folder / "f").write_text("f")
            (folder / "a" / "f").write_text("f")
            (folder / "self").symlink_to(".")
            (folder / "up").symlink_to("..")
            (folder / "loop").symlink_to("loop")
            (folder / "deep").symlink_to("a/b/../b/../../a")
            (folder / "nowhere").symlink_to("made-by-link")
            (folder / "root").symlink_to("/proc/self/root")
            (folder / "here").symlink_to("/proc/self/cwd")
        (self.outside / "in").symlink_to(self.inside)
        (self.outside / "in-f").symlink_to(self.inside / "f")
        (self.outside / "in-new").symlink_to(self.inside / "new")
        (self.outside / "a" / "in-a").symlink_to(
            os.path.relpath(self.inside / "a", self.outside / "a")
        )
        (self.inside / "out").symlink_to(self.outside)
        (self.inside / "out-f").symlink_to(self.outside / "f")
        (self.inside / "out-new").symlink_to(self.outside / "new")
        self.made = {*self.inside.rglob("*"), *self.outside.rglob("*")}
        policy = {"FUNCTION_SHIELD_POLICY": policy_file(rules(tmp="block"))}
        self.bare = Worker([], self.outside, clean_environment())
        self.guarded = Worker([str(LAUNCHER)], self.outside, clean_environment(policy))

    def clear(self) -> None:
        """Remove what a creation made, so that the next process meets the same tree."""
        for folder in (self.inside, self.outside):
            for path in sorted(folder.rglob("*"), reverse=True):
                if path in self.made:
                    continue
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def added(self) -> list[Path]:
        """What is new under /tmp."""
        return [path for path in self.inside.rglob("*") if path not in self.made]

    def end(self) -> None:
        self.bare.end()
        self.guarded.end()
        for folder in (self.inside, self.outside):
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    made = Tree()
    yield made
    made.end()


PARTS = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "b",
                "f",
                ".",
                "..",
                "",
                "self",
                "up",
                "deep",
                "in",
                "in-f",
                "in-new",
                "out",
                "out-f",
                "out-new",
            ),
            "in-a",
            *(
                "root",
                "here",
                "nowhere",
                "loop",
                "x",
                "tmp",
                "proc/self/root",
                "INSIDE",
                "OUTSIDE",
                "dev/fd",
                "f/",
            ),
            *("new", "n" * 256),
        ]
    ),
    min_size=1,
    max_size=7,
)
STARTS = st.sampled_from(
    [
        "",
        "",
        "/",
        "//",
        "INSIDE/",
        "OUTSIDE/",
        "INSIDE//",
        "/proc/self/cwd/",
        "/proc/self/root/tmp/INSIDE/",
    ]
)


@given(
    st.sampled_from(ACTS),
    STARTS,
    PARTS,
    st.sampled_from([None, None, None, "OUTSIDE/a", "OUTSIDE", "/"]),
)
@judged
def test_what_lies_under_tmp_is_not_reached(
    tree: Tree, act: str, start: str, parts: list[str], folder: str | None
) -> None:
    def named(text: str) -> str:
        return text.replace("INSIDE", str(tree.inside).strip("/")).replace(
            "OUTSIDE", str(tree.outside).strip("/")
        )

    path = named(start + "/".join(parts))
    if start.startswith(("INSIDE", "OUTSIDE")):
        path = "/" + path
    if start.endswith("/tmp/INSIDE/"):
        path = path.replace("/tmp/tmp/", "/tmp/")
    at = None if folder is None or act == "list" else "/" + named(folder).strip("/")
    tree.clear()
    bare = tree.bare.does(act, path, at)
    tree.clear()
    guarded = tree.guarded.does(act, path, at)
    assert tree.added() == [], f"{act} {path!r} at {at}: something was made under /tmp"
    if guarded[0] == 0:
        assert guarded[3] == bare[3] and (act == "create" or guarded == bare), (
            f"{act} {path!r} at {at}: {guarded}, {bare}"
        )
        assert act == "list" or not f"{guarded[3]}/".startswith("/tmp/"), (
            f"{act} {path!r} at {at}: {guarded}"
        )
        if act == "list":
            assert not os.path.realpath(
                path if path.startswith("/") else tree.outside / path
            ).startswith("/tmp/")
    elif guarded[0] == EACCES and bare[0] == 0 and act not in ("list", "create"):
        # The refusal must be right: the object that the bare process got lies under /tmp. Creation
        # is excluded, because it is also refused by the name, which may lie under /tmp as a link
        # that leads out.
        assert f"{bare[3]}/".startswith("/tmp/"), (
            f"{act} {path!r} at {at}: refused, and it is {bare}"
        )
    elif guarded[0] != EACCES:
        assert guarded[0] == bare[0], f"{act} {path!r} at {at}: {guarded}, {bare}"


def test_the_judge_sees_both(tree: Tree) -> None:
    """The property above is not vacuous."""
    tree.clear()
    assert tree.bare.does("read", "in/f", None)[3] == str(tree.inside / "f")
    assert tree.guarded.does("read", "in/f", None)[0] == EACCES
    assert tree.bare.does("read", "in/out/f", None) == tree.guarded.does("read", "in/out/f", None)
    assert tree.guarded.does("read", "in/out/f", None)[3] == str(tree.outside / "f")
