"""An event shows the line of policy that would have let its act pass. With that line, the act
passes."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import yaml

from tests import support

#: The rule, an act in Python, and the entry that its event shows.
ACTS = {
    "name": (
        "outbound_connectivity",
        "socket.getaddrinfo('api.example.invalid', 443)",
        {"host": "api.example.invalid"},
    ),
    "port": (
        "outbound_connectivity",
        "socket.create_connection(('127.66.66.66', 5), 1)",
        {"cidr": "127.66.66.66", "ports": [5]},
    ),
    "six": (
        "outbound_connectivity",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 5))",
        {"cidr": "2001:db8::1", "ports": [5]},
    ),
    "https": (
        "outbound_connectivity",
        "socket.create_connection(('127.66.66.66', 443), 1)",
        {"cidr": "127.66.66.66"},
    ),
    "file": (
        "read_write_tmp",
        "open('/tmp/no-entry')",
        {"path": "/tmp/no-entry"},
    ),
    "program": ("create_child_process", "os.system('exit 7')", None),
    "fork": ("create_child_process", "os.fork() or os._exit(0)", {"path": "fork"}),
    "module": ("native_code", "import ctypes; ctypes.CDLL(None)", None),
}
#: Acts that no entry of this rule can allow.
NONE = {
    "family": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
}
CODE = "import os, socket\ntry:\n    {act}\nexcept OSError: pass\n"


def run(act: str, rules: dict[str, Any]) -> support.Guarded:
    document = {"default": "block", "native_code": "block", **rules}
    command = [sys.executable, "-c", CODE.format(act=act)]
    return support.run_guarded(command, policy={"policy": document})


@pytest.mark.parametrize("act", ACTS)
def test_with_its_entry_the_act_passes(act: str) -> None:
    rule, code, expected = ACTS[act]
    first = run(code, {}).violations
    assert [event["policy"] for event in first] == [rule]
    entry = yaml.safe_load(first[0]["entry"])
    assert expected is None or entry == expected
    again = run(code, {rule: {"mode": "block", "allow": [entry]}}).violations
    assert again == []


@pytest.mark.parametrize("act", NONE)
def test_what_no_entry_cures_has_none(act: str) -> None:
    first = run(NONE[act], {}).violations
    assert first
    assert all("entry" not in event for event in first)
