"""fshield from its wheel: everything works without a clone and without a compiler."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.fleet.functions import Fleet
from tests.fleet.stand_in import KEYS, REGION, running
from tests.release.conftest import Installed
from tests.support import ROOT

TEST = """
import app
import pytest


@pytest.mark.function_shield(handler="app.handler")
def test_it(function_shield):
    with pytest.raises(PermissionError):
        open("/tmp/of-an-installed-test", "w")
    function_shield.assert_blocked("read_write_tmp", path="/tmp/of-an-installed-test")


@pytest.mark.function_shield(policy="monitor")
def test_that_it_can_fail():
    with pytest.raises(PermissionError):
        open("/tmp/of-an-installed-test", "w")
"""


def test_it_is_the_wheel_that_runs(installed: Installed, tmp_path: Path) -> None:
    code = "import fshield; print(fshield.__file__)"
    done = installed.run(installed.python, "-c", code, cwd=tmp_path)
    assert done.stdout.startswith(str(installed.folder)), done.stderr


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_it_has_both_layers(installed: Installed, tmp_path: Path, architecture: str) -> None:
    out = tmp_path / "layer.zip"
    done = installed.fshield("layer", "--arch", architecture, "-o", out, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    built = (ROOT / "dist" / f"function-shield-layer-{architecture}.zip").read_bytes()
    assert out.read_bytes() == built
    assert json.loads(done.stdout)["sha256"] == hashlib.sha256(built).hexdigest()


def test_a_program_runs_guarded(installed: Installed, tmp_path: Path) -> None:
    code = "open('/tmp/of-an-installed-test', 'w')"
    words = ("run", "--policy", "default", "--", installed.python, "-c", code)
    done = installed.fshield(*words, cwd=tmp_path, FSHIELD_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert "PolicyViolation: [Errno 13] read_write_tmp" in done.stderr
    # Again, with the layer that the first run has unpacked.
    again = installed.fshield(*words, cwd=tmp_path, FSHIELD_CACHE=str(tmp_path / "cache"))
    assert "PolicyViolation" in again.stderr
    assert len(list((tmp_path / "cache" / "layers").iterdir())) == 1


def test_the_demo(installed: Installed, tmp_path: Path) -> None:
    done = installed.fshield("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("5 of 5 acts stopped and named; same response, same picture\n")


def test_a_marked_test(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    words = ("-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}", "-rA")
    done = installed.run(installed.python, *words, cwd=tmp_path)
    # The test that can fail made the file, because monitor stops nothing.
    Path("/tmp/of-an-installed-test").unlink(missing_ok=True)
    assert "PASSED test_it.py::test_it" in done.stdout, done.stdout
    assert "FAILED test_it.py::test_that_it_can_fail" in done.stdout


def test_it_publishes_and_attaches(installed: Installed, tmp_path: Path) -> None:
    where = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", **KEYS}
    with running() as stand_in:
        fleet = Fleet(stand_in)
        fleet.function("mine")
        at = ("--region", REGION, "--endpoint-url", stand_in.url)
        done = installed.fshield("publish", "--json", *at, cwd=tmp_path, **where)
        assert done.returncode == 0, done.stdout + done.stderr
        _, arn = json.loads(done.stdout)["layer_arn"][0].split(" --layer-arn ")
        attach = ("attach", "mine", "--layer-arn", arn.strip("'"), "--policy", "monitor", *at)
        done = installed.fshield(*attach, cwd=tmp_path, **where)
        assert done.returncode == 0, done.stdout + done.stderr
        assert fleet.layers("mine") == ["function-shield-x86_64"]
