"""``fshield explain``: what the engine would do, and the line that says so."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fshield import output
from fshield.cli import options
from fshield.engine import explain as explaining
from fshield.engine.decide import Compiled, Facts, facts_of
from fshield.errors import CouldNotRun
from fshield.language.callers import distribution
from fshield.language.model import RULES
from fshield.language.policy import Family, Mode

_MODE_WORDS = {
    Mode.ALLOW: ("allowed", "bold green"),
    Mode.ALERT: ("alert", "bold yellow"),
    Mode.BLOCK: ("blocked", "bold red"),
}


class Act(str, Enum):
    """The acts that ``explain`` takes."""

    CONNECT = "connect"
    LOOK_UP = "look_up"
    OPEN = "open"
    RENAME = "rename"
    EXEC = "exec"
    LOAD = "load"
    READ_SOURCE = "read_source"


_WANTED = {
    Act.CONNECT: "HOST[:PORT]",
    Act.LOOK_UP: "HOST",
    Act.RENAME: "PATH NEW-PATH",
    Act.LOAD: "MODULE or PATH",
}


def explain(
    policy: Annotated[
        Path,
        typer.Argument(metavar="POLICY", parser=options.policy_file, help=options.POLICY_HELP),
    ],
    act: Annotated[
        Act | None,
        typer.Argument(
            metavar="ACT",
            help="The act: connect, look_up, open, rename, exec, load, read_source.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="HOST:PORT for connect (443 where no port is named), HOST for look_up, a path for"
            " open, rename, exec and read_source, a module or path for load.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Argument(
            metavar="NEW-PATH",
            help="Of a rename or a hard link: the other path. Both must be allowed.",
            show_default=False,
        ),
    ] = None,
    region: Annotated[
        str, typer.Option(help="The function's AWS region: it decides what `aws:` entries mean.")
    ] = "us-east-1",
    env: options.Environment = None,
    caller: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="DISTRIBUTION",
            help="The caller, for entries with only_for: a distribution, function or unknown.",
        ),
    ] = "",
    as_json: options.Json = False,
) -> None:
    """Say what the engine would do, and which line says so. Without an act: the modes, and what
    holds always."""
    with output.reporting(as_json):
        asked = explaining.subject(policy)
        if act is None:
            _explain_policy(asked.compiled, as_json)
            return
        if to is not None and act is not Act.RENAME:
            raise CouldNotRun(
                f"{act.value} of two things: {target} and {to}",
                f"fshield explain {policy} {act.value} {target}; only rename takes two",
            )
        if target is None or (to is None and act is Act.RENAME):
            wanted = _WANTED.get(act, "PATH")
            raise CouldNotRun(
                f"{act.value} what?", f"fshield explain {policy} {act.value} {wanted}"
            )
        try:
            caller = distribution(caller) if caller else ""
        except ValueError as error:
            raise CouldNotRun(str(error), "--as stripe") from None
        facts = facts_of(region, env or [])
        found = {
            each: _ask(asked.compiled, act, each, facts, caller)
            for each in (target, *([to] if to else []))
        }
        if as_json:
            _print_json(asked, act, found, caller)
            return
        name = " to ".join(found)
        output.console().print(
            Text.assemble(
                (f"{act.value} {name}", "bold"),
                f"  {f'as {caller} ' if caller else ''}under policy {asked.compiled.name}",
            ),
            soft_wrap=True,
        )
        for each, answers in found.items():
            if to:
                output.console().print(Text(f"  {each}"), soft_wrap=True)
            for answer in answers:
                _print_answer(asked, answer)


def _print_json(
    asked: explaining.Subject, act: Act, found: dict[str, list[explaining.Answer]], caller: str
) -> None:
    """For two paths, the answer is the stricter one, and `also` says to which path each belongs."""
    answers = [(each, answer) for each, several in found.items() for answer in several]
    main = max((several[0] for several in found.values()), key=lambda answer: answer.mode)
    names = list(found)
    output.print_json(
        {
            "policy_name": asked.compiled.name,
            "act": act.value,
            "target": names[0],
            **({"to": names[1]} if len(names) > 1 else {}),
            **({"as": caller} if caller else {}),
            **main.as_dict(),
            "also": [
                {**({"target": each} if len(names) > 1 else {}), **answer.as_dict()}
                for each, answer in answers
                if answer is not main
            ],
        }
    )


def _ask(
    compiled: Compiled, act: Act, target: str, facts: Facts, caller: str
) -> list[explaining.Answer]:
    if act is Act.CONNECT:
        return explaining.connect(compiled, target, facts, caller)
    if act is Act.LOOK_UP:
        return explaining.look_up(compiled, target, facts, caller)
    if act is Act.EXEC:
        return explaining.execute(compiled, target, caller, look=True)
    ask = {
        Act.OPEN: explaining.open_path,
        Act.RENAME: explaining.open_path,
        Act.LOAD: explaining.load_code,
        Act.READ_SOURCE: explaining.read_source,
    }
    return ask[act](compiled, target, caller)


def _print_answer(asked: explaining.Subject, answer: explaining.Answer) -> None:
    to = output.console()
    word, style = _MODE_WORDS[answer.mode]
    name = f"{answer.rule_name}: " if answer.rule_name else ""
    to.print(Text.assemble("  ", (f"{word:8}", style), f" {name}{answer.why}"), soft_wrap=True)
    verdict = answer.verdict
    if verdict is None:
        return
    entry = verdict.source or verdict.entry_source
    written = asked.line(entry) or ""
    # For an entry of several lines, the short form says more than the first line.
    lines = (
        [(entry, written if written and not written.endswith(":") else verdict.text)]
        if entry
        else []
    )
    if not verdict.source:
        lines.append(
            (
                verdict.mode_source or "default",
                asked.line(verdict.mode_source) or f"{verdict.policy_mode.name.lower()} (left out)",
            )
        )
    for source, text in lines:
        to.print(Text.assemble((f"           {source}", "cyan"), f"  {text}"), soft_wrap=True)
    if answer.by:
        ports = f", ports {answer.ports}" if answer.ports else ""
        tls = f", tls: {answer.tls}" if answer.tls else ""
        to.print(Text.assemble((f"           by {answer.by}{ports}{tls}", "dim")), soft_wrap=True)
    if answer.lookalike:
        to.print(
            Text.assemble((f"           look-alike: {answer.lookalike}", "dim")), soft_wrap=True
        )
    if answer.note:
        to.print(Text.assemble((f"           {answer.note}", "dim")), soft_wrap=True)


def _explain_policy(compiled: Compiled, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "policy_name": compiled.name,
                "modes": {
                    RULES[family]: {
                        "mode": compiled.mode_word(family),
                        "rule": compiled.mode_source(family),
                    }
                    for family in Family
                },
                "always_allowed": [
                    {"what": what, "how": how} for what, how in explaining.ALWAYS_ALLOWED
                ],
                "always_refused": [
                    {"what": what, "how": how} for what, how in explaining.ALWAYS_REFUSED
                ],
            }
        )
        return
    to = output.console()
    table = Table(title=f"policy {compiled.name}", title_justify="left", title_style="bold")
    for column in ("rule", "mode", "says so"):
        table.add_column(column, overflow="fold")
    for family in Family:
        mode = compiled.modes[family]
        table.add_row(
            RULES[family],
            Text(compiled.mode_word(family), _MODE_WORDS[mode][1]),
            compiled.mode_source(family) or "left out",
        )
    to.print(table)
    for title, rows in (
        ("always let through", explaining.ALWAYS_ALLOWED),
        ("always refused", explaining.ALWAYS_REFUSED),
    ):
        listed = Table(title=title, title_justify="left", title_style="bold", show_header=False)
        listed.add_column(overflow="fold", ratio=2)
        listed.add_column(overflow="fold", ratio=3)
        for row in rows:
            listed.add_row(*row)
        to.print(listed)
