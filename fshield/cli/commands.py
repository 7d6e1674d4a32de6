"""The commands as data: what ``--help`` lists, and the module of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# In the order of --help.
GROUPS = {
    "write": "Write policies",
    "test": "Test a change",
    "watch": "Watch what happens",
    "run": "Run a function on this machine",
    "fleet": "Guard functions on Lambda",
}


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as people type it.
        group: a key of ``GROUPS``.
        module: its module in ``fshield.cli``.
        help: what it does, in at most 64 characters: one line of --help.
        exit_codes: the last line of its own --help.
        function: its function in the module; if empty, `name`.
        settings: click's settings of the command.
    """

    name: str
    group: str
    module: str
    help: str
    exit_codes: str
    function: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


_WRITTEN = (
    "Exit codes: 0 written, 2 a policy is wrong or the file cannot be written: nothing was written."
)
_FLEET = (
    "Exit codes: 0 every function is as asked, 1 some are, 2 none is, or it could not run."
    " Interrupted: the same."
)
# Arguments after `--` belong to the program that is started.
_PROGRAM = {"ignore_unknown_options": True, "allow_interspersed_args": False}

_ROWS = (
    Command(
        "new",
        "write",
        "new",
        "Create a repository of policies, with its CI checks.",
        "Exit codes: 0 written, 2 one of the files exists already: nothing was written.",
    ),
    Command(
        "check",
        "write",
        "policies",
        "Find errors in policies, and risks in a function's package.",
        "Exit codes: 0 ok, or notes only; 1 errors or warnings; 2 a file could not be read.",
    ),
    Command(
        "explain",
        "write",
        "explain",
        "Say what the engine would do, and which line says so.",
        "Exit codes: 0 answered, whatever the verdict; 2 the policy or the question is wrong.",
    ),
    Command(
        "learn",
        "write",
        "learn",
        "Write the narrowest policy that allows what happened.",
        "Exit codes: 0 a policy was learnt (something may be held back), 1 --into was not"
        " confirmed, or everything was held back, 2 could not run, or there was nothing to"
        " learn from.",
    ),
    Command(
        "fix",
        "write",
        "review",
        "Make the smallest edit that lets an event's act pass.",
        "Exit codes: 0 there is an edit, or none is needed; 1 no edit can allow it; 2 could not"
        " run.",
    ),
    Command(
        "compile",
        "write",
        "policies",
        "Compile one policy for the engine.",
        "Exit codes: 0 written, 2 the policy is wrong or the file cannot be written: nothing was"
        " written.",
        function="compile_command",
    ),
    Command(
        "package",
        "write",
        "policies",
        "Pack a folder of policies into a layer of its own.",
        _WRITTEN,
    ),
    Command(
        "schema",
        "write",
        "policies",
        "Print the policy language's JSON Schema, for editors.",
        "Exit codes: 0 printed.",
    ),
    Command(
        "test",
        "test",
        "test",
        "Run the tests that policies carry.",
        "Exit codes: 0 all passed, 1 one failed, 2 a policy is wrong or there was nothing to run.",
    ),
    Command(
        "diff",
        "test",
        "review",
        "Show what a policy change newly allows, and no longer allows.",
        "Exit codes: 0 nothing widens, 1 something does, 2 a policy is wrong or cannot be read.",
    ),
    Command(
        "replay",
        "test",
        "review",
        "Judge recorded events under another policy.",
        "Exit codes: 0 nothing that happened would be blocked, 1 something would, 2 could not run.",
    ),
    Command(
        "tail",
        "watch",
        "tail",
        "Show a function's events as they come.",
        "Exit codes: 0 all was shown, 2 could not run, 130 ended by Ctrl-C.",
    ),
    Command(
        "evidence",
        "watch",
        "evidence",
        "Make a table of what events say, or merge tables.",
        "Exit codes: 0 the table is made, 2 could not run: nothing is written, except complete days"
        " of log groups.",
    ),
    Command(
        "report",
        "watch",
        "report",
        "Make an HTML page of what each dependency touched.",
        "Exit codes: 0 the page is made, 2 could not run: nothing is written.",
    ),
    Command(
        "demo",
        "run",
        "demo",
        "Show a hostile dependency, without the guard and with it.",
        "Exit codes: 0 every act was stopped and named, 1 one was not, 2 could not run.",
    ),
    Command(
        "run",
        "run",
        "local",
        "Run a program under the guard.",
        "Exit codes: those of COMMAND; 2 it could not be started; 78 the guard refused to"
        " start it.",
        settings=_PROGRAM,
    ),
    Command(
        "invoke",
        "run",
        "local",
        "Invoke a function under Lambda's emulator.",
        "Exit codes: 0 every invocation returned, 1 one did not, 2 could not run.",
    ),
    Command(
        "self-test",
        "run",
        "self_test",
        "Say whether the guard works on this machine.",
        "Exit codes: 0 it works, 1 a door did not refuse or report, 2 it does not start.",
        function="self_test",
    ),
    Command(
        "layer",
        "fleet",
        "layer",
        "Write the engine's layer to a file.",
        "Exit codes: 0 written, 2 not.",
    ),
    Command(
        "verify",
        "fleet",
        "verify",
        "Check files and layers against a release's signed list.",
        "Exit codes: 0 all are the release's, 1 one is not, 2 the list cannot be trusted or read.",
    ),
    Command("attach", "fleet", "fleet.attach", "Put the guard on functions.", _FLEET),
    Command("detach", "fleet", "fleet.attach", "Take the guard off functions.", _FLEET),
    Command(
        "rollout",
        "fleet",
        "fleet.rollout",
        "Roll policies out in shares; roll back if acts are blocked.",
        "Exit codes: 0 every function has them, or --back rolled all back; 1 it rolled back, or"
        " must be run again; 2 could not run.",
    ),
    Command(
        "status",
        "fleet",
        "fleet.status",
        "Say which functions are guarded, and by what.",
        "Exit codes: 0 every function is guarded, 1 not every one, 2 could not run.",
    ),
    Command(
        "mode",
        "fleet",
        "fleet.mode",
        "Change a function's mode.",
        "Exit codes: 0 it is live, 1 in some places, 2 it is not.",
    ),
    Command(
        "ready",
        "fleet",
        "fleet.ready",
        "Say whether a function that only reports is ready to block.",
        "Exit codes: 0 go, 1 no-go, 2 could not run.",
    ),
    Command(
        "publish",
        "fleet",
        "fleet.publish",
        "Publish the engine's layers, or a policy layer.",
        "Exit codes: 0 all are there, 1 some are, 2 none is.",
    ),
    Command(
        "iam-policy",
        "fleet",
        "fleet.iam_policy",
        "Print the IAM policy that a command needs.",
        "Exit codes: 0 printed, 2 there is no such command.",
        function="iam_policy",
    ),
)
COMMANDS = {row.name: row for row in _ROWS}
