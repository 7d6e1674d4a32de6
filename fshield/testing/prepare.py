"""Finds the layer and the policy of marked tests: ``python -m fshield.testing.prepare``.

A process of its own, so that the tests' process imports nothing of fshield's but the plugin. It
reads ``{"policy": …, "places": [[what, path], …], "blocks": true}`` from stdin and answers with
``{"launcher": …, "variable": …, "folder": …}`` or ``{"problem": …}`` on stdout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fshield.errors import CouldNotRun, PolicyError
from fshield.local.cache import cache_folder
from fshield.local.layer import find_policy, layer_to_run, refuse_blocked_places


def prepare(asked: dict[str, Any]) -> dict[str, str]:
    """What the tests' process needs to start the launcher."""
    layer = layer_to_run()
    chosen = find_policy(layer, str(asked["policy"]))
    if asked["blocks"]:
        places = [(str(what), Path(place)) for what, place in asked["places"]]
        refuse_blocked_places(chosen.file, [*places, ("the layer", layer.folder)])
    return {
        "launcher": str(layer.launcher),
        "variable": chosen.variable,
        "folder": str(cache_folder("pytest")),
    }


def main() -> None:
    try:
        answer = prepare(json.load(sys.stdin))
    except CouldNotRun as error:
        answer = {"problem": error.message + (f"\n  fix: {error.fix}" if error.fix else "")}
    except PolicyError as error:
        answer = {"problem": f"{error.finding.place}: {error.finding.message}"}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
