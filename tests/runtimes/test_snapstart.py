"""SnapStart: after a restore, the guard renews what it learnt before the snapshot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fshield.local import components
from tests.support import ROOT, clean_environment, interpreters

pytestmark = pytest.mark.skipif(
    subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False).returncode != 0,
    reason="no namespaces here",
)
# SnapStart has Python 3.12 and newer.
PYTHONS = [one for one in interpreters() if components.python_version(one) >= (3, 12)]


def run(python: Path, folder: Path, kind: str) -> dict[str, Any]:
    components.runtime_client(python, components.python_version(python))
    inside = ROOT / "tests" / "contract" / "nameserver.py"
    seen, resolv = folder / "seen.json", folder / "resolv.conf"
    driver = ROOT / "tests" / "runtimes" / "restored.py"
    words: list[str | Path] = [sys.executable, driver, python, folder, kind]
    done = subprocess.run(
        ["unshare", "-rnm", sys.executable, inside, seen, resolv, "--", *words],
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["bodies"], found["output"]
    return found


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.name)
def test_a_restored_process_knows_nothing_of_the_snapshots_network(
    python: Path, tmp_path: Path
) -> None:
    found = run(python, tmp_path, "snap-start")
    (body,) = found["bodies"]
    # The learnt address, the name server at the start, and the other machine's name server.
    assert body["before"] == ["connected", "sent", "refused"]
    assert body["hook"] == body["after"] == ["refused", "refused", "sent"]
    assert body["child"] == ["refused", "sent"]
    assert body["again"] == "refused"

    armed = [event for event in found["events"] if event["event"] == "armed"]
    assert [event.get("restored") for event in armed] == [None, True]
    first, second = (event["nonce"] for event in armed)
    assert first != second
    same = ("policy_sha256", "rings", "runtime", "function", "pid", "policy_name", "version")
    assert [armed[0][key] for key in same] == [armed[1][key] for key in same]
    # Counts are written before the snapshot, because each restored process counts separately.
    ours = [event for event in found["events"] if event["nonce"] in (first, second)]
    nonces = [event["nonce"] for event in ours]
    assert nonces == sorted(nonces, key=[first, second].index)
    for nonce in (first, second):
        numbers = [event["seq"] for event in ours if event["nonce"] == nonce]
        assert numbers == list(range(len(numbers)))
    counts = [
        (event["nonce"] == second, event["count"])
        for event in ours
        if event["event"] == "violation" and event["policy"] == "read_write_tmp"
    ]
    assert counts[:2] == [(False, 1), (False, 2)]


def test_without_a_snapshot_nothing_is_renewed(tmp_path: Path) -> None:
    found = run(PYTHONS[0], tmp_path, "on-demand")
    (body,) = found["bodies"]
    assert body["before"] == body["after"] == ["connected", "sent", "refused"]
    assert [event.get("restored") for event in found["events"] if event["event"] == "armed"] == [
        None
    ]
