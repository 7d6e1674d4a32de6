"""Runs the incidents in namespaces, and compares each act with its header."""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from fshield.local import components
from tests import support
from tests.incidents.corpus import Act, Incident
from tests.incidents.world import PYTHON

POLICIES = ("monitor", "default", "strict", "realistic", "only_for")
WORLDS = 2
TIMEOUT_S = 900
_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


class NoWorld(Exception):
    """This machine cannot make a world; the text says why."""


@dataclass
class Outcome:
    """The result of one act under every policy. ``seen[""]`` is without the guard."""

    incident: Incident
    act: Act
    seen: dict[str, bool] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.incident.key}/{self.act.name}"

    def named(self, policy: str) -> str:
        """The distribution that an event under this policy names; "" if no event is about the
        act."""
        for event in self.events.get(policy, []):
            origin = event["origin"] or {}
            distribution = origin.get("distribution") or "no package"
            return (
                f"{distribution} {origin['version']}"
                if origin.get("version")
                else str(distribution)
            )
        return ""

    def problems(self) -> list[str]:
        """What differs from the header."""
        found = []
        if not self.seen.get(""):
            found.append(f"without the guard it must work: {self.words.get('')}")
        for policy in POLICIES:
            stopped = self.act.is_stopped(policy)
            undone = policy in self.act.undone
            modes = {event["mode"] for event in self.events.get(policy, [])}
            words = self.words.get(policy) or []
            if self.seen.get(policy) == (stopped or undone):
                wanted_end = "stopped" if stopped else "undone" if undone else "done"
                found.append(f"{policy}: it must be {wanted_end}: {words}")
            if undone and f"ACT {self.act.name} DONE" not in words:
                found.append(f"{policy}: it must be done before it is undone: {words}")
            wanted = "block" if stopped else "alert" if policy == "monitor" else ""
            if self.act.rule and wanted and wanted not in modes:
                found.append(f"{policy}: no event of {self.act.rule} says {self.act.says}")
        return found


@functools.cache
def has(word: str) -> bool:
    """Whether the machine has a program or a kind of socket."""
    if word == "alg":
        try:
            socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
        except OSError:
            return False
        return True
    return shutil.which(word) is not None


def lacking(incident: Incident, act: Act) -> str:
    """What this act needs and this machine lacks; "" if the act can be replayed."""
    needs = [*act.needs, *(["node"] if incident.language == "js" else [])]
    return " ".join(word for word in needs if not has(word))


def not_replayed(chosen: Sequence[Incident]) -> list[tuple[Incident, Act, str]]:
    """The acts that this machine cannot replay, and what each lacks."""
    return [
        (incident, act, word)
        for incident in chosen
        for act in incident.acts
        if (word := lacking(incident, act))
    ]


def _run(keys: Sequence[str]) -> list[dict[str, Any]]:
    unshare = ["unshare", "-n", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-n", "-m"]
    done = subprocess.run(
        [*unshare, sys.executable, "-m", "tests.incidents.world", *keys],
        cwd=support.ROOT,
        env={**support.clean_environment(), "PATH": _PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the replay ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def replay(chosen: Sequence[Incident]) -> list[Outcome]:
    """Replay these incidents under every policy.

    Raises:
        NoWorld: this machine has no namespaces, or lacks a tool for them.
    """
    missing = [
        tool
        for tool in ("unshare", "ip", "dnsmasq", "mount")
        if shutil.which(tool, path=_PATH) is None
    ]
    if missing:
        raise NoWorld(
            f"{', '.join(missing)} not found (Debian: util-linux, iproute2, dnsmasq-base)"
        )
    found = {
        (incident.key, act.name): Outcome(incident, act)
        for incident in chosen
        for act in incident.acts
        if not lacking(incident, act)
    }
    # Compile the policies now: inside a world there is no way out to fetch what is not cached.
    components.emulator()
    components.runtime_client(PYTHON, components.python_version(PYTHON))
    keys = [incident.key for incident in chosen]
    parts = [part for part in (keys[at::WORLDS] for at in range(WORLDS)) if part]
    with ThreadPoolExecutor(WORLDS) as pool:
        for row in [row for part in pool.map(_run, parts) for row in part]:
            for name, act in row["acts"].items():
                outcome = found.get((row["incident"], name))
                if outcome is None:
                    continue
                outcome.seen[row["policy"]] = act["seen"]
                outcome.events[row["policy"]] = act["events"]
                outcome.words[row["policy"]] = act["words"] or row["output"]
    return list(found.values())
