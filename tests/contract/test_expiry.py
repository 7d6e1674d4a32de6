"""An entry's last day is over. `check` reports it, and the running function does not notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.contract.helpers import OUTSIDE, PYTHON
from tests.support import run_guarded

EXPIRED = "expires: 2020-01-31, owner: team-checkout, reason: fonts"
POLICY = f"""version: 1
policy:
  outbound_connectivity: {{mode: block, allow: [{{cidr: {OUTSIDE}, ports: [4443], {EXPIRED}}}]}}
  read_write_tmp: {{mode: block, allow: [{{path: /tmp/function-shield-expired, {EXPIRED}}}]}}
  create_child_process: {{mode: block, allow: [{{path: /usr/bin/uname, {EXPIRED}}}]}}
  read_handler: block
  native_code: {{mode: block, allow: [{{library: __main__, {EXPIRED}}}]}}
"""
ACTS = f"""
import os, socket, subprocess
print(socket.socket().connect_ex(("{OUTSIDE}", 4443)))
open("/tmp/function-shield-expired", "w").close()
os.unlink("/tmp/function-shield-expired")
print(subprocess.run(["/usr/bin/uname"], capture_output=True, text=True).stdout)
import ctypes
try: open("/tmp/function-shield-other", "w")
except PermissionError: print("blocked")
"""


def test_the_running_function_never_notices() -> None:
    result = run_guarded([PYTHON, "-c", ACTS], policy=POLICY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["111", "Linux", "blocked"]
    assert [event["details"]["path"] for event in result.violations] == [
        "/tmp/function-shield-other"
    ]
    assert "expire" not in str(result.events)


def test_check_fails_on_each(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    done = subprocess.run(
        [sys.executable, "-m", "fshield", "check", str(policy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.count("expired on 2020-01-31 (owner: team-checkout, reason: fonts)") == 4
