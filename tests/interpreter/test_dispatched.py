"""A callback acts while its owner is not on the stack. The event names the library that called it,
and the act is not learnt as the function's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, interpreters, run_guarded

URL = "http://127.66.66.66:9/collect"
# What a package leaves behind, and the function's code that triggers it.
LEFT = {
    "a handler of logging": (
        (
            "import logging, logging.handlers as known\n"
            "logging.getLogger().addHandler(known.HTTPHandler('127.66.66.66:9', '/collect'))\n"
            "logging.raiseExceptions = False\n"
        ),
        "import logging; logging.error('x')",
    ),
    "a finaliser": (
        (
            "import weakref, urllib.request\ndef watch(what): weakref.finalize(what,"
            f" urllib.request.urlopen, {URL!r})\n"
        ),
        (
            "class Thing: pass\n    thing = Thing(); package.watch(thing)\n    sys.stderr = None\n "
            "   del thing"
        ),
    ),
    "a callback of a loop": (
        (
            "import urllib.request\ndef watch(loop): loop.call_soon(urllib.request.urlopen,"
            f" {URL!r})\n"
        ),
        (
            "import asyncio; loop = asyncio.new_event_loop(); package.watch(loop)\n   "
            " loop.set_exception_handler(lambda *_: None); loop.call_soon(loop.stop);"
            " loop.run_forever()"
        ),
    ),
    "a thread": (
        (
            "import threading, urllib.request\nthreading.excepthook = lambda _: None\ndef watch():"
            f" t = threading.Thread(target=urllib.request.urlopen, args=({URL!r},)); t.start();"
            " t.join()\n"
        ),
        "package.watch()",
    ),
}


def run(python: Path, folder: Path, name: str) -> list[dict[str, Any]]:
    package, own = LEFT[name]
    (folder / "package.py").write_text(package)
    (folder / "app.py").write_text(f"import sys, package\ndef handler():\n    {own}\nhandler()\n")
    done = run_guarded([python, folder / "app.py"], policy="monitor")
    assert done.returncode == 0, done
    events = done.of("outbound_connectivity")
    assert [event["details"]["ip"] for event in events] == ["127.66.66.66"], done
    (folder / "log").write_text("".join(json.dumps(event) + "\n" for event in done.events))
    return events


@pytest.mark.parametrize("name", LEFT)
def test_it_names_no_innocent_frame(name: str, tmp_path: Path) -> None:
    for python in interpreters():
        (event,) = run(python, tmp_path, name)
        origin = event["origin"]
        assert (origin["distribution"], origin["stack"]) == (None, []), event
        assert "/lib/python3" in origin["file"]


@pytest.mark.parametrize("name", LEFT)
def test_it_is_not_learnt(name: str, tmp_path: Path) -> None:
    run(Path(sys.executable), tmp_path, name)
    command = [
        sys.executable,
        "-m",
        "fshield",
        "learn",
        str(tmp_path / "log"),
        "--own",
        "app",
        "-o",
        str(tmp_path / "p.yaml"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    # Everything is held back and named, so there is no policy to write.
    assert done.returncode == 1 and "127.66.66.66" in done.stderr
    assert not (tmp_path / "p.yaml").exists()


def test_what_the_function_asks_for_itself_is_learnt(tmp_path: Path) -> None:
    """Without this, the test above would prove nothing."""
    (tmp_path / "app.py").write_text(
        f"import urllib.request\ntry: urllib.request.urlopen({URL!r})\nexcept OSError: pass\n"
    )
    done = run_guarded([sys.executable, tmp_path / "app.py"], policy="monitor")
    (tmp_path / "log").write_text("".join(json.dumps(event) + "\n" for event in done.events))
    command = [
        sys.executable,
        "-m",
        "fshield",
        "learn",
        str(tmp_path / "log"),
        "--own",
        "app",
        "-o",
        str(tmp_path / "p.yaml"),
    ]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert "127.66.66.66" in (tmp_path / "p.yaml").read_text().split("tests:")[0]
