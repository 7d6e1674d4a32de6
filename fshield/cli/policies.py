"""``fshield check``, ``compile``, ``package`` and ``schema``: policies as files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from fshield import log, output
from fshield.cli import options
from fshield.engine.check import check as check_path
from fshield.engine.check import check_package, each_policy, policies_in
from fshield.engine.compiler import compile_policy
from fshield.engine.incidents import Judged, judge
from fshield.engine.package import package as make_package
from fshield.errors import CouldNotRun, Finding, PolicyError
from fshield.files import write_whole
from fshield.language.loader import load
from fshield.language.review import findings as review
from fshield.language.schema import text as schema_text


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[POLICY]...", help="Policies (YAML or compiled), or folders of policies."
        ),
    ] = None,
    function: Annotated[
        list[Path] | None,
        typer.Option(
            "--function",
            metavar="FOLDER|ZIP",
            help="A function's package: name what the guard cannot control in it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    under: Annotated[
        Path | None,
        typer.Option(
            "--under",
            metavar="POLICY",
            help="With --function: what that means under this policy.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on notes as well.")] = False,
    incidents: Annotated[
        bool,
        typer.Option("--incidents", help="Say which acts of known malicious releases would pass."),
    ] = False,
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """Find errors in policies, and code in a function's package that the guard cannot control."""
    if not paths and not function:
        raise typer.BadParameter("name a policy, a folder of policies, or --function FOLDER|ZIP")
    found: list[Finding] = []
    problems: list[CouldNotRun] = []
    packages = function or []
    for path in _each_policy(paths or [], problems):
        try:
            found += check_path(path, env)
        except CouldNotRun as error:
            problems.append(error)
    for path in packages:
        try:
            found += check_package(path, under)
        except CouldNotRun as error:
            problems.append(error)
        except PolicyError as error:
            found += error.findings
    judged = _judged(paths or [], problems) if incidents else {}
    bad = [finding for finding in found if strict or finding.level != "note"]
    if as_json:
        document: dict[str, Any] = {
            "ok": not bad and not problems,
            "findings": [finding.as_dict() for finding in found],
            "problems": [{"message": problem.message, "fix": problem.fix} for problem in problems],
        }
        if incidents:
            document["incidents"] = {
                name: [row.as_dict() for row in rows] for name, rows in judged.items()
            }
        output.print_json(document)
    else:
        _print_checked(found, problems, [] if bad else [*(paths or []), *packages])
        for name, rows in judged.items():
            _print_judged(name, rows, output.console())
    if problems:
        raise typer.Exit(output.COULD_NOT_RUN)
    if bad:
        raise typer.Exit(output.FINDINGS)


def _each_policy(paths: list[Path], problems: list[CouldNotRun]) -> Iterator[Path]:
    """The policies, including those in folders. One that cannot be read does not stop the
    others.
    """
    for path in paths:
        try:
            yield from each_policy(path)
        except CouldNotRun as error:
            problems.append(error)


def _print_checked(found: list[Finding], problems: list[CouldNotRun], fine: list[Path]) -> None:
    to = output.console()
    for finding in found:
        output.print_finding(finding, to)
    for problem in problems:
        output.print_problem(problem, output.console(stderr=True))
    if not problems:
        for path in fine:
            to.print(f"ok: {output.printable(str(path))}", soft_wrap=True)


def _judged(paths: list[Path], problems: list[CouldNotRun]) -> dict[str, list[Judged]]:
    """Each policy's verdicts on the acts. Policies with errors are skipped."""
    judged = {}
    for path in paths:
        for policy in policies_in(path) if path.is_dir() else [path]:
            try:
                judged[str(policy)] = judge(load(policy))
            except CouldNotRun as error:
                problems.append(error)
            except PolicyError:
                continue
    return judged


def _print_judged(name: str, rows: list[Judged], to: Console) -> None:
    about = [row for row in rows if row.asks]
    stopped = sum(row.stopped for row in about)
    undone = sum(row.undone for row in about)
    to.print(
        f"{output.printable(name)} stops {stopped} of {len(about)} acts that rules are about"
        + (f", and undoes {undone} when the invocation ends." if undone else ".")
        + (" These pass:" if stopped < len(about) else ""),
        soft_wrap=True,
    )
    for row in about:
        if not row.stopped:
            to.print(f"  {row.date} {row.incident}: {row.act}", soft_wrap=True)
            by = f"{row.source}: " if row.source else ""
            to.print(f"    {row.asks}: {by}{row.why}", style="dim", soft_wrap=True)
    to.print(
        f"No rule is about {len(rows) - len(about)} more: docs/incidents.md says why.",
        style="dim",
        soft_wrap=True,
    )


def compile_command(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="A policy in YAML.")],
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The compiled policy.")
    ],
    as_json: options.Json = False,
) -> None:
    """Compile one policy to what the engine maps."""
    with output.reporting(as_json):
        loaded = load(policy)
        content = compile_policy(loaded)
        write_whole(out, content)
        log.debug(
            "policy compiled", policy=loaded.name, rules=len(loaded.allows), bytes=len(content)
        )
        _written(out, content, [loaded.name], review(loaded), as_json)


def package(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of policies (*.yaml).")],
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The layer: policies.zip.")
    ],
    as_json: options.Json = False,
) -> None:
    """Pack a folder of policies into a layer of its own, to be attached beside the engine's. Needs
    no compiler."""
    with output.reporting(as_json):
        content, names, notes = make_package(folder)
        write_whole(out, content)
        log.debug("policy layer packed", policies=names, bytes=len(content))
        _written(out, content, names, notes, as_json)


def _written(
    out: Path, content: bytes, names: list[str], notes: list[Finding], as_json: bool
) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if as_json:
        output.print_json(
            {
                "ok": True,
                "output": str(out),
                "policies": names,
                "size": len(content),
                "sha256": digest,
                "findings": [finding.as_dict() for finding in notes],
            }
        )
        return
    for finding in notes:
        if finding.level != "note":
            output.print_finding(finding, output.console(stderr=True))
    output.console().print(
        f"{out}: {', '.join(names)} ({len(content)} bytes, sha256 {digest[:12]}…)", soft_wrap=True
    )


def schema() -> None:
    """Print the JSON Schema of the policy language, for editors."""
    typer.echo(schema_text(), nl=False)
