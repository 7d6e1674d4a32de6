"""The command line. A command's module is imported only when the command runs."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fshield.cli.commands import COMMANDS, GROUPS, Command
from fshield.version import VERSION


class Commands(TyperGroup):
    """The commands in ``commands.py``. Names come from the table; a command is imported on use."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command's name, in the order of the groups."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, imported, or None."""
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            self.commands[cmd_name] = _load(COMMANDS[cmd_name])
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the groups, one line per command, from the table, so that --help imports no
        command.
        """
        width = max(map(len, COMMANDS))
        for group, title in GROUPS.items():
            with formatter.section(title):
                rows = [command for command in COMMANDS.values() if command.group == group]
                formatter.write_dl([(f"{command.name:{width}}", command.help) for command in rows])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Like typer's, but suggestions for a misspelt name come from the table."""
        known = self.commands
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            if (
                args
                and args[0] not in known
                and (near := _near(args[0]))
                and hasattr(error, "message")
            ):
                error.message = f"No such command {args[0]!r}. Did you mean {near!r}?"
            raise

    def invoke(self, ctx: Any) -> Any:
        """Like typer's, but reports a wrong value without pydantic's prefix."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


def _near(word: str) -> str | None:
    import difflib  # noqa: PLC0415 - only where a command is misspelt

    return next(iter(difflib.get_close_matches(word, list(COMMANDS), n=1)), None)


#: pydantic's own switch: it reads every installed package's metadata to look for plug-ins.
_NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


@contextmanager
def _lean_import() -> Iterator[None]:
    """Import without garbage collection and pydantic's plug-ins, which saves a tenth of the time.
    Restores the environment for programs that the command starts.
    """
    was = os.environ.get(_NO_PLUGINS)
    os.environ[_NO_PLUGINS] = "__all__"
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if was is None:
            del os.environ[_NO_PLUGINS]
        else:
            os.environ[_NO_PLUGINS] = was


#: Stay lean until the command is loaded, because typer imports pydantic when it reads options.
_starting = ExitStack()


def _load(command: Command) -> Any:
    with _starting.pop_all():
        module = importlib.import_module(f"fshield.cli.{command.module}")
        function = getattr(module, command.function or command.name)
        alone = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        alone.command(command.name, epilog=command.exit_codes, context_settings=command.settings)(
            function
        )
        return typer.main.get_command(alone)


app = typer.Typer(
    name="fshield",
    cls=Commands,
    help=(
        "Policies for FunctionShield, open: write, test and watch them, and put the guard on"
        " functions.\n\nExit codes: 0 ok, 1 findings, 2 could not run."
    ),
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fshield {VERSION}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log to stderr what is being done.")
    ] = False,
    log_format: Annotated[
        str,
        typer.Option(
            "--log-format", metavar="FORMAT", help="How the log is written: text or json."
        ),
    ] = "text",
) -> None:
    if log_format not in {"text", "json"}:
        raise typer.BadParameter("text or json", param_hint="--log-format")
    if verbose:
        from fshield import log  # noqa: PLC0415 - structlog takes 100 ms to import

        log.configure(log_format)


def main() -> None:
    """The console script."""
    try:
        with _starting:
            _starting.enter_context(_lean_import())
            app()
    except KeyboardInterrupt:
        sys.exit(130)
