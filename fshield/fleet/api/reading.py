"""The work of ``fshield status``: reads functions and their aliases, and shows how they stand."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet import table
from fshield.fleet.api.arn import ARCH_FIELD, ARCHITECTURES, layer_version
from fshield.fleet.api.client import could_not, fatal, speaking
from fshield.fleet.api.configuration import MODE, Function, function_of
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.request import Account, Selection
from fshield.fleet.run import in_parallel, interruptible
from fshield.fleet.select import every_function, selected
from fshield.fleet.show import Show
from fshield.fleet.status import Expected, Standing, State, newest_engines, standing, with_aliases

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_STYLES = {
    State.GUARDED: "bold green",
    State.DRY_RUN: "bold yellow",
    State.NONE: "dim",
    State.CANNOT: "dim",
}
Problem = tuple[str, CouldNotRun]


def status(
    selection: Selection,
    account: Account,
    arns: Sequence[str],
    policy: str | None,
    *,
    aliases: bool,
    concurrency: int,
    as_json: bool,
    states: Sequence[str] = (),
    as_csv: bool = False,
) -> None:
    """Show how functions stand, and end the command with the exit code that says whether all are
    guarded."""
    with output.reporting(as_json):
        listed = _states(states)
        if as_csv and as_json:
            raise CouldNotRun("--csv and --json", "one of them")
        patience = Patience()
        with speaking():
            client = account.function_client()
        region = client.meta.region_name
        functions, problems = _read(
            client, account, region, selection, patience, concurrency, as_json
        )
        expected = _expected(arns, policy, functions)
        standings = [standing(function, expected) for function in functions]
        if aliases:
            standings = _with_aliases(
                client, standings, expected, patience, concurrency, as_json, problems
            )
    fine = all(each.fine for each in standings) and not problems and not patience.stop.is_set()
    shown = [each for each in standings if each.state in listed]
    if as_csv:
        table.write(shown, sys.stdout)
        for name, error in problems:
            output.console(stderr=True).print(
                Text(output.printable(f"failed  {name}  {error.message}")), soft_wrap=True
            )
    elif as_json:
        output.print_json(
            {
                "ok": fine,
                "region": region,
                "interrupted": patience.stop.is_set(),
                "counts": _counts(standings),
                "functions": [each.as_dict() for each in shown],
                "problems": [
                    {"function": name, "message": error.message, "fix": error.fix}
                    for name, error in problems
                ],
            }
        )
    else:
        _print(region, standings, shown, problems)
    if not standings and problems:
        raise typer.Exit(output.COULD_NOT_RUN)
    raise typer.Exit(output.FINE if fine else output.FINDINGS)


def _read(
    client: LambdaClient,
    account: Account,
    region: str,
    selection: Selection,
    patience: Patience,
    concurrency: int,
    as_json: bool,
) -> tuple[list[Function], list[Problem]]:
    if not selection.names and not selection.tags:
        # ListFunctions says all that is needed, 50 at a time.
        with speaking():
            found = [function_of(answer) for answer in every_function(account, patience)]
        if not found:
            raise CouldNotRun(f"no function at all in {region}", "look at --region and --profile")
        return sorted(found, key=lambda function: function.name), []
    names = selected(account, region, selection, patience)

    def read(name: str) -> Function | Exception:
        try:
            return function_of(
                patience.call(partial(client.get_function_configuration, FunctionName=name))
            )
        except (ClientError, BotoCoreError, Stopped) as error:
            return error

    functions, problems = {}, []
    show = Show(len(names), "status", as_json)
    with interruptible(patience, show.say), show.showing():
        for name, answer in in_parallel(
            names, read, concurrency, lambda: not patience.stop.is_set()
        ):
            show.step()
            if isinstance(answer, Function):
                functions[name] = answer
            elif not isinstance(answer, Stopped):
                if fatal(answer):
                    raise could_not(answer)
                problems.append((name, could_not(answer)))
    return [functions[name] for name in names if name in functions], problems


def _expected(arns: Sequence[str], policy: str | None, functions: Sequence[Function]) -> Expected:
    engines: dict[str, str] = {}
    names = set()
    for arn in arns:
        for architecture in ARCHITECTURES:
            version = layer_version(arn.replace(ARCH_FIELD, architecture))
            names.add(version.name)
            if ARCH_FIELD in arn or version.name.endswith(architecture):
                engines[architecture] = version.arn
    known = frozenset(names)
    return Expected(engines or None, policy, known, newest_engines(functions, known))


def _with_aliases(
    client: LambdaClient,
    standings: Sequence[Standing],
    expected: Expected,
    patience: Patience,
    concurrency: int,
    as_json: bool,
    problems: list[Problem],
) -> list[Standing]:
    """The standings with their aliases, where there is a guard to look for. Failures are added to
    `problems`."""
    asked = [each for each in standings if each.engine]

    def read(each: Standing) -> dict[str, Function] | Exception:
        try:
            return aliased(client, each.function.name, patience)
        except (ClientError, BotoCoreError, Stopped) as error:
            return error

    done = {}
    show = Show(len(asked), "aliases", as_json)
    with interruptible(patience, show.say), show.showing():
        for each, answer in in_parallel(
            asked, read, concurrency, lambda: not patience.stop.is_set()
        ):
            show.step()
            if isinstance(answer, dict):
                done[each.function.name] = with_aliases(each, answer, expected)
            elif not isinstance(answer, Stopped):
                problems.append((each.function.name, could_not(answer)))
    return [done.get(each.function.name, each) for each in standings]


def aliased(client: LambdaClient, name: str, patience: Patience) -> dict[str, Function]:
    """For each alias of a function the version that it points to, and ``NAME (N%)`` for one that
    gets a share."""
    found: dict[str, str] = {}
    page: Any = patience.call(partial(client.list_aliases, FunctionName=name))
    while True:
        for alias in page["Aliases"]:
            found[alias["Name"]] = alias["FunctionVersion"]
            shares = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            for version, share in shares.items():
                found[f"{alias['Name']} ({share:.0%})"] = version
        if not page.get("NextMarker"):
            break
        page = patience.call(
            partial(client.list_aliases, FunctionName=name, Marker=page["NextMarker"])
        )
    versions = {}
    for version in sorted(set(found.values())):
        answer = patience.call(
            partial(client.get_function_configuration, FunctionName=name, Qualifier=version)
        )
        versions[version] = function_of(answer)
    return {alias: versions[version] for alias, version in found.items()}


def _counts(standings: Sequence[Standing]) -> dict[str, int]:
    counts = {state.value: sum(each.state is state for each in standings) for state in State}
    return {word: number for word, number in counts.items() if number}


def _states(words: Sequence[str]) -> frozenset[State]:
    """The states that are listed: all, where none is asked for. Raises CouldNotRun."""
    known = {state.value.lower(): state for state in State}
    for word in words:
        if word.lower() not in known:
            raise CouldNotRun(f"--state {word}: is none", f"one of {', '.join(known)}")
    return frozenset(known[word.lower()] for word in words) or frozenset(State)


def _print(
    region: str,
    standings: Sequence[Standing],
    shown: Sequence[Standing],
    problems: Sequence[Problem],
) -> None:
    to = output.console()
    if shown:
        _print_table(to, shown)
    for name, error in problems:
        to.print(
            Text.assemble(
                ("failed  ", "bold red"), (name, "bold"), f"  {error.message}; {error.fix or ''}"
            )
        )
    old = Counter(each.function.runtime for each in standings if each.remarks)
    said = ", ".join(f"{number} {word}" for word, number in _counts(standings).items())
    to.print(
        Text.assemble(
            (f"status {region}", "bold"),
            f"  {len(standings)} function{'' if len(standings) == 1 else 's'}: {said}",
        ),
        soft_wrap=True,
    )
    if old:
        each = ", ".join(f"{runtime} {count}" for runtime, count in old.most_common())
        to.print(f"on deprecated runtimes: {each}", soft_wrap=True)


def _print_table(to: Console, standings: Sequence[Standing]) -> None:
    """Columns as wide as they need to be, and notes below their row, across all columns."""
    rows = [
        (
            output.printable(each.function.name),
            each.state.value,
            _engine(each),
            each.policy or ("by its name" if each.function.guarded else ""),
        )
        for each in standings
    ]
    heads = ("function", "state", "engine", "policy")
    widths = [max(len(heads[place]), *(len(row[place]) for row in rows)) for place in range(3)]
    widths[0] = min(widths[0], max(20, to.width - widths[1] - widths[2] - 18))
    to.print(
        Text(
            "  ".join(head.ljust(width) for head, width in zip(heads, [*widths, 0], strict=True)),
            "bold",
        )
    )
    for each, row in zip(standings, rows, strict=True):
        style = _STYLES.get(each.state, "bold red")
        line = Text.assemble(
            row[0].ljust(widths[0]),
            "  ",
            (row[1].ljust(widths[1]), style),
            "  ",
            row[2].ljust(widths[2]),
            "  ",
            row[3],
        )
        to.print(line, soft_wrap=True)
        for note in each.notes():
            to.print(Text(f"    {output.printable(note)}", "yellow"))


def _engine(each: Standing) -> str:
    mode = each.function.variables.get(MODE)
    label = (each.engine or "").removeprefix("function-shield-")
    return f"{label} {mode}" if mode and each.state not in {State.OFF, State.DRY_RUN} else label
