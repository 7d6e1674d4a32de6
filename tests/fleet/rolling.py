"""A rollout without waiting and without logs: its clock jumps, and its events are invented."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import typer

from fshield.engine.package import package
from fshield.evidence.stream import EventReader, Record
from fshield.fleet.request import Asked, RunOptions, Selection
from fshield.fleet.rollout import command
from fshield.fleet.rollout.layer import policy_digests
from fshield.fleet.rollout.stages import shares
from fshield.fleet.rollout.work import Rules
from fshield.fleet.run import Target
from tests.fleet.command import Ran
from tests.fleet.stand_in import KEYS, REGION, StandIn

NOON = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


def policies(folder: Path, mode: str = "alert") -> Path:
    """A policy layer with one policy, named monitor."""
    source = folder / f"policies-{mode}"
    source.mkdir()
    (source / "monitor.yaml").write_text(
        f"version: 1\ndefault: alert\npolicy:\n  outbound_connectivity: {mode}\n"
    )
    path = folder / f"{mode}.zip"
    path.write_bytes(package(source)[0])
    return path


class Clock:
    """A clock that jumps instead of sleeping. `at_sleep` is called before each sleep."""

    def __init__(self) -> None:
        self.time = NOON
        self.sleeps = 0
        self.at_sleep: Callable[[int], None] = lambda number: None

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.at_sleep(self.sleeps)
        self.time += timedelta(seconds=seconds)


class Events:
    """Events of functions. A function is given by its name, or by (account, region, name)."""

    def __init__(self, clock: Clock, archive: Path) -> None:
        self.clock = clock
        self.digest = min(policy_digests(archive.read_bytes()))
        self.lines: list[tuple[Any, datetime, str, str]] = []
        self.processes = 0
        self.looked_at: set[str] = set()

    def add(
        self,
        function: Any,
        *acts: dict[str, Any],
        at: datetime | None = None,
        digest: str | None = None,
        version: str = "",
    ) -> None:
        """Add a process of the function, or of a version of it: its start, and its `acts`."""
        self.processes += 1
        when = at or self.clock.time
        common = {
            "function_shield": True,
            "event_version": 1,
            "timestamp": when.isoformat().replace("+00:00", "Z"),
            "pid": 7,
            "nonce": f"{self.processes:016x}",
        }
        armed = {"event": "armed", "level": "INFO", "policy_sha256": digest or self.digest}
        for seq, act in enumerate([armed, *acts]):
            line = json.dumps({**common, **act, "seq": seq})
            self.lines.append((function, when, line, version))

    def records(
        self, target: Target, since: datetime, until: datetime, version: str
    ) -> Iterator[Record]:
        self.looked_at.add(target.name)
        names = (target.name, (target.place.number, target.place.region, target.name))
        messages = [
            {"message": line}
            for function, when, line, of in self.lines
            if function in names and since <= when <= until and (not version or of == version)
        ]
        yield from EventReader().messages(messages, f"/aws/lambda/{target.name}")


def blocked(host: str, dependency: str = "inkstamp") -> dict[str, Any]:
    """An event of a blocked connection."""
    return {
        "event": "violation",
        "level": "ERROR",
        "mode": "block",
        "policy_mode": "block",
        "policy": "outbound_connectivity",
        "count": 1,
        "details": {"host": host, "port": 443, "protocol": "tcp"},
        "origin": {"distribution": dependency, "file": "/var/task/x.py", "line": 1, "stack": []},
    }


class Roller:
    """Runs ``fshield rollout`` in this process."""

    def __init__(
        self,
        stand_in: StandIn,
        archive: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("COLUMNS", "80")
        self.stand_in = stand_in
        self.archive = archive
        self.capsys = capsys
        self.clock = Clock()
        self.events = Events(self.clock, archive)
        self.journal = archive.with_name(f"{archive.name}.rollout")

    def __call__(
        self,
        *names: str,
        canary: Sequence[str] = ("5%",),
        rules: Rules | None = None,
        go_back: bool = False,
        archive: Path | None = None,
        asked: Asked | None = None,
        alias: str | None = None,
        **options: Any,
    ) -> Ran:
        """Run the rollout on the named functions; without names, on all."""
        self.capsys.readouterr()
        chosen = Selection(names) if names else Selection(everything=True)
        asked = asked or Asked((REGION,), endpoint_url=self.stand_in.url)
        request = command.Request(
            archive or self.archive,
            "function-shield-policies",
            shares(canary),
            rules or Rules(),
            go_back=go_back,
            journal=self.journal,
            alias=alias,
        )
        outside = command.Outside(lambda _: self.clock, lambda _: self.events)
        options = {"yes": True, "as_json": True, **options}
        with pytest.raises(typer.Exit) as ended:
            command.rollout(request, chosen, asked, RunOptions(**options), outside)
        printed = self.capsys.readouterr()
        return Ran(ended.value.exit_code, printed.out, printed.err)
