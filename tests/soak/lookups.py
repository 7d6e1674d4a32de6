"""Honest threads beside lookups: ``python tests/soak/lookups.py [--seconds N]``.

Runs ``lookups.c`` in a separate network, under a policy that allows one name. Every lookup must
return that name's address, every connection must succeed, and every fd must stay what its thread
made it. Nothing is refused, and no other address is learnt.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import support
from tests.egress import places
from tests.egress.network import Network
from tests.soak.soak import BUILD, Outcome, check_events

POLICY: dict[str, dict[str, Any]] = {
    "policy": {
        "outbound_connectivity": {"mode": "block", "allow": [{"host": places.QUICK}]},
        "read_write_tmp": "block",
        "create_child_process": "allow",
        "read_handler": "block",
        "native_code": "block",
        "runtime_api": "block",
    }
}


def program() -> Path:
    """Compile lookups.c."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("tests/soak/lookups.py: neither gcc nor clang is here")
    BUILD.mkdir(parents=True, exist_ok=True)
    source, out = Path(__file__).with_name("lookups.c"), BUILD / "lookups"
    flags = ["-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(
        [compiler, *flags, str(source), "-o", str(out), "-pthread", "-lresolv"], check=True
    )
    return out


def soak(seconds: int, layer: Path = support.LAYER) -> Outcome:
    """Run for ``seconds``."""
    outcome = Outcome()
    folder, events = BUILD / "lookups-network", BUILD / "lookups.log"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    events.unlink(missing_ok=True)
    environment = support.clean_environment(
        {
            "FUNCTION_SHIELD_POLICY": support.policy_file(POLICY),
            "FUNCTION_SHIELD_EVENTS": str(events),
        }
    )
    command = [
        layer / "function-shield",
        program(),
        seconds,
        places.QUICK,
        places.QUICK_ADDRESS,
        places.SHARED,
    ]
    network = Network(folder)
    try:
        done = subprocess.run(
            [*network.enter, *map(str, command)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        outcome.faults.append(f"it did not end within {seconds + 60} s")
        return outcome
    finally:
        network.close()
    if done.returncode != 0:
        outcome.faults.append(f"exit status {done.returncode}: {done.stderr[-2000:]}")
        return outcome
    outcome.counts = json.loads(done.stdout)
    for what in ("broken", "learnt"):
        if outcome.counts[what]:
            outcome.faults.append(f"{what}: {outcome.counts[what]}: {done.stderr[:2000]}")
    if outcome.counts["before"] != outcome.counts["after"]:
        outcome.faults.append(
            f"fds: {outcome.counts['before']} before, {outcome.counts['after']} after"
        )
    done_of = ("lookups", "connections", "churns", "forks")
    outcome.faults += [f"{what}: none" for what in done_of if not outcome.counts[what]]
    text = events.read_text(errors="replace")
    check_events(text, outcome)
    refused = [
        event for event in map(json.loads, text.splitlines()) if event["event"] == "violation"
    ]
    # The last act of the program uses an address that the guard must not have learnt.
    if [event["details"].get("ip") for event in refused] != [places.SHARED]:
        outcome.faults.append(f"refused: {[event['message'] for event in refused][:5]}")
    return outcome


def main() -> int:
    """Run it, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    outcome = soak(options.seconds)
    print(json.dumps(outcome.counts), f"{outcome.lines} event lines")
    for fault in outcome.faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
