"""The work of ``fshield ready``: reads a function's log and says go or no-go, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import typer
from rich.text import Text

from fshield import output
from fshield.cloudwatch import Connection, LogGroup, Window, since
from fshield.events import harmless
from fshield.fleet.arn import function_name
from fshield.fleet.aws import speaking
from fshield.fleet.configuration import MODE, POLICY, Function, function_of
from fshield.fleet.patience import Patience
from fshield.fleet.ready import Check, Kind, Seen, Wanted, checks, seen_in
from fshield.fleet.request import Account
from fshield.local.progress import waiting_for
from fshield.stream import EventReader

#: Kinds that are shown; all are in --json.
_SHOWN = 10


def ready(name: str, look_back: str, wanted: Wanted, account: Account, log_group: str | None, as_json: bool) -> None:
    """Say whether the function can be enforced, and end the command with 0 for go, 1 for no-go."""
    with output.reporting(as_json):
        now = datetime.now(timezone.utc)
        with speaking():
            client = account.function_client()
            plain = function_name(name, client.meta.region_name)
            function = function_of(Patience().call(partial(client.get_function_configuration, FunctionName=plain)))
        group = log_group or (function.raw.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{plain}"
        reader = EventReader()
        connection = Connection(client.meta.region_name, account.profile, account.endpoint_url)
        window = Window(since(look_back, now), now)
        with waiting_for(f"reading {group} since {window.since:%Y-%m-%d %H:%M}"):
            seen = seen_in(_events(LogGroup(group, connection), window, reader))
        found = [*_standing(function), *checks(seen, wanted, now)]
        doubts = reader.counts.missing + reader.counts.repeated + reader.counts.unnumbered
        if doubts:
            found.append(Check("events missing or in doubt", str(doubts), "0", False))
    go = all(check.holds for check in found)
    kinds = sorted(seen.kinds.values(), key=lambda kind: (-kind.would_block, -kind.count, kind.target))
    if as_json:
        output.print_json(_as_dict(plain, group, window, go, found, kinds, seen, reader))
    else:
        _print(plain, function, group, go, found, kinds, reader)
    raise typer.Exit(output.FINE if go else output.FINDINGS)


def _events(group: LogGroup, window: Window, reader: EventReader) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(group.lines(window), 1):
        for record in reader.line(line, group.name, number):
            yield record.event


def _standing(function: Function) -> list[Check]:
    """What the function's configuration must be for its events to mean anything."""
    found = [Check("guarded", "yes" if function.guarded else "no", "yes", function.guarded)]
    level = (function.raw.get("LoggingConfig") or {}).get("ApplicationLogLevel")
    if level:
        fine = level in {"INFO", "DEBUG", "TRACE"}
        found.append(Check("log level lets armed events through", str(level), "INFO or lower", fine))
    if function.variables.get(MODE) == "off":
        found.append(Check("mode", "off", "alert, or none", False))
    return found


def _as_dict(
    name: str,
    group: str,
    window: Window,
    go: bool,
    found: list[Check],
    kinds: list[Kind],
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
        "would_have_been_blocked": [kind.as_dict() for kind in kinds],
        "acts_of_further_kinds": seen.more,
        "blocked_already": seen.enforced,
        "read": reader.counts.as_dict(),
    }


def _print(
    name: str, function: Function, group: str, go: bool, found: list[Check], kinds: list[Kind], reader: EventReader
) -> None:
    to = output.console()
    verdict = ("go", "bold green") if go else ("no-go", "bold red")
    mode = function.variables.get(MODE)
    policy = function.variables.get(POLICY) or "chosen by its name"
    to.print(
        Text.assemble(
            (name, "bold"), "  ", verdict, (f"  policy {policy}{f', mode {mode}' if mode else ''}, {group}", "dim")
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
    if kinds:
        to.print(Text("  would have been blocked, if its rule blocked and nothing allowed it", "bold"))
    for kind in kinds[:_SHOWN]:
        when = _ago(datetime.now(timezone.utc) - kind.first)
        said = f"{kind.policy}  {harmless(kind.target)}  by {harmless(kind.origin)}  ×{kind.count}, first {when} ago"
        to.print(Text(f"    {said}"), soft_wrap=True)
    if len(kinds) > _SHOWN:
        to.print(Text(f"    and {len(kinds) - _SHOWN} more: --json has them", "dim"))
    for sentence in reader.counts.sentences():
        to.print(Text(f"  {sentence}", "yellow"), soft_wrap=True)


def _ago(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"
