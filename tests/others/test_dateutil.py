"""dateutil 4, a dependency of pandas, makes no event under `default`.

botocore requires dateutil 2, so tests/packages cannot test version 4. The lock file of Application
Signals has it.
"""

from __future__ import annotations

from tests.others.test_others import PYTHON, packages
from tests.support import ROOT, Event, run_guarded

IMPORT = "import dateutil, dateutil.tz; print(dateutil.__version__)"


def reported(policy: str) -> list[Event]:
    """The events that its import makes."""
    env = {"PYTHONPATH": str(packages("signals"))}
    done = run_guarded([str(PYTHON), "-c", IMPORT], policy=policy, env=env)
    assert (done.returncode, done.stdout.partition(".")[0]) == (0, "4"), done.stderr
    return [event for event in done.violations if event["policy"] == "native_code"]


def test_dateutil_under_default() -> None:
    policy = (ROOT / "policies" / "default.yaml").read_text()
    assert reported(policy) == []
    without = policy.replace("dateutil, ", "")
    assert without != policy
    (event,) = reported(without)
    assert event["details"]["path"] == "_ctypes", "if this fails, the entry is no longer needed"
    assert event["origin"]["distribution"] == "python-dateutil"
