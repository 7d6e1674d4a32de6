"""The rows of packages.yaml, and the check of a run against its row."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fshield.language.model import RULES
from tests import support

HERE = Path(__file__).parent
POLICIES = support.ROOT / "policies"
INVOCATIONS = 2
SAID = ("allowed", "quiet", "reported", "blocked", "unreached")
TOLD = ("reported", "blocked")
HANDLER = """import os
{imports}


def use(event, context):
{use}


def handler(event, context):
    return use(event, context)
"""


@dataclass(frozen=True)
class Expected:
    """A kind of act that is expected: its event under `monitor`, and what `default` does."""

    rule: str
    at: str
    when: str
    default: str
    why: str

    def covers(self, event: Mapping[str, Any]) -> bool:
        """Whether `event` is about an act of this kind."""
        when = "use" if event["requestId"] else "import"
        same = (self.rule, self.when) == (event["policy"], when)
        return same and re.fullmatch(self.at, place(event)) is not None


@dataclass(frozen=True)
class Quiet:
    """A file that is refused without an event."""

    path: str
    why: str


@dataclass(frozen=True)
class Row:
    """A package: its import, an ordinary use of it, and what is expected of both."""

    package: str
    imports: str
    use: str
    events: tuple[Expected, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    needs: Mapping[str, Any] = field(default_factory=dict)
    hosts: tuple[Mapping[str, Any], ...] = ()
    accept: tuple[str, ...] = ()
    held: str = ""
    raises: str = ""
    differs: Any = None

    def expected(self) -> tuple[Expected, ...]:
        """The expected acts that the row lists, and the connections to its hosts."""
        why = "a host that the function is about is named in its policy"
        ways = []
        for entry in self.hosts:
            at = re.escape(entry["host"]) + "(:[0-9]+)?"
            ways.append(Expected("outbound_connectivity", at, "use", "blocked", why))
        return (*self.events, *ways)

    def more(self) -> dict[str, Any]:
        """What the row's policy has in addition to `default`."""
        ways = {"outbound_connectivity": {"allow": list(self.hosts)}} if self.hosts else {}
        return {**ways, **self.needs}

    def runs(self) -> list[str]:
        """The policies for this row; "bare" is a run without the guard."""
        needs = ["needs"] if self.more() else []
        return ["bare", "monitor", "default", *needs, *(["learnt"] if self.is_learnt() else [])]

    def is_learnt(self) -> bool:
        """Whether a policy can be learnt for this row."""
        return bool(self.expected()) and not self.held

    def handler(self) -> str:
        """The source of the function's module."""
        return HANDLER.format(imports=self.imports, use=textwrap.indent(self.use, "    ").rstrip())

    def policy(self, folder: Path) -> dict[str, Any]:
        """`default` and the row's additions, for a policy file in `folder`."""
        base = os.path.relpath(POLICIES / "default.yaml", folder)
        return {"version": 1, "extends": base, "policy": self.more()}


@dataclass(frozen=True)
class Done:
    """The answers of one run, and its violations."""

    answers: list[Any]
    violations: list[support.Event]
    output: str
    left: list[str]


def rows() -> list[Row]:
    """All rows, in order. Raises ValueError for a malformed row."""
    found = []
    for each in yaml.safe_load((HERE / "packages.yaml").read_text())["packages"]:
        row = Row(
            each.pop("package"),
            (each.pop("import") or "").rstrip(),
            each.pop("use"),
            tuple(Expected(**one) for one in each.pop("events", [])),
            tuple(Quiet(**one) for one in each.pop("quiet", [])),
            each.pop("needs", {}),
            tuple(each.pop("hosts", [])),
            tuple(each.pop("accept", [])),
            each.pop("held", ""),
            each.pop("raises", ""),
            each.pop("differs", None),
        )
        if each:
            raise ValueError(f"{row.package}: unknown keys {sorted(each)}")
        for one in row.events:
            if (
                one.rule not in RULES
                or one.default not in SAID
                or one.when not in {"import", "use"}
            ):
                raise ValueError(f"{row.package}: {one}")
        found.append(row)
    return found


def place(event: Mapping[str, Any]) -> str:
    """The object that an event is about."""
    details = event["details"]
    if event["policy"] in {"outbound_connectivity", "runtime_api"}:
        host = details["host"] or details["ip"]
        return f"{host}:{details['port']}" if details["port"] else str(host)
    return str(details["path"])


def problems(row: Row, done: Mapping[str, Done]) -> list[str]:
    """How the runs of `row` differ from what it declares. `done` maps a policy to its run: bare,
    monitor, default, and `needs` if the row has additions."""
    found = [*_of_answers(row, done), *_of_entries(row, done)]
    for one in row.quiet:
        there = [policy for policy in ("bare", "default") if one.path in done[policy].left]
        if there != ["bare"]:
            found.append(f"{one.path} was made under {there}")
    found += _of_events(row, "monitor", SAID, done["monitor"].violations)
    found += _of_events(row, "default", TOLD, done["default"].violations)
    return found


def _blocks(row: Row) -> bool:
    return any(one.default == "blocked" for one in row.expected())


def _of_answers(row: Row, done: Mapping[str, Done]) -> Iterator[str]:
    bare = done["bare"].answers
    kinds = {answer.get("errorType", "") if isinstance(answer, dict) else "" for answer in bare}
    if kinds != {row.raises}:
        yield f"without the guard: {bare} {done['bare'].output[-2000:]}"
    if done["monitor"].answers != bare:
        yield f"monitor: {done['monitor'].answers} instead of {bare}"
    enforced = done["default"].answers
    if not _blocks(row) and enforced != bare:
        yield f"default: {enforced} instead of {bare}"
    if row.differs is not None and enforced != [row.differs] * len(bare):
        yield f"default: {enforced} instead of {row.differs}"


def _of_entries(row: Row, done: Mapping[str, Done]) -> Iterator[str]:
    """Differences in the runs under `needs` and `learnt`."""
    if "needs" not in done and _blocks(row) and row.differs is None:
        yield "default blocks it, and nothing is said that it needs"
    for policy in ("needs", "learnt"):
        if policy not in done or row.differs is not None:
            continue
        if done[policy].answers != done["bare"].answers:
            yield f"{policy}: {done[policy].answers} instead of {done['bare'].answers}"
        for event in done[policy].violations:
            if event["mode"] == "block":
                yield f"{policy}: {event['message']}"


def _of_events(
    row: Row, policy: str, reported: Sequence[str], events: Sequence[support.Event]
) -> Iterator[str]:
    """Differences in the events under one policy. It reports the acts whose `default` is in
    `reported`."""
    wanted = [one for one in row.expected() if one.default in reported]
    seen = set()
    for event in events:
        match = next((one for one in wanted if one.covers(event)), None)
        if match is None:
            yield f"{policy}: not said: {_shown(event)}"
            continue
        seen.add(match)
        mode = "block" if policy == "default" and match.default == "blocked" else "alert"
        if event["mode"] != mode:
            yield f"{policy}: {event['mode']}, not {mode}: {_shown(event)}"
    yield from (f"{policy}: did not happen: {one}" for one in wanted if one not in seen)


def _shown(event: support.Event) -> str:
    when = "use" if event["requestId"] else "import"
    return f"{event['policy']} {place(event)} ({when}): {event['message']}"
