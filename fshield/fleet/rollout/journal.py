"""The journal of a rollout: one JSON object per line, each written to disk before the step that it
describes.

An interrupted rollout continues from this file, and a rollback uses it: each function's line has
its old configuration. A line that a crash cut is ignored, because its step was not begun.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from fshield.errors import CouldNotRun
from fshield.files import write_whole

_VERSION = 1
#: The version for rollouts to an alias, which readers of version 1 would take for rollouts to
#: functions.
_VERSION_ALIAS = 2
#: (account, region, function)
Key = tuple[str, str, str]


class Step(str, Enum):
    """The state of a rollout."""

    MOVE = "move"
    WATCH = "watch"
    BACK = "back"
    DONE = "done"
    UNDONE = "undone"

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self in {Step.DONE, Step.UNDONE}


@dataclass(frozen=True)
class Moved:
    """The change of one function.

    Args:
        before, after: its whole list of layers.
        variables: for each that changes, its values before and after; None: not set.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    variables: Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True)
class Versions:
    """The versions of an alias.

    Args:
        before: its version when the rollout began.
        after: the version with the new policies; empty: not published yet.
    """

    before: str
    after: str = ""


@dataclass
class Journal:
    """One rollout.

    Args:
        path: the file.
        digest: SHA-256 of the policy layer's zip.
        layer: the policy layer's name.
        shares: of the functions, stage by stage.
        arns: the layer version for each place's (account, region).
        functions: for each function its stage.
        started: when the rollout began.
        groups: their log groups.
        stage, step: the current ones.
        moved_at: when the first function of the stage was about to be moved.
        watched_from: when the last one of the stage was moved.
        moved: for each moved function, its old and new configuration.
        why: why it rolled back.
        alias: the alias whose calls are moved; None: functions are moved.
        versions: for each function that was begun, its alias's versions.
    """

    path: Path
    digest: str
    layer: str
    shares: list[float]
    arns: dict[tuple[str, str], str]
    functions: dict[Key, int]
    started: datetime
    groups: dict[Key, str] = field(default_factory=dict)
    stage: int = 0
    step: Step = Step.MOVE
    moved_at: datetime | None = None
    watched_from: datetime | None = None
    moved: dict[Key, Moved] = field(default_factory=dict)
    why: str = ""
    alias: str | None = None
    versions: dict[Key, Versions] = field(default_factory=dict)
    _end: int = field(default=0, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def begin(self) -> None:
        """Write the file anew. Raises CouldNotRun."""
        head = {
            "rollout": _VERSION_ALIAS if self.alias else _VERSION,
            **({"alias": self.alias} if self.alias else {}),
            "sha256": self.digest,
            "layer": self.layer,
            "shares": self.shares,
            "started": self.started.isoformat(),
            "arns": [[*place, arn] for place, arn in self.arns.items()],
            "functions": [
                [*key, stage, self.groups.get(key, "")] for key, stage in self.functions.items()
            ],
        }
        line = _line(head)
        write_whole(self.path, line)
        self._end = len(line)

    def step_to(self, step: Step, stage: int, at: datetime, why: str = "") -> None:
        """The next step begins."""
        self._append({"step": step.value, "stage": stage, "at": at.isoformat(), "why": why})
        self._take_step(step, stage, at, why)

    def moving(self, key: Key, moved: Moved) -> None:
        """A function is about to be moved."""
        self._append(
            {
                "move": key,
                "before": moved.before,
                "after": moved.after,
                "variables": dict(moved.variables),
            }
        )
        self.moved[key] = moved

    def leading(self, key: Key, versions: Versions) -> None:
        """A function's alias is about to be moved, or its new version was published."""
        self._append({"alias": key, "version": versions.before, "new": versions.after})
        self.versions[key] = versions

    def _take_step(self, step: Step, stage: int, at: datetime, why: str) -> None:
        if step is Step.MOVE and (stage != self.stage or self.moved_at is None):
            self.moved_at = at
        if step is Step.WATCH:
            self.watched_from = at
        self.step, self.stage, self.why = step, stage, why or self.why

    def _append(self, content: Mapping[str, Any]) -> None:
        line = _line(content)
        try:
            with self._lock, self.path.open("r+b") as stream:
                # Overwrite a line that was cut.
                stream.truncate(self._end)
                stream.seek(self._end)
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
                self._end += len(line)
        except OSError as error:
            raise CouldNotRun(
                f"{self.path}: {error.strerror}: without it there is no way back",
                "make room, and run the command again",
            ) from error

    @property
    def last(self) -> bool:
        """Whether no stage follows."""
        return self.stage == len(self.shares) - 1

    @property
    def begun(self) -> list[Key]:
        """The functions that were moved, or were about to be."""
        return list(self.versions if self.alias else self.moved)

    @property
    def watched(self) -> list[Key]:
        """The functions whose events are watched."""
        if not self.alias:
            return list(self.moved)
        return [key for key, versions in self.versions.items() if versions.after]

    def of_stage(self, stage: int) -> list[Key]:
        """The functions of a stage. In a rollout to an alias, every stage has all functions."""
        return [key for key, of in self.functions.items() if self.alias or of == stage]

    def due(self) -> list[Key]:
        """The functions to move in this stage. Leaves out those that failed in the first stage."""
        return self.watched if self.alias and self.stage else self.of_stage(self.stage)


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def read(path: Path) -> Journal | None:
    """The rollout in a journal; None if there is no file. Raises CouldNotRun."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", "--journal FILE") from error
    try:
        end = content.rfind(b"\n") + 1
        head, *rest = [json.loads(line) for line in content[:end].splitlines()]
        alias = head.get("alias")
        if head["rollout"] != (_VERSION_ALIAS if alias else _VERSION):
            raise CouldNotRun(
                f"{path}: was written by another version of fshield", "end it with that version"
            )
        functions = head["functions"]
        journal = Journal(
            path,
            head["sha256"],
            head["layer"],
            head["shares"],
            {(account, region): arn for account, region, arn in head["arns"]},
            {(account, region, name): stage for account, region, name, stage, _ in functions},
            datetime.fromisoformat(head["started"]),
            {(account, region, name): group for account, region, name, _, group in functions},
            alias=alias,
        )
        journal._end = end
        for line in rest:
            if "move" in line:
                account, region, name = line["move"]
                key = (account, region, name)
                journal.moved[key] = Moved(
                    tuple(line["before"]),
                    tuple(line["after"]),
                    {name: (old, new) for name, (old, new) in line["variables"].items()},
                )
            elif "alias" in line:
                account, region, name = line["alias"]
                journal.versions[account, region, name] = Versions(line["version"], line["new"])
            else:
                at = datetime.fromisoformat(line["at"])
                journal._take_step(Step(line["step"]), line["stage"], at, line["why"])
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotRun(
            f"{path} is not a rollout's journal", "--journal FILE names another"
        ) from error
    return journal
