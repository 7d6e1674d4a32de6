"""``fshield mode``: sets the variable for a dry run, or to switch the guard off, and makes it live.

A version never changes. If callers use an alias, a new version is published from ``$LATEST``, and
the alias is moved to it. That would also make other changes in ``$LATEST`` live. So it is compared
first, and nothing is written if it differs. Before publishing it is compared again, and exactly
what was compared is published, so that changes that others make meanwhile do not become live.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from botocore.exceptions import ClientError
from rich.text import Text

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet import places as where
from fshield.fleet.api.arn import function_name
from fshield.fleet.api.client import speaking
from fshield.fleet.api.configuration import MODE, POLICY, Function, function_of
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.change import Changer, Result
from fshield.fleet.fixes import CHANGED_MEANWHILE, code_of
from fshield.fleet.places import Place, several
from fshield.fleet.plan import Change, Refused
from fshield.fleet.request import Asked
from fshield.fleet.run import interruptible
from fshield.fleet.show import Show
from fshield.fleet.sites import Site, check_names, sites_of
from fshield.fleet.versions import differences, split_in_words, split_of
from fshield.local.progress import waiting_for

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_POLL_S = 0.5
_TIMES_CHANGED_MEANWHILE = 4


class Mode(str, Enum):
    """The new value of FUNCTION_SHIELD_MODE; ``policy`` removes it."""

    ALERT = "alert"
    OFF = "off"
    POLICY = "policy"

    @property
    def variable(self) -> str | None:
        """The variable's value."""
        return None if self is Mode.POLICY else self.value

    @property
    def meaning(self) -> str:
        """What it means once it is live."""
        return {
            Mode.ALERT: "reports, and stops nothing",
            Mode.OFF: "runs unguarded",
            Mode.POLICY: "is guarded as its policy says",
        }[self]


@dataclass(frozen=True)
class Switched:
    """What `switch` did.

    Args:
        written: the variable was changed; False: it was right already.
        version: the published version that the alias points to now, or None without an alias.
        moved: the alias was moved; False: it was right already.
        seconds: until it was live.
    """

    function: str
    mode: Mode
    alias: str | None
    written: bool
    version: str | None
    moved: bool
    seconds: float
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ok": True,
            "function": self.function,
            "mode": self.mode.value,
            "alias": self.alias,
            "written": self.written,
            "version": self.version,
            "moved": self.moved,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
        }


def decided(function: Function, mode: Mode) -> Change:
    """The change of `function` to `mode`. Raises Refused."""
    if function.unreadable:
        raise Refused(
            f"its variables cannot be read ({function.unreadable})",
            "permit kms:Decrypt with its key",
        )
    if not function.guarded:
        raise Refused(
            "it is not guarded", "`fshield status` says how it stands, `fshield attach` guards it"
        )
    variables = {name: value for name, value in function.variables.items() if name != MODE}
    if mode.variable:
        variables[MODE] = mode.variable
    return Change(function, function.layers, variables)


class Switch:
    """Switches one function's mode.

    Args:
        force: publish even if ``$LATEST`` differs from the alias's version, and end a traffic
            split.
        timeout: seconds to wait for each step.
    """

    def __init__(
        self, client: LambdaClient, patience: Patience, *, force: bool, timeout: float
    ) -> None:
        self._client = client
        self._patience = patience
        self._force = force
        self._timeout = timeout

    def __call__(self, name: str, mode: Mode, alias: str | None) -> Switched:
        """Switch the mode, and return once it is live. Raises CouldNotRun."""
        started = time.monotonic()
        notes: list[str] = []
        before, seen = self._look(name, mode, alias, notes)
        changer = Changer(
            self._client, lambda f: decided(f, mode), self._patience, timeout=self._timeout
        )
        outcome = changer(name)
        if not outcome.good:
            raise CouldNotRun(f"{name}: {outcome.reason}", outcome.fix)
        notes += outcome.notes
        written = outcome.result is Result.DONE
        version, moved = None, False
        if alias and before is not None:
            version, moved = self._publish(name, mode, alias, before, seen)
        return Switched(
            name, mode, alias, written, version, moved, time.monotonic() - started, tuple(notes)
        )

    def _ask(self, what: Callable[..., Any], **arguments: Any) -> Any:
        return self._patience.call(partial(what, **arguments))

    def _function(self, name: str, qualifier: str | None = None) -> Function:
        more = {"Qualifier": qualifier} if qualifier else {}
        return function_of(
            self._ask(self._client.get_function_configuration, FunctionName=name, **more)
        )

    def _look(
        self, name: str, mode: Mode, alias: str | None, notes: list[str]
    ) -> tuple[Mapping[str, Any] | None, Function]:
        """Read the alias and $LATEST, and check everything that could go wrong later. Raises
        CouldNotRun."""
        latest = self._function(name)
        try:
            decided(latest, mode)
        except Refused as error:
            raise CouldNotRun(f"{name}: {error.reason}", error.fix) from error
        if mode is not Mode.POLICY:
            policy = latest.variables.get(POLICY) or "its policy"
            notes.append(
                f"obeyed only where allow_mode_override of {policy}, and of the floor, lists"
                f" {mode.value}"
            )
        if not alias:
            self._mention_aliases(name, notes)
            return None, latest
        found: Mapping[str, Any] = self._ask(self._client.get_alias, FunctionName=name, Name=alias)
        if split_of(found) and not self._force:
            raise CouldNotRun(
                f"{name}:{alias} splits its traffic ({split_in_words(found)}):"
                " a rollout is under way",
                "let it end or roll it back first; --force ends the split, and all traffic gets the"
                " new version",
            )
        if found["FunctionVersion"] == "$LATEST":
            return found, latest
        published = self._function(name, found["FunctionVersion"])
        others = differences(latest, published, without=(MODE,))
        if others and not self._force:
            raise CouldNotRun(
                f"{name}:{alias} is version {published.version}, and $LATEST differs in more than"
                f" the mode: {'; '.join(others)}",
                "deploy what the alias points to first; --force brings $LATEST live as it is",
            )
        if others:
            notes.append(f"brought live as well: {'; '.join(others)}")
        return found, latest

    def _mention_aliases(self, name: str, notes: list[str]) -> None:
        aliases = self._ask(self._client.list_aliases, FunctionName=name)["Aliases"]
        pinned = [
            f"{each['Name']} ({each['FunctionVersion']})"
            for each in aliases
            if each["FunctionVersion"] != "$LATEST"
        ]
        if pinned:
            notes.append(
                f"callers of an alias are not reached: {', '.join(pinned)}; name it with --alias"
            )

    def _publish(
        self, name: str, mode: Mode, alias: str, before: Mapping[str, Any], seen: Function
    ) -> tuple[str, bool]:
        """Publish what was written and move the alias to it. Returns the version, and whether the
        alias moved.
        """
        if before["FunctionVersion"] == "$LATEST":
            return "$LATEST", False
        pointed = self._function(name, before["FunctionVersion"])
        if pointed.variables.get(MODE) == mode.variable and not self._force:
            return pointed.version, False
        version = self._published(name, mode, alias, seen)
        over = time.monotonic() + self._timeout
        while version.busy:
            if time.monotonic() > over:
                raise CouldNotRun(
                    f"{name}: version {version.version} is not ready after {self._timeout:.0f} s;"
                    f" {alias} is as it was",
                    "run the command again: it goes on from there",
                )
            self._patience.sleep(_POLL_S)
            version = self._function(name, version.version)
        self._ask(
            self._client.update_alias,
            FunctionName=name,
            Name=alias,
            FunctionVersion=version.version,
            RoutingConfig={"AdditionalVersionWeights": {}},
            **({"RevisionId": before["RevisionId"]} if before.get("RevisionId") else {}),
        )
        seen = self._function(name, alias)
        if seen.variables.get(MODE) != mode.variable:
            raise CouldNotRun(
                f"{name}:{alias} was moved by another hand meanwhile", "run the command again"
            )
        return version.version, True

    def _published(self, name: str, mode: Mode, alias: str, seen: Function) -> Function:
        """Publish $LATEST as `seen`, with the mode. Raises CouldNotRun if others have changed it
        meanwhile.
        """
        for _ in range(_TIMES_CHANGED_MEANWHILE):
            latest = self._function(name)
            others = differences(latest, seen, without=(MODE,))
            if latest.variables.get(MODE) != mode.variable:
                others.append(f"variables {MODE}")
            if others:
                raise CouldNotRun(
                    f"{name}: changed by another hand meanwhile ({'; '.join(others)}): no version"
                    f" was published, and {alias} is as it was",
                    "look at what was changed, and run the command again",
                )
            # Exactly what was read here is published, or nothing.
            same = {"RevisionId": latest.revision, "CodeSha256": latest.raw.get("CodeSha256")}
            try:
                answer = self._ask(
                    self._client.publish_version,
                    FunctionName=name,
                    Description=f"fshield mode {mode.value}",
                    **{key: value for key, value in same.items() if value},
                )
            except ClientError as error:
                if code_of(error) != CHANGED_MEANWHILE and "CodeSHA256" not in str(error):
                    raise
                continue
            return function_of(answer)
        raise CouldNotRun(
            f"{name}: another hand keeps changing it: no version was published, and {alias} is as"
            " it was",
            "run the command again",
        )


def mode_command(
    function: str,
    mode: Mode,
    alias: str | None,
    asked: Asked,
    *,
    force: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """The work of ``fshield mode``: switch in each place, and print how long it took."""
    stop = threading.Event()
    done: dict[Place, Switched] = {}
    with output.reporting(as_json):
        places = where.places(asked)
        check_names(places, [function])

        def look(site: Site) -> None:
            if several(places) and not site.place.names([function]):
                return
            done[site.place] = _switched(site, function, mode, alias, force, timeout)

        show = Show(len(places), "mode", as_json)
        with interruptible(stop, show.say), waiting_for(f"{function}: {mode.value}"):
            sites = sites_of(places, stop, look)
    code = _code(sites, len(done))
    if as_json:
        if several(places):
            output.print_json(_as_dict(sites, done, code))
        else:
            output.print_json(done[places[0]].as_dict())
    else:
        for site in sites:
            label = f"{site.place.label}  " if several(places) else ""
            if site.place in done:
                _print(done[site.place], label)
            elif site.problem:
                sentence = f"{site.problem.message}; {site.problem.fix or ''}"
                output.console().print(
                    Text.assemble(("failed  ", "bold red"), label, output.printable(sentence)),
                    soft_wrap=True,
                )
        if several(places):
            output.console().print(f"mode {mode.value}  {len(done)} of {len(places)} places")
    raise typer.Exit(code)


def _switched(
    site: Site, function: str, mode: Mode, alias: str | None, force: bool, timeout: float
) -> Switched:
    with speaking():
        client = site.place.account.function_client()
        name = function_name(function, site.place.region)
        try:
            return Switch(client, site.patience, force=force, timeout=timeout)(name, mode, alias)
        except Stopped as error:
            raise CouldNotRun(
                f"{name}: interrupted; {MODE} may be written, and no alias was moved since",
                "run the command again: it goes on from there",
            ) from error


def _code(sites: Sequence[Site], done: int) -> int:
    if not any(site.problem for site in sites):
        return output.FINE
    return output.FINDINGS if done else output.COULD_NOT_RUN


def _as_dict(sites: Sequence[Site], done: Mapping[Place, Switched], code: int) -> dict[str, Any]:
    return {
        "ok": code == output.FINE,
        "places": [
            {
                **site.place.as_dict(),
                "switched": done[site.place].as_dict() if site.place in done else None,
                "problem": site.problem_as_dict(),
            }
            for site in sites
        ],
    }


def _print(done: Switched, label: str) -> None:
    name = f"{done.function}:{done.alias}, version {done.version}" if done.alias else done.function
    what = "live" if done.written or done.moved else "so already"
    to = output.console()
    to.print(
        Text.assemble(
            label,
            (name, "bold"),
            f"  {done.mode.meaning}: {what} ",
            (f"after {done.seconds:.1f} s", "bold"),
        ),
        soft_wrap=True,
    )
    for note in done.notes:
        to.print(Text(f"  {note}", "yellow"), soft_wrap=True)
