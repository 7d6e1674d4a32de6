"""Memory does not grow with the log: a small version of ``make volume``, which uses gigabytes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import volume  # noqa: E402

#: The tolerance for more of the same acts: the allocator varies by itself.
SLACK = 16 << 20


@pytest.mark.parametrize("command", ["learn", "report"])
def test_memory_is_bounded(command: str) -> None:
    small = volume.measure(command, 8_000_000)
    large = volume.measure(command, 32_000_000)
    assert large.events > 3.5 * small.events
    # The log has acts that never repeat, and these are kept: at most 50,000, and 1,700 in the
    # larger log here.
    assert large.memory < small.memory + SLACK


def test_every_event_of_the_generated_log_is_believed(tmp_path: Path) -> None:
    from fshield.evidence.acts import Evidence  # noqa: PLC0415
    from fshield.evidence.stream import EventReader  # noqa: PLC0415

    path = tmp_path / "log"
    path.write_bytes(b"".join(volume.log(3_000_000)))
    reader = EventReader()
    evidence = Evidence().read(reader.file(str(path)))
    assert evidence.events == reader.counts.events > 3000 and evidence.doubtful == 0
    assert reader.counts.sentences() == [] and reader.counts.others > 3000
