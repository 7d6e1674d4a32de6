"""``fshield test``: runs the tests in policies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from fshield import output
from fshield.cli import options
from fshield.cli.keywords import keyword
from fshield.engine.floor import beside
from fshield.engine.policy_tests import WORDS, Result, collect, run
from fshield.errors import CouldNotRun, PolicyError
from fshield.language.loader import REGION, load


def test(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[POLICY|DIR]...",
            help="Policies in YAML, or folders of them.",
            show_default=False,
        ),
    ] = None,
    keywords: Annotated[
        str,
        typer.Option(
            "-k", metavar="EXPRESSION", help="Only tests whose names match, as in pytest."
        ),
    ] = "",
    as_json: options.Json = False,
) -> None:
    """Run the `tests:` that policies carry against the engine. Without a path: those in
    ./policies."""
    with output.reporting(as_json):
        keep = keyword(keywords) if keywords else lambda name: True
        files = collect(paths or [Path("policies")])
        results: list[Result] = []
        bare: list[str] = []
        wrong: list[PolicyError] = []
        for file in files:
            try:
                policy = load(file)
            except PolicyError as error:
                wrong.append(error)
                continue
            results += run(policy, beside(file), keep)
            if not policy.tests:
                bare.append(str(file))
        _report(files, results, bare, wrong, as_json)
        if wrong:
            raise typer.Exit(output.COULD_NOT_RUN)
        if not results:
            raise CouldNotRun(
                "no test was run"
                + (f": none matches -k {keywords!r}" if len(bare) < len(files) else ""),
                (
                    "write some: tests: [{blocked: {connect: evil.example.org}}]"
                    if not keywords
                    else "fshield test -k …"
                ),
            )
        if not all(result.passed for result in results):
            raise typer.Exit(output.FINDINGS)


def _report(
    files: list[Path],
    results: list[Result],
    bare: list[str],
    wrong: list[PolicyError],
    as_json: bool,
) -> None:
    failed = [result for result in results if not result.passed]
    if as_json:
        if results or wrong:
            output.print_json(
                {
                    "ok": not failed and not wrong,
                    "passed": len(results) - len(failed),
                    "failed": len(failed),
                    "untested": bare,
                    "tests": [result.as_dict() for result in results],
                    "findings": [error.finding.as_dict() for error in wrong],
                }
            )
        return
    to = output.console()
    for result in failed:
        print_failure(result, to)
    for error in wrong:
        output.print_finding(error.finding, output.console(stderr=True))
    for file in bare:
        to.print(
            Text.assemble((f"{output.printable(file)}: carries no tests", "dim")), soft_wrap=True
        )
    if results:
        style = "bold red" if failed else "bold green"
        count = (
            f"{len(failed)} failed, {len(results) - len(failed)} passed"
            if failed
            else f"{len(results)} passed"
        )
        plural = "policy" if len(files) == 1 else "policies"
        to.print(Text.assemble((count, style), f" in {len(files)} {plural}"))


def print_failure(result: Result, to: Console) -> None:
    """One failed test as a diff: what the test expects, what the engine says, and the line that
    decided.
    """
    shown, answer = result.as_dict(), result.answer
    place = f"{output.printable(result.file)}:{shown['line']}"
    where = "" if result.policy == Path(result.file).stem else f"  under {result.policy}"
    where += f"  in {result.test.region}" if result.test.region != REGION else ""
    to.print(
        Text.assemble(
            (place, "bold"), f"  {result.test.act} ", output.printable(result.test.target), where
        ),
        soft_wrap=True,
    )
    to.print(Text(f"  - {WORDS[result.test.expected]}", "red"), soft_wrap=True)
    rule = f": {shown['rule_text']}" if shown["rule_text"] else ""
    to.print(
        Text.assemble(
            (f"  + {WORDS[answer.mode]}", "green"),
            f"    {answer.why}{output.printable(rule)}",
            ("  ", ""),
            (answer.source or "", "cyan"),
        ),
        soft_wrap=True,
    )
    if result.test.reason:
        to.print(Text(f"    {output.printable(result.test.reason)}", "dim"), soft_wrap=True)
