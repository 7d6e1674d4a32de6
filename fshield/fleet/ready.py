"""The work of ``fshield ready``: reads a function's log and says go or no-go, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from fshield import output
from fshield.engine import decide as native
from fshield.engine import explain as explaining
from fshield.evidence.acts import Evidence
from fshield.evidence.cloudwatch import Connection, Window, since
from fshield.evidence.events import harmless
from fshield.evidence.replay import Outcome, replay, unknown_region
from fshield.evidence.sources import Source, facts_of
from fshield.evidence.stream import EventReader, Record
from fshield.fleet.api.arn import function_name, parts_of_function
from fshield.fleet.api.configuration import MODE, POLICY, Function
from fshield.fleet.ready_checks import (
    Blocked,
    Check,
    Kind,
    Seen,
    Wanted,
    checks,
    kinds_of,
    seen_in,
)
from fshield.fleet.request import Account

#: The number of kinds to print; --json has all.
_SHOWN = 10
#: The number of other functions to name.
_NAMED = 4
_NOT_KNOWN = (
    "the function's configuration, as it is with AWS, which --evidence does not ask: whether the"
    " layer is attached now, its log level, mode and variables; --env NAME=VALUE says a variable"
)


@dataclass
class _Log:
    """What was read of a function.

    Args:
        name: the function's.
        group: the log group, or the files.
        facts: about the function, for the engine.
        seen: for the checks.
        reader: what was missing or in doubt.
        function: as AWS has it; None if AWS was not asked.
        checked: the checks of its configuration.
        missing: why there is nothing to judge; "" if events of the function were read.
        region: the function's; None if nothing says it.
    """

    name: str
    group: str
    facts: native.Facts
    seen: Seen
    reader: EventReader
    function: Function | None = None
    checked: list[Check] = field(default_factory=list)
    missing: str = ""
    region: str | None = None


def _of_files(
    name: str, account: Account, files: list[str], env: list[str], evidence: Evidence
) -> _Log:
    region, _ = parts_of_function(name) or (None, None)
    plain = function_name(name, account.region or region or "")
    connection = Connection(account.region, account.profile, account.endpoint_url)
    source = Source(files, connection=connection)
    met: set[str] = set()
    with source.records() as records:
        seen = seen_in(_also_to(evidence, _of_function(plain, records, met)))
    facts = facts_of(source, region or evidence.region, account.region, env)
    known = account.region or region or evidence.region
    log = _Log(plain, ", ".join(files), facts, seen, source.reader, region=known)
    others = sorted(map(harmless, met - {plain, ""}))
    if plain not in met and (others or not met):
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        log.missing = f"none, but of {', '.join(others[:_NAMED])}{more}" if others else "none"
        log.seen = Seen()
    return log


def _of_function(name: str, records: Iterable[Record], met: set[str]) -> Iterator[Record]:
    """Those of `records` that are the function's, or name none. Adds the functions that they name
    to `met`, and "" for none.
    """
    for record in records:
        met.add(record.function)
        if record.function in ("", name):
            yield record


def _of_aws(
    name: str,
    account: Account,
    log_group: str | None,
    look_back: str,
    at_most: float,
    env: list[str],
    evidence: Evidence,
) -> _Log:
    # Imported here: boto3 takes half a second, and only this needs it.
    from fshield.fleet.standing import function_at, standing  # noqa: PLC0415

    function, region = function_at(account, name)
    group = (
        log_group
        or (function.raw.get("LoggingConfig") or {}).get("LogGroup")
        or f"/aws/lambda/{function.name}"
    )
    connection = Connection(region, account.profile, account.endpoint_url)
    source = Source([], group, look_back, connection, function.name, at_most)
    with source.records() as records:
        seen = seen_in(_also_to(evidence, records))
    variables = [f"{name}={value}" for name, value in function.variables.items()]
    facts = native.facts_of(region, [*variables, *env])
    found = standing(function)
    return _Log(function.name, group, facts, seen, source.reader, function, found, region=region)


def ready(
    name: str,
    look_back: str,
    wanted: Wanted,
    policy: Path | None,
    account: Account,
    log_group: str | None,
    at_most: float,
    files: list[str],
    env: list[str],
    as_json: bool,
) -> None:
    """Say whether the function can be enforced, and end the command with 0 for go, 1 for no-go.

    Args:
        policy: the policy to enforce, compiled or not; None: every act that any blocking rule would
            block counts.
        at_most: USD that reading the log group may cost.
        files: logs, folders or tables of evidence in place of the log group: AWS is not asked.
        env: the function's variables, ``NAME=VALUE``, besides those that AWS knows.
    """
    with output.reporting(as_json):
        compiled = explaining.subject(policy).compiled if policy else None
        now = datetime.now(timezone.utc)
        window = Window(since(look_back, now), now)
        evidence = Evidence()
        log = (
            _of_files(name, account, files, env, evidence)
            if files
            else _of_aws(name, account, log_group, look_back, at_most, env, evidence)
        )
        seen, reader = log.seen, log.reader
        blocked, remark = None, ""
        if compiled and not log.missing:
            outcomes = [each for each in replay(compiled, evidence, log.facts) if each.would_break]
            remark = unknown_region(log.region, outcomes)
            blocked = [
                Blocked(
                    each.act.words,
                    each.met.source or each.met.reason,
                    each.seen.passed,
                    _first(each, now),
                )
                for each in outcomes
            ]
        found = [*log.checked, *checks(seen, wanted, now, blocked)]
        if log.missing:
            found = [Check("events of the function", log.missing, "some", False)]
        doubts = reader.counts.missing + reader.counts.repeated + reader.counts.unnumbered
        if doubts:
            found.append(Check("events missing or in doubt", str(doubts), "0", False))
    go = all(check.holds for check in found)
    kinds = sorted(kinds_of(seen), key=lambda kind: (-kind.would_block, -kind.count, kind.target))
    if as_json:
        answer = _as_dict(log.name, log.group, window, go, found, kinds, blocked, seen, reader)
        output.print_json(answer | {"not_known": [] if log.function else [_NOT_KNOWN]})
    else:
        _print(log.name, _about(log.function, seen), log.group, go, found, kinds, blocked, reader)
        if remark:
            output.print_wrapped(Text(harmless(remark), "yellow"), output.console(), indent=2)
        if not log.function:
            not_known = Text(f"not known: {_NOT_KNOWN}", "yellow")
            output.print_wrapped(not_known, output.console(), indent=2)
    raise typer.Exit(output.FINE if go else output.FINDINGS)


def _first(outcome: Outcome, now: datetime) -> datetime:
    """When an act was first seen. Without a date, it counts as new."""
    first = outcome.seen.first
    return datetime.fromtimestamp(first, timezone.utc) if first else now


def _also_to(evidence: Evidence, records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        evidence.take(record)
        yield record


def _as_dict(
    name: str,
    group: str,
    window: Window,
    go: bool,
    found: list[Check],
    kinds: list[Kind],
    blocked: list[Blocked] | None,
    seen: Seen,
    reader: EventReader,
) -> dict[str, Any]:
    return {
        "ok": go,
        "function": name,
        "log_group": group,
        "since": window.since.isoformat(timespec="seconds"),
        "go": go,
        "checks": [check.as_dict() for check in found],
        "policies": seen.policies,
        "reported": [kind.as_dict() for kind in kinds],
        "would_have_been_blocked": [
            each.as_dict() for each in (kinds if blocked is None else blocked)
        ],
        "acts_of_further_kinds": seen.more,
        "blocked_already": seen.enforced,
        "read": reader.counts.as_dict(),
    }


def _about(function: Function | None, seen: Seen) -> str:
    """The policy and mode in force; for a file, the policies of its `armed` events."""
    if function is None:
        return f"policy {', '.join(map(harmless, sorted(seen.policies))) or 'not known'}"
    mode = function.variables.get(MODE)
    policy = function.variables.get(POLICY) or "chosen by its name"
    return f"policy {policy}{f', mode {mode}' if mode else ''}"


def _print(
    name: str,
    about: str,
    group: str,
    go: bool,
    found: list[Check],
    kinds: list[Kind],
    blocked: list[Blocked] | None,
    reader: EventReader,
) -> None:
    to = output.console()
    verdict = ("go", "bold green") if go else ("no-go", "bold red")
    to.print(
        Text.assemble(
            (name, "bold"),
            "  ",
            verdict,
            (f"  {about}, {group}", "dim"),
        ),
        soft_wrap=True,
    )
    widths = [max(len(getattr(check, part)) for check in found) for part in ("name", "found")]
    for check in found:
        mark = ("yes", "green") if check.holds else ("no ", "bold red")
        to.print(
            Text.assemble(
                "  ",
                mark,
                f"  {check.name.ljust(widths[0])}  {check.found.ljust(widths[1])}",
                (f"  wanted: {check.wanted}", "dim"),
            ),
            soft_wrap=True,
        )
    if blocked is None:
        title = "would have been blocked, if its rule blocked and nothing allowed it"
        rows = [_kind(kind) for kind in kinds]
    else:
        title = "would have been blocked by the policy named"
        rows = [f"{harmless(each.what)}  {each.rule}  ×{each.count}" for each in blocked]
    if rows:
        output.print_wrapped(Text(title, "bold"), to, indent=2)
    for row in rows[:_SHOWN]:
        output.print_wrapped(row, to, indent=4)
    if len(rows) > _SHOWN:
        to.print(Text(f"    and {len(rows) - _SHOWN} more: --json has them", "dim"))
    for sentence in reader.counts.sentences():
        output.print_wrapped(Text(sentence, "yellow"), to, indent=2)


def _kind(kind: Kind) -> str:
    when = _ago(datetime.now(timezone.utc) - kind.first)
    return (
        f"{kind.policy}  {harmless(kind.target)}  by {harmless(kind.origin)}  ×{kind.count}, first"
        f" {when} ago"
    )


def _ago(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"
