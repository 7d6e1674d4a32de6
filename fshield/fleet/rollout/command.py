"""The work of ``fshield rollout`` around its steps: what to publish, for which functions, and what
to print.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet import places as where
from fshield.fleet import publish
from fshield.fleet.api.client import could_not, speaking
from fshield.fleet.api.configuration import Function, function_of
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.change import Changer, Outcome, Result
from fshield.fleet.changes import confirm
from fshield.fleet.fixes import NO_FUNCTION, explained
from fshield.fleet.places import Place, several
from fshield.fleet.plan import Change, Refused
from fshield.fleet.request import Asked, RunOptions, Selection
from fshield.fleet.rollout import journal as journals
from fshield.fleet.rollout import say
from fshield.fleet.rollout.alias import Mover, check
from fshield.fleet.rollout.journal import Journal, Key, Moved, Step
from fshield.fleet.rollout.layer import policies_in, policy_digests
from fshield.fleet.rollout.moves import back, forward
from fshield.fleet.rollout.stages import staged
from fshield.fleet.rollout.watch import Clock, CloudWatch, Source, WallClock, Watch
from fshield.fleet.rollout.work import End, Rules, Work
from fshield.fleet.run import Target, change_all, in_parallel, interruptible
from fshield.fleet.show import Show
from fshield.fleet.sites import Site, check_names, choose, sites_of


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Args:
        archive: the policy layer's zip.
        layer: its name.
        parts: of the functions, stage by stage.
        journal: where the journal is; None: beside the zip.
        go_back: roll all of it back.
        alias: move the calls of this alias; None: functions.
    """

    archive: Path
    layer: str
    parts: list[float]
    rules: Rules
    journal: Path | None = None
    go_back: bool = False
    alias: str | None = None


@dataclass(frozen=True)
class Outside:
    """The clock and the source of events. Tests replace them, because they neither wait nor have
    logs.

    Args:
        clock, source: functions that make them when they are needed.
    """

    clock: Callable[[Patience], Clock] = WallClock
    source: Callable[[Source], Source] = lambda source: source


class RollOut:
    """One rollout, in its places."""

    def __init__(
        self,
        request: Request,
        selection: Selection,
        asked: Asked,
        options: RunOptions,
        outside: Outside,
    ) -> None:
        self._request = request
        self._selection = replace(selection, guarded=True)
        self._options = options
        self._outside = outside
        self._archive = publish.policies(request.archive, request.layer)
        self._policies = policies_in(self._archive.content)
        self.digest = hashlib.sha256(self._archive.content).hexdigest()
        self.path = request.journal or request.archive.with_name(f"{request.archive.name}.rollout")
        self.places = where.places(asked)
        self.stop = threading.Event()
        self.sites: dict[tuple[str, str], Site] = {}
        self.refused: list[Outcome] = []
        self.show = Show(0, "rollout", options.as_json, several(self.places))

    # ---- what there is to go on with ----

    def open(self) -> Journal | None:
        """The rollout in progress; None if there is none. Raises CouldNotRun."""
        found = journals.read(self.path)
        if found is None or found.step.over:
            if found and found.step is Step.UNDONE and found.digest == self.digest:
                raise CouldNotRun(
                    f"{self.path}: these policies went back: {found.why}",
                    "change them, or remove the journal to try them again",
                )
            if self._request.go_back:
                raise CouldNotRun(f"{self.path}: no rollout is under way", "--journal FILE")
            return None
        if found.digest != self.digest and not self._request.go_back:
            raise CouldNotRun(
                f"{self.path}: a rollout of other policies is under way",
                "--back ends it; or give that zip",
            )
        if found.alias != self._request.alias and not self._request.go_back:
            what = f"of alias {found.alias}" if found.alias else "without an alias"
            raise CouldNotRun(
                f"{self.path}: a rollout {what} is under way", "--back ends it; or go on as before"
            )
        known = {(place.number, place.region) for place in self.places}
        missing = sorted(set(found.arns) - known)
        if missing:
            raise CouldNotRun(
                f"{self.path}: the rollout is in {' '.join(missing[0]).strip()} as well",
                "give --region, --role-name and --account as before",
            )
        for place in self.places:
            self.sites[place.number, place.region] = Site(place, Patience(stop=self.stop))
        return found

    def plan(self, clock: Clock) -> Journal:
        """A new rollout: published, with its functions chosen; the journal is not written yet.
        Raises CouldNotRun."""
        self._selection.check("rollout policies.zip")
        check_names(self.places, self._selection.names)
        found: dict[Target, Function] = {}

        def look(site: Site) -> None:
            choose(site, self._selection, self.places)
            found.update(self._read(site))

        for site in sites_of(self.places, self.stop, look):
            if site.problem:
                # A share needs the whole list of functions.
                raise CouldNotRun(f"{site.place.label}: {site.problem.message}", site.problem.fix)
            self.sites[site.place.number, site.place.region] = site
        fit = self._fitting(found)
        if self._selection.everything and not (self._options.yes or self._options.dry_run):
            places = where.spoken(self.places)
            confirm(f"rollout to {len(fit)} functions in {places}?", self._options.as_json)
        arns = {} if self._options.dry_run else self._publish({target.place for target in fit})
        stages = staged(list(fit), self._request.parts, self.digest)
        if self._request.alias:
            stages = dict.fromkeys(stages, 0)
        logging = {target: each.raw.get("LoggingConfig") or {} for target, each in fit.items()}
        return Journal(
            self.path,
            self.digest,
            self._request.layer,
            self._request.parts,
            arns,
            {_key(target): stage for target, stage in stages.items()},
            clock.now(),
            {_key(target): str(each.get("LogGroup") or "") for target, each in logging.items()},
            alias=self._request.alias,
        )

    def _read(self, site: Site) -> dict[Target, Function]:
        """The configurations of a site's functions."""
        names = site.found.names
        found = {name: site.found.functions.get(name) for name in names}
        with speaking():
            client = site.place.account.function_client()

        def read(name: str) -> Function | Exception:
            ask = partial(client.get_function_configuration, FunctionName=name)
            try:
                return function_of(site.patience.call(ask))
            except (ClientError, BotoCoreError) as error:
                return error

        missing = [name for name, function in found.items() if function is None]
        for name, answer in in_parallel(
            missing, read, self._options.concurrency, lambda: not self.stop.is_set()
        ):
            if isinstance(answer, Function):
                found[name] = answer
            else:
                raise _unread(Target(site.place, name), answer)
        return {
            Target(site.place, name): function
            for name, function in found.items()
            if function is not None
        }

    def _fitting(self, found: Mapping[Target, Function]) -> dict[Target, Function]:
        """The functions that can be moved. Adds the others to the refused ones."""
        clients: dict[Place, Any] = {}
        for target in found:
            if self._request.alias and target.place not in clients:
                with speaking():
                    clients[target.place] = target.place.account.function_client()

        def fits(target: Target) -> Exception | None:
            function = found[target]
            layer = f"arn:aws:lambda:{target.place.region}:{function.account}:layer"
            to = self._forward(f"{layer}:{self._request.layer}:1")
            try:
                to(function)
                if self._request.alias:
                    patience = self._site(_key(target)).patience
                    check(clients[target.place], patience, function, self._request.alias, to)
            except (Refused, ClientError, BotoCoreError) as error:
                return error
            return None

        at_once = min(64, self._options.concurrency * len(self.places))
        answers = dict(in_parallel(list(found), fits, at_once, lambda: not self.stop.is_set()))
        if self.stop.is_set():
            raise Stopped
        for target in found:
            error = answers[target]
            if isinstance(error, Refused):
                self.refused.append(
                    Outcome(
                        target.name,
                        Result.REFUSED,
                        reason=error.reason,
                        fix=error.fix,
                        kind=error.kind,
                        place=target.place,
                    )
                )
            elif error:
                raise _unread(target, error)
        return {target: each for target, each in found.items() if answers[target] is None}

    def _forward(
        self, arn: str, moving: Callable[[Moved], None] = lambda _: None
    ) -> Callable[[Function], Change]:
        return partial(forward, arn=arn, policies=self._policies, moving=moving)

    def _publish(self, places: set[Place]) -> dict[tuple[str, str], str]:
        arns = {}
        for place in self.places:
            if place not in places:
                continue
            site = self.sites[place.number, place.region]
            with speaking():
                client = place.account.function_client()
            done = publish.Publisher(
                client, site.patience, organization=None, keep=None, dry_run=False
            )(self._archive)
            if done.problem or not done.arn:
                problem = done.problem or CouldNotRun("it was not published")
                raise CouldNotRun(f"{place.label}: {problem.message}", problem.fix)
            arns[place.number, place.region] = done.arn
        return arns

    # ---- doing it ----

    def work(self, journal: Journal, clock: Clock) -> Work:
        """The steps, ready to run."""
        targets = {key: Target(self._site(key).place, key[2]) for key in journal.functions}
        clients: dict[Place, Any] = {}

        def client(target: Target) -> Any:
            if target.place not in clients:
                with speaking():
                    clients[target.place] = target.place.account.logs_client()
            return clients[target.place]

        source = CloudWatch(
            client,
            {targets[key]: group for key, group in journal.groups.items() if group},
            lambda target: self._site(_key(target)).patience,
        )
        return Work(
            journal,
            targets,
            self._request.rules,
            Watch(self._outside.source(source), policy_digests(self._archive.content)),
            clock,
            partial(self._change, journal, targets),
            self.show.say,
        )

    def _site(self, key: Key) -> Site:
        return self.sites[key[0], key[1]]

    def _change(
        self, journal: Journal, targets: Mapping[Key, Target], keys: Sequence[Key], on: bool
    ) -> list[Outcome]:
        """Move functions, or take them back."""

        def one(target: Target) -> Outcome:
            site, key = self._site(_key(target)), _key(target)
            with speaking():
                lambda_client = clients.get(target.place) or site.place.account.function_client()
            clients[target.place] = lambda_client
            arn = journal.arns[key[0], key[1]]
            to, moving = self._forward(arn), self._forward(arn, partial(journal.moving, key))
            if journal.alias:
                mover = Mover(
                    lambda_client, site.patience, journal, key, to, moving, self._options.timeout
                )
                outcome = mover.on() if on else mover.back()
            else:
                changer = Changer(
                    lambda_client,
                    moving if on else lambda function: back(function, arn, journal.moved[key]),
                    site.patience,
                    timeout=self._options.timeout,
                )
                outcome = changer(target.name)
            if outcome.reason != NO_FUNCTION:
                return outcome
            # The function was deleted. Waiting for it would never end.
            return replace(outcome, result=Result.REFUSED, kind="deleted since")

        clients: dict[Place, Any] = {}
        self.show.grow(len(keys))
        at_once = min(64, self._options.concurrency * len(self.places))
        return change_all(
            [targets[key] for key in keys],
            one,
            self.stop,
            concurrency=at_once,
            max_failures=self._options.max_failures,
            tell=self.show.outcome,
        )


def rollout(
    request: Request,
    selection: Selection,
    asked: Asked,
    options: RunOptions,
    outside: Outside | None = None,
) -> None:
    """Roll out, and end the command: 0 every function has the policies, 1 it rolled back or must be
    run again, 2 it could not run.
    """
    with output.reporting(options.as_json):
        roll = RollOut(request, selection, asked, options, outside or Outside())
        clock = roll._outside.clock(Patience(stop=roll.stop))
        with interruptible(roll.stop, roll.show.say), roll.show.showing():
            try:
                journal = roll.open()
                if journal is None:
                    journal = roll.plan(clock)
                    if options.dry_run:
                        say.plan(journal, roll.refused, options)
                        raise typer.Exit(output.FINE)
                    if not journal.functions:
                        say.refused(roll.refused, roll.show, options.as_json)
                        raise typer.Exit(output.COULD_NOT_RUN)
                    journal.begin()
            except Stopped as error:
                raise CouldNotRun("interrupted: no function was moved", "run it again") from error
            work = roll.work(journal, clock)
            end = work.back("--back") if request.go_back else work.run()
    good = all(each.good for each in (*roll.refused, *work.outcomes))
    code = output.FINE if end is End.DONE and good else output.FINDINGS
    if end is End.BACK and request.go_back:
        code = output.FINE
    if options.as_json:
        output.print_json(say.as_dict(work, end, code, roll.refused))
    else:
        say.end(work, end, [*roll.refused, *work.outcomes], options.known)
    raise typer.Exit(code)


def _unread(target: Target, error: Exception) -> CouldNotRun:
    reason, fix = (
        explained(error) if isinstance(error, ClientError) else (could_not(error).message, "")
    )
    return CouldNotRun(f"{target.place.label} {target.name}: {reason}", fix)


def _key(target: Target) -> Key:
    return (target.place.number, target.place.region, target.name)
