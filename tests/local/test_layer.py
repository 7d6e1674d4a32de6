"""Which layer a local run uses, and what it refuses to start."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.errors import CouldNotRun, PolicyError
from fshield.local.emulator import Function
from fshield.local.layer import find_layer, find_policy, refuse_blocked_places
from tests.support import LAYER

ALLOWS = (
    "version: 1\npolicy:\n  read_write_tmp: {mode: block, allow:"
    " [/tmp/function-shield-place-*/**]}\n"
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder under /tmp that holds an empty function."""
    folder = Path(tempfile.mkdtemp(prefix="function-shield-place-", dir="/tmp"))
    (folder / "app.py").write_text("def handler(event, context):\n    return event\n")
    yield folder
    shutil.rmtree(folder)


def test_layer_by_variable(monkeypatch: pytest.MonkeyPatch, hollow_layer: Path) -> None:
    monkeypatch.setenv("FSHIELD_LAYER", str(hollow_layer))
    assert find_layer().folder == hollow_layer
    assert find_layer(LAYER).folder == LAYER


def test_no_layer_says_the_mend(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="no layer with an executable") as caught:
        find_layer(tmp_path)
    assert "build.sh" in (caught.value.fix or "")


def test_policies_by_name_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FSHIELD_CACHE", str(tmp_path / "cache"))
    layer = find_layer(LAYER)
    assert find_policy(layer, "default").variable == "default"
    compiled = find_policy(layer, str(layer.policy_file("strict")))
    assert compiled.file == layer.policy_file("strict")
    source = tmp_path / "mine.yaml"
    source.write_text(ALLOWS)
    chosen = find_policy(layer, str(source))
    assert chosen.file.name == "mine.policy"
    assert chosen.file.is_relative_to(tmp_path / "cache")
    assert chosen.variable == str(chosen.file)
    with pytest.raises(
        CouldNotRun, match=r"no policy 'nix': .*default, functionshield, monitor, strict"
    ):
        find_policy(layer, "nix")
    source.write_text("version: 1\npolicies: {}\n")
    with pytest.raises(PolicyError):
        find_policy(layer, str(source))


def test_function_under_tmp_is_refused_in_one_sentence(place: Path) -> None:
    with pytest.raises(CouldNotRun) as caught:
        Function(place, "app.handler", layer=LAYER, policy="default")
    assert (
        str(caught.value)
        == f"the function folder {place} lies under /tmp, and cannot run while the policy default"
        " blocks /tmp"
    )
    assert Function(place, "app.handler", layer=LAYER, policy="monitor")
    assert Function(place, "app.handler", guarded=False)


def test_the_launchers_own_choice_of_policy_is_looked_at(place: Path) -> None:
    with pytest.raises(CouldNotRun, match="the policy default blocks"):
        Function(place, "app.handler", layer=LAYER)
    assert Function(place, "app.handler", layer=LAYER, env={"AWS_LAMBDA_FUNCTION_NAME": "monitor"})


def test_exceptions_and_links_are_seen(place: Path, tmp_path: Path) -> None:
    layer = find_layer(LAYER)
    source = tmp_path / "mine.yaml"
    source.write_text(ALLOWS)
    refuse_blocked_places(find_policy(layer, str(source)).file, [("it", place)])
    link = tmp_path / "link"
    link.symlink_to(place)
    with pytest.raises(CouldNotRun, match=r"it .*link lies under /tmp"):
        refuse_blocked_places(layer.policy_file("default"), [("it", link)])
    refuse_blocked_places(layer.policy_file("default"), [("it", tmp_path)])


def test_a_mac_is_told_what_runs_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The wheel for macOS can check, publish and attach. The programs in a layer are for Linux."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(CouldNotRun, match="on Linux only") as caught:
        Function(tmp_path, "app.handler", layer=LAYER)
    assert "fshield invoke" in (caught.value.fix or "")
    done = CliRunner().invoke(app, ["run", "--", "true"])
    assert done.exit_code == 2 and "on Linux only" in done.output
    assert find_layer(LAYER).policy_names()
