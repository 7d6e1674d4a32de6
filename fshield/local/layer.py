"""Finds the layer and the policy of a local run, and checks that no file of the run is where the
policy forbids it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fshield.engine import explain
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled
from fshield.errors import CouldNotRun, shown
from fshield.files import write_whole
from fshield.language.loader import load
from fshield.language.policy import Family, Mode
from fshield.local import carried
from fshield.local.cache import cache_folder

LAUNCHER = "function-shield"
_TMP = Path("/tmp")


@dataclass(frozen=True)
class Layer:
    """An unpacked layer, like ``/opt`` on Lambda."""

    folder: Path

    @property
    def launcher(self) -> Path:
        """The exec wrapper."""
        return self.folder / LAUNCHER

    def policy_file(self, name: str) -> Path:
        """The file of the policy `name` in the layer."""
        return self.folder / "function-shield.d" / "policies" / f"{name}.policy"

    def policy_names(self) -> list[str]:
        """The policies in the layer."""
        return sorted(path.stem for path in self.policy_file("x").parent.glob("*.policy"))


def find_layer(chosen: Path | None = None) -> Layer:
    """The layer in `chosen`, else in ``FSHIELD_LAYER``, else the one of the installed wheel, else
    ``build/layer`` of the checkout or of the current folder.

    Raises:
        CouldNotRun: none of these has an executable launcher.
    """
    variable = os.environ.get("FSHIELD_LAYER")
    places = [chosen] if chosen else [Path(variable)] if variable else []
    if not places:
        own = carried.unpacked()
        places = (
            [own]
            if own
            else [
                Path(__file__).resolve().parents[2] / "build" / "layer",
                Path.cwd() / "build" / "layer",
            ]
        )
    for place in places:
        if os.access(place / LAUNCHER, os.X_OK):
            return Layer(place.absolute())
    looked = ", ".join(str(place) for place in dict.fromkeys(places))
    raise CouldNotRun(
        f"no layer with an executable {LAUNCHER} in {looked}",
        "run ./build.sh, or name an unpacked layer with --layer",
    )


def layer_to_run(chosen: Path | None = None) -> Layer:
    """The layer from `find_layer`, if programs of this machine can run under it.

    Raises:
        CouldNotRun: they cannot, or there is none.
    """
    if sys.platform != "linux":
        raise CouldNotRun(
            "programs run under the guard on Linux only",
            "`fshield invoke` runs a function in a container; for anything else use a Linux one",
        )
    return find_layer(chosen)


@dataclass(frozen=True)
class ChosenPolicy:
    """The value of ``FUNCTION_SHIELD_POLICY``, and the policy's file."""

    variable: str
    file: Path


def find_policy(layer: Layer, policy: str) -> ChosenPolicy:
    """The policy that `policy` names: a name in the layer, a YAML file (compiled into the cache),
    or a compiled file.

    Raises:
        CouldNotRun: there is no such policy.
        PolicyError: the YAML is wrong.
    """
    in_layer = layer.policy_file(policy)
    if "/" not in policy and in_layer.is_file():
        return ChosenPolicy(policy, in_layer)
    path = Path(policy)
    if not path.is_file():
        raise CouldNotRun(
            f"no policy {shown(policy)}: no such file, and the layer has"
            f" {', '.join(layer.policy_names()) or 'none'}",
            "name one of these, or a .yaml or .policy file",
        )
    if path.suffix == ".policy":
        return ChosenPolicy(str(path.absolute()), path.absolute())
    content = compile_policy(load(path))
    compiled = (
        cache_folder("policies", hashlib.sha256(content).hexdigest()[:16]) / f"{path.stem}.policy"
    )
    write_whole(compiled, content)
    return ChosenPolicy(str(compiled), compiled)


def refuse_blocked_places(policy: Path, places: Iterable[tuple[str, Path]]) -> None:
    """Fail before anything runs if the policy would block the program's own files.

    Args:
        policy: the compiled policy in force.
        places: descriptions ("the layer") and paths.

    Raises:
        CouldNotRun: one of the places is in /tmp and the policy blocks it there; one sentence that
            says so.
        PolicyError: the engine would refuse the policy.
    """
    inside = [(what, place) for what, place in places if _in_tmp(place)]
    if not inside:
        return
    compiled = explain.subject(policy).compiled
    for what, place in inside:
        if _blocks(compiled, place):
            raise CouldNotRun(
                f"{what} {place} lies under /tmp, and cannot run while the policy {compiled.name}"
                " blocks /tmp",
                "move it out of /tmp (a checkout in your home folder will do), or take a policy"
                " that allows it",
            )


def _in_tmp(place: Path) -> bool:
    # Check both the path and its target: a link in /tmp must be read there, and a link elsewhere
    # may lead there.
    return any(path.is_relative_to(_TMP) for path in (place.absolute(), place.resolve()))


def _blocks(compiled: Compiled, place: Path) -> bool:
    # Ask about a file in the folder, because exceptions are patterns of files.
    asked = place.resolve() / "file" if place.is_dir() else place.resolve()
    path = asked if asked.is_relative_to(_TMP) else place.absolute()
    return compiled.decide(Family.TMP, path=str(path)).mode is Mode.BLOCK
