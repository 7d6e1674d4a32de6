"""The command line."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fshield import explain as explaining
from fshield import log, options, output
from fshield.check import check as check_path
from fshield.compiler import compile_policy
from fshield.errors import CouldNotRun, Finding
from fshield.files import write_whole
from fshield.loader import load
from fshield.model import RULES
from fshield.native import Compiled, Facts, facts_of
from fshield.package import package as make_package
from fshield.policy import Family, Mode
from fshield.review import findings as review
from fshield.schema import text as schema_text
from fshield.version import VERSION

app = typer.Typer(
    name="fshield",
    help=f"Policies for FunctionShield, open: check, compile, explain and try them.\n\n{output.EXIT_CODES}",
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_MODE_WORDS = {
    Mode.ALLOW: ("allowed", "bold green"),
    Mode.ALERT: ("alert", "bold yellow"),
    Mode.BLOCK: ("blocked", "bold red"),
}


class Act(str, Enum):
    """What ``explain`` can be asked about."""

    CONNECT = "connect"
    OPEN = "open"
    EXEC = "exec"


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fshield {VERSION}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")] = False,
) -> None:
    log.configure(verbose)


@app.command(epilog="Exit codes: 0 fine (notes may be there), 1 errors or warnings, 2 a file could not be read.")
def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="POLICY", help="Policies (YAML or compiled), or folders of functions.")
    ],
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """Say what is wrong with policies, and which function folders hold an old FunctionShield."""
    found: list[Finding] = []
    problems: list[CouldNotRun] = []
    for path in paths:
        try:
            found += check_path(path, env)
        except CouldNotRun as error:
            problems.append(error)
    bad = [finding for finding in found if finding.level != "note"]
    if as_json:
        output.print_json(
            {
                "ok": not bad and not problems,
                "findings": [finding.as_dict() for finding in found],
                "problems": [{"message": problem.message, "mend": problem.mend} for problem in problems],
            }
        )
    else:
        to = output.console()
        for finding in found:
            output.print_finding(finding, to)
        for problem in problems:
            output.print_problem(problem, output.console(stderr=True))
        if not bad and not problems:
            for path in paths:
                what = " (as a function's folder: no old FunctionShield in it)" if path.is_dir() else ""
                to.print(f"fine: {output.printable(str(path))}{what}", soft_wrap=True)
    if problems:
        raise typer.Exit(output.COULD_NOT_RUN)
    if bad:
        raise typer.Exit(output.FINDINGS)


@app.command(
    "compile", epilog="Exit codes: 0 written, 2 the policy is wrong or the file cannot be written; then nothing is."
)
def compile_command(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="A policy in YAML.")],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The compiled policy.")],
    as_json: options.Json = False,
) -> None:
    """Compile one policy to what the engine maps."""
    with output.reporting(as_json):
        loaded = load(policy)
        content = compile_policy(loaded)
        write_whole(out, content)
        log.logger().debug("policy compiled", policy=loaded.name, rules=len(loaded.allows), bytes=len(content))
        _written(out, content, [loaded.name], review(loaded), as_json)


@app.command(epilog="Exit codes: 0 written, 2 a policy is wrong or the file cannot be written; then nothing is.")
def package(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of policies (*.yaml).")],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The layer: policies.zip.")],
    as_json: options.Json = False,
) -> None:
    """Pack a folder of policies into a layer of its own, to be attached beside the engine's. Needs no compiler."""
    with output.reporting(as_json):
        content, names, said = make_package(folder)
        write_whole(out, content)
        log.logger().debug("policy layer packed", policies=names, bytes=len(content))
        _written(out, content, names, said, as_json)


def _written(out: Path, content: bytes, names: list[str], said: list[Finding], as_json: bool) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if as_json:
        output.print_json(
            {
                "ok": True,
                "output": str(out),
                "policies": names,
                "size": len(content),
                "sha256": digest,
                "findings": [finding.as_dict() for finding in said],
            }
        )
        return
    for finding in said:
        if finding.level != "note":
            output.print_finding(finding, output.console(stderr=True))
    output.console().print(f"{out}: {', '.join(names)} ({len(content)} bytes, sha256 {digest[:12]}…)", soft_wrap=True)


@app.command(epilog="Exit codes: 0 answered, whatever the verdict; 2 the policy is wrong or the question is none.")
def explain(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="A policy, YAML or compiled.")],
    act: Annotated[
        Act | None,
        typer.Argument(metavar="connect|open|exec", help="What somebody is about to do.", show_default=False),
    ] = None,
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="HOST:PORT for connect, a path for open and exec.", show_default=False),
    ] = None,
    region: Annotated[
        str, typer.Option(help="The function's AWS region: it decides what `aws:` entries mean.")
    ] = "us-east-1",
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """Say what the engine would do, and which line says so. Without an act: the modes, and what holds always."""
    with output.reporting(as_json):
        asked = explaining.subject(policy)
        if act is None:
            _explain_policy(asked.compiled, as_json)
            return
        if target is None:
            wanted = "HOST:PORT" if act is Act.CONNECT else "PATH"
            raise CouldNotRun(f"{act.value} what?", f"fshield explain {policy} {act.value} {wanted}")
        answers = _ask(asked.compiled, act, target, facts_of(region, env or []))
        if as_json:
            main_answer, *others = answers
            output.print_json(
                {
                    "policy_name": asked.compiled.name,
                    "act": act.value,
                    "target": target,
                    **main_answer.as_dict(),
                    "also": [answer.as_dict() for answer in others],
                }
            )
            return
        to = output.console()
        to.print(
            Text.assemble((f"{act.value} {target}", "bold"), f"  under policy {asked.compiled.name}"), soft_wrap=True
        )
        for answer in answers:
            _print_answer(asked, answer)


def _ask(compiled: Compiled, act: Act, target: str, facts: Facts) -> list[explaining.Answer]:
    if act is Act.CONNECT:
        return explaining.connect(compiled, target, facts)
    return explaining.open_path(compiled, target) if act is Act.OPEN else explaining.execute(compiled, target)


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
    # An entry that goes on below its first line says more in its short form.
    lines = [(entry, written if written and not written.endswith(":") else verdict.text)] if entry else []
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
        to.print(Text.assemble((f"           look-alike: {answer.lookalike}", "dim")), soft_wrap=True)
    if answer.note:
        to.print(Text.assemble((f"           {answer.note}", "dim")), soft_wrap=True)


def _explain_policy(compiled: Compiled, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "policy_name": compiled.name,
                "modes": {
                    RULES[family]: {"mode": compiled.modes[family].name.lower(), "rule": compiled.mode_source(family)}
                    for family in Family
                },
                "always_allowed": [{"what": what, "how": how} for what, how in explaining.ALWAYS_ALLOWED],
                "always_refused": [{"what": what, "how": how} for what, how in explaining.ALWAYS_REFUSED],
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
            RULES[family], Text(mode.name.lower(), _MODE_WORDS[mode][1]), compiled.mode_source(family) or "left out"
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


@app.command()
def schema() -> None:
    """Print the JSON Schema of the policy language, for editors."""
    typer.echo(schema_text(), nl=False)


def _register_optional(module: str) -> None:
    """Add the commands of `module` where it is part of this installation."""
    if importlib.util.find_spec(module) is None:
        return
    register: Callable[[typer.Typer], None] = importlib.import_module(module).register
    register(app)


_register_optional("fshield.commands_test")
_register_optional("fshield.commands_new")
_register_optional("fshield.commands_evidence")
_register_optional("fshield.commands_local")
_register_optional("fshield.commands_fleet")


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
