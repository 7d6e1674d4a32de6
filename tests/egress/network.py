"""The outside view of the test network: starts it, runs programs in it, and reads what arrived."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import support

START_SECONDS = 60
_QUERY = re.compile(r" query\[([^\]]+)\] (\S+) from ")


class NoNetwork(Exception):
    """This machine cannot make the network; the text says why."""


@dataclass
class Arrived:
    """What reached the network while a program ran.

    Args:
        queries: names that the resolver was asked for, in lower case.
        notes: what the servers noted, in order.
    """

    queries: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The notes of one kind."""
        return [note for note in self.notes if note["kind"] == kind]

    def holding(self, text: str) -> list[str]:
        """Every query and note that contains `text`."""
        lines = [*self.queries, *(json.dumps(note) for note in self.notes)]
        return [line for line in lines if text.lower() in line.lower()]


@dataclass
class Done:
    """A program that ran in the network: its result, and what arrived."""

    result: support.Guarded
    arrived: Arrived


class Network:
    """A namespace with a resolver and servers. Runs one program at a time. ``enter`` is the command
    prefix that enters it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        root = os.geteuid() == 0
        lacking = [
            tool
            for tool in ("unshare", "nsenter", "ip", "dnsmasq")
            if shutil.which(tool, path=_PATH) is None
        ]
        if lacking:
            raise NoNetwork(
                f"{', '.join(lacking)} not found (Debian: util-linux, iproute2, dnsmasq-base)"
            )
        unshare = ["unshare", "-n", "-m"] if root else ["unshare", "-r", "-n", "-m"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            raise NoNetwork("no network namespace can be made here: run as root")
        self._errors = (folder / "errors").open("w+")
        self._process = subprocess.Popen(
            [*unshare, sys.executable, "-m", "tests.egress.inside", str(folder)],
            cwd=support.ROOT,
            env={**support.clean_environment(), "PATH": _PATH},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.enter = ["nsenter", "-t", str(self._process.pid), "-n", "-m"]
        if not root:
            self.enter[1:1] = ["-U", "--preserve-credentials"]
        self._expect("ready")

    @property
    def authority(self) -> Path:
        """The CA certificate behind all servers' certificates."""
        return self._folder / "ca.pem"

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        policy: str | Path | Mapping[str, Any] | None,
        env: Mapping[str, str],
        stdin: str,
        timeout: float = 60,
        cwd: Path = support.ROOT / "build",
        within: Sequence[str] = (),
    ) -> Done:
        """Run `argv` in the network, under `policy`, or without the guard if that is None. `within`
        is a command prefix."""
        seen, queries = self._size("seen"), self._size("queries")
        given = support.clean_environment(env)
        guarded = policy is not None and not support.UNGUARDED
        # nsenter changes to the root of the mount namespace.
        entered = [*self.enter, f"--wdns={cwd}", *within]
        command = [*entered, *([str(support.LAUNCHER)] if guarded else []), *map(str, argv)]
        if policy is not None:
            given["FUNCTION_SHIELD_POLICY"] = support.policy_file(policy)
        done = subprocess.run(
            command,
            cwd=cwd,
            env=given,
            capture_output=True,
            pipesize=support.PIPE_BYTES,
            text=True,
            errors="replace",
            timeout=timeout,
            input=stdin,
            check=False,
        )
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._expect("settled")
        stderr, events = support.split_events(done.stderr)
        return Done(
            support.Guarded(done.returncode, done.stdout, stderr, events),
            Arrived(
                [
                    name.lower()
                    for _, name in _QUERY.findall(self._since("queries", queries))
                    if not re.fullmatch(r"settle-\d+\.invalid", name)
                ],
                [json.loads(line) for line in self._since("seen", seen).splitlines()],
            ),
        )

    def close(self) -> None:
        """Stop the network and wait for its servers."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line != word:
            self._errors.seek(0)
            raise RuntimeError(f"the test network ended: {self._errors.read()[-2000:]}")

    def _size(self, name: str) -> int:
        path = self._folder / name
        return path.stat().st_size if path.exists() else 0

    def _since(self, name: str, offset: int) -> str:
        path = self._folder / name
        return path.read_bytes()[offset:].decode(errors="replace") if path.exists() else ""


# dnsmasq and ip are often not on a user's PATH.
_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
