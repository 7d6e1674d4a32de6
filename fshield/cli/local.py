"""``fshield run`` and ``fshield invoke``: programs and functions on this machine, under the
layer."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from fshield import log, output
from fshield.cli import options
from fshield.errors import CouldNotRun, shown
from fshield.evidence.events import EventPrinter, harmless
from fshield.files import write_whole
from fshield.local import node as node_client
from fshield.local.container import DEFAULT_IMAGE, ContainerFunction
from fshield.local.emulator import Function, Invocation
from fshield.local.layer import find_policy, layer_to_run, refuse_blocked_places
from fshield.local.progress import waiting_for

#: The pattern of TenantId in Lambda's Invoke.
_TENANT_ID = re.compile(r"[a-zA-Z0-9._:/=+\-@ ]{1,256}")


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", help="The program and its arguments, after --."),
    ],
    policy: options.PolicyOrName = None,
    layer: options.Layer = None,
) -> None:
    """Run a program guarded: the launcher becomes it, so its exit status is the program's."""
    with output.reporting(False):
        found = layer_to_run(layer)
        chosen = find_policy(found, policy or "default")
        program = shutil.which(command[0])
        if program is None:
            raise CouldNotRun(f"{command[0]}: no such program", "name one that is on PATH")
        if os.environ.get("FUNCTION_SHIELD_MODE") not in {"alert", "off"}:
            refuse_blocked_places(
                chosen.file, [("the program", Path(program)), ("the layer", found.folder)]
            )
        log.debug(
            "becoming the program",
            launcher=str(found.launcher),
            policy=chosen.variable,
            command=command,
        )
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            os.execve(
                found.launcher,
                [str(found.launcher), program, *command[1:]],
                {**os.environ, "FUNCTION_SHIELD_POLICY": chosen.variable},
            )
        except OSError as error:
            raise CouldNotRun(
                f"{found.launcher}: {error.strerror}", "run ./build.sh again"
            ) from error


def invoke(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FUNCTION_DIR", help="The function's package, as /var/task holds it."
        ),
    ],
    handler: Annotated[
        str, typer.Option("--handler", metavar="MODULE.FUNCTION", help="The handler.")
    ],
    event: Annotated[
        list[Path],
        typer.Option(
            "--event", metavar="FILE", help="An event in JSON; - is stdin. May be repeated."
        ),
    ],
    policy: options.PolicyOrName = None,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python",
            metavar="PY",
            help="The Python interpreter. Default: fshield's own.",
            show_default=False,
        ),
    ] = None,
    node: Annotated[
        Path | None,
        typer.Option(
            "--node",
            metavar="NODE",
            help="Node.js, for a handler in JavaScript. Default: the one on PATH.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option("--count", "-n", min=1, max=10000, help="Invoke N times with each event."),
    ] = 1,
    env: options.Environment = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, max=900, help="For each invocation.")
    ] = 30,
    tenant_id: Annotated[
        str | None,
        typer.Option(
            "--tenant-id",
            metavar="ID",
            help="The tenant of each invocation, for a function with tenant isolation.",
            show_default=False,
        ),
    ] = None,
    layer: options.Layer = None,
    unguarded: Annotated[
        bool, typer.Option("--unguarded", help="Without the layer, to compare.")
    ] = False,
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            metavar="IMAGE",
            help=(
                "Run in a container of this Lambda base image. Where the host is not Linux:"
                f" {DEFAULT_IMAGE}."
            ),
            show_default=False,
        ),
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="With Lambda's restrictions on the container, and no network. Linux only.",
        ),
    ] = False,
    events_file: Annotated[
        Path | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Write what the guard reported, one JSON object a line: what learn reads.",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Invoke a function under Lambda's emulator with the layer attached: here, or in a
    container."""
    with output.reporting(as_json):
        events = [_event(path) for path in event]
        variables = _variables(env or [])
        if tenant_id is not None and not _TENANT_ID.fullmatch(tenant_id):
            raise CouldNotRun(
                f"--tenant-id {shown(tenant_id)}: Lambda takes no such id",
                "1 to 256 letters, digits, spaces and . _ : / = + - @",
            )
        if unguarded and (policy or layer):
            raise CouldNotRun(
                "--unguarded runs without a layer and its policies",
                "leave out --policy and --layer",
            )
        in_container = bool(image) or sandbox or sys.platform != "linux"
        script = node_client.handler_file(folder, handler)
        for option, given, fits in (
            ("--python", python, not script),
            ("--node", node, script is not None),
        ):
            if given and in_container:
                raise CouldNotRun(
                    f"{option} is for runs without a container: the image has its own",
                    f"leave out {option}",
                )
            if given and not fits:
                raise CouldNotRun(
                    f"{option}: the handler is not in that language", f"leave out {option}"
                )
        if in_container and script and not image:
            raise CouldNotRun(
                f"{shown(script.name)}: {DEFAULT_IMAGE} has no Node.js",
                f"--image {node_client.IMAGE}",
            )
        options: dict[str, Any] = {
            "layer": layer,
            "policy": policy,
            "env": variables,
            "timeout": timeout,
            "guarded": not unguarded,
        }
        function: Function | ContainerFunction
        if in_container:
            function = ContainerFunction(
                folder, handler, image=image or DEFAULT_IMAGE, sandbox=sandbox, **options
            )
        else:
            options["node"] = (node or "node") if script else None
            function = Function(
                folder, handler, python=python or sys.executable, metadata=True, **options
            )
        tell = None if as_json else _print_invocation
        done = _invoke_all(function, events * count, tenant_id, tell)
        rest = function.rest
        if events_file:
            seen = [event for each in (*done, *([rest] if rest else [])) for event in each.events]
            lines = "".join(f"{json.dumps(one)}\n" for one in seen)
            write_whole(events_file, _as_on_lambda(lines, folder).encode())
        if as_json:
            answers = [_as_dict(each) for each in done]
            failed = any(each.error for each in done)
            output.print_json(
                {"ok": not failed, "invocations": answers, "rest": _as_dict(rest) if rest else None}
            )
        elif rest and (rest.events or rest.output):
            _print_streams(rest)
    if any(each.error for each in done):
        raise typer.Exit(output.FINDINGS)


def _as_on_lambda(lines: str, folder: Path) -> str:
    """Events with the function's folder where Lambda has it. What reads events tells packages by
    their places in it."""
    here = json.dumps(str(folder.resolve()))[1:-1].rstrip("/")
    # Not in the middle of a path: /tmp/app/x is not in the folder /app.
    begins = r"(?:(?<![\w.~/-])|(?<=file://))"
    return re.sub(f"{begins}{re.escape(here)}/", "/var/task/", lines) if here else lines


def _invoke_all(
    function: Function | ContainerFunction,
    events: list[Any],
    tenant_id: str | None,
    tell: Callable[[int, Invocation], None] | None,
) -> list[Invocation]:
    """Invoke with each event in turn, and call `tell` after each. After a second, print what it
    waits for.
    """
    done = []
    with function:
        for number, event in enumerate(events, 1):
            with waiting_for(f"invocation {number} of {len(events)}"):
                done.append(function.invoke(event, tenant_id=tenant_id))
            if tell:
                tell(number, done[-1])
    return done


def _event(path: Path) -> Any:
    """The event in the file. Raises CouldNotRun, with line and column if it is not JSON."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CouldNotRun(
            f"{path}:{error.lineno}:{error.colno}: no JSON: {error.msg}", "fix the event"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotRun(
            f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}",
            "name a file with an event",
        ) from error
    except RecursionError as error:
        raise CouldNotRun(f"{path}: nested too deeply", "fix the event") from error


def _variables(given: list[str]) -> dict[str, str]:
    variables = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not name or not separator:
            raise CouldNotRun(f"--env {each}: no variable", "write NAME=VALUE")
        variables[name] = value
    return variables


def _as_dict(invocation: Invocation) -> dict[str, Any]:
    return {
        "response": invocation.response,
        "error": invocation.error,
        "duration_ms": round(invocation.duration_ms, 2),
        "stdout": invocation.stdout.decode("utf-8", "replace"),
        "stderr": invocation.stderr.decode("utf-8", "replace"),
        "events": invocation.events,
    }


def _print_invocation(number: int, invocation: Invocation) -> None:
    to = output.console()
    word, style = ("failed", "bold red") if invocation.error else ("returned", "bold green")
    to.print(
        Text.assemble(
            (f"invocation {number}", "bold"), f"  {invocation.duration_ms:.1f} ms  ", (word, style)
        ),
        soft_wrap=True,
    )
    answer = invocation.error if invocation.error else invocation.response
    to.print(Text(f"  {harmless(json.dumps(answer, ensure_ascii=False))}"), soft_wrap=True)
    _print_streams(invocation)


def _print_streams(invocation: Invocation) -> None:
    to = output.console()
    if invocation.output:
        to.print(Text("  the function's own output", "dim"))
        for line in invocation.output:
            to.print(Text(f"    {harmless(line)}"), soft_wrap=True)
    if invocation.events:
        to.print(Text("  events", "dim"))
        printer = EventPrinter(sys.stdout, indent=4)
        for event in invocation.events:
            printer.print(event)
