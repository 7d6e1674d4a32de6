"""Moves an alias's calls to a version with the new policy layer.

A version never changes. So ``$LATEST`` gets the layer, a version is published from it, and the
alias sends a share of its calls there. That version may differ from the alias's only in the layer.
This is checked before anything is written, and again before it is published.

A rollback does not delete the published version. No new call reaches it, but calls that Lambda
accepted earlier may still be waiting for it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from fshield.fleet.api.configuration import Function, function_of
from fshield.fleet.api.patience import Patience
from fshield.fleet.change import Changer, Outcome, Result, attempted
from fshield.fleet.fixes import CHANGED_MEANWHILE, RUN_AGAIN, code_of
from fshield.fleet.plan import Change, Refused
from fshield.fleet.rollout.journal import Journal, Key, Versions
from fshield.fleet.rollout.moves import back
from fshield.fleet.versions import differences, split_in_words, split_of

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_POLL_S = 0.5
_TIMES_CHANGED_MEANWHILE = 4
#: The alias's version, and the share of the calls for each other version.
_Route = tuple[str, dict[str, float]]


def check(
    client: LambdaClient,
    patience: Patience,
    latest: Function,
    alias: str,
    to: Callable[[Function], Change],
) -> None:
    """Raise Refused if a function's alias cannot be moved. Also raises boto3's errors.

    Args:
        latest: ``$LATEST``.
        to: the change to the new policy layer.
    """
    calls = _Calls(client, patience, latest.name)
    _compare(latest, calls.function(_version_of(alias, calls.alias(alias))), to)


class Mover:
    """Moves the alias of one function.

    Args:
        to: from a function to the change to the new policy layer.
        moving: the same, but also writes the journal.
        timeout: seconds to wait for each step.
    """

    def __init__(
        self,
        client: LambdaClient,
        patience: Patience,
        journal: Journal,
        key: Key,
        to: Callable[[Function], Change],
        moving: Callable[[Function], Change],
        timeout: float,
    ) -> None:
        self._calls = _Calls(client, patience, key[2])
        self._changer = partial(Changer, client, patience=patience, timeout=timeout)
        self._patience = patience
        self._journal = journal
        self._key = key
        self._to = to
        self._moving = moving
        self._timeout = timeout
        self._name = key[2]
        self._alias = journal.alias or ""

    def on(self) -> Outcome:
        """Send this stage's share to the new version; publishes it first if necessary. Raises
        nothing, like `Changer`.
        """
        return attempted(self._name, self._on)

    def back(self) -> Outcome:
        """Restore the alias and ``$LATEST``. Changes that others have made since stay."""
        return attempted(self._name, self._back)

    def _on(self, outcome: Callable[..., Outcome]) -> Outcome:
        journal = self._journal
        versions = journal.versions.get(self._key)
        if versions is None:
            before = _version_of(self._alias, self._calls.alias(self._alias))
            if self._to(self._calls.function(before)).empty:
                return outcome(Result.NOTHING)
            versions = Versions(before)
            journal.leading(self._key, versions)
        if not versions.after:
            pointed = self._calls.function(versions.before)
            given = self._changer(partial(self._decide, pointed))(self._name)
            if not given.good:
                return given
            versions = replace(versions, after=self._published(pointed))
            journal.leading(self._key, versions)
        wrong = self._not_ready(versions.after)
        if wrong:
            return outcome(Result.FAILED, reason=wrong[0], fix=wrong[1])
        stage = journal.stage
        from_, to = self._route(versions, stage - 1), self._route(versions, stage)
        if not self._moved([from_], to):
            raise Refused(
                f"its alias {self._alias} was moved by another hand",
                "look at it; `--back` takes the rest back",
                "moved by another hand",
            )
        return outcome(Result.DONE, notes=(f"{self._alias}: {_route_in_words(to)}",))

    def _back(self, outcome: Callable[..., Outcome]) -> Outcome:
        versions = self._journal.versions[self._key]
        notes: list[str] = []
        # The alias first: from then on, no call reaches the new version.
        if versions.after:
            stages = range(len(self._journal.shares))
            ours = [self._route(versions, stage) for stage in stages]
            try:
                if self._moved(ours, self._route(versions, -1)):
                    stays = f"version {versions.after} stays, and {self._alias} sends no call to it"
                    notes.append(stays)
                else:
                    left = "was moved by another hand since: left as it is"
                    notes.append(f"its alias {self._alias} {left}")
            except Refused as error:
                notes.append(f"{error.reason} any more")
        moved = self._journal.moved.get(self._key)
        if moved:
            arn = self._journal.arns[self._key[0], self._key[1]]
            undone = self._changer(lambda function: back(function, arn, moved))(self._name)
            if not undone.good:
                return undone
            notes += undone.notes
        return outcome(Result.DONE, notes=tuple(notes))

    def _decide(self, pointed: Function, latest: Function) -> Change:
        """The change of ``$LATEST``, as it is now. Raises Refused."""
        _compare(latest, pointed, self._to)
        return self._moving(latest)

    def _published(self, pointed: Function) -> str:
        """Publish ``$LATEST``, which has the layer; the version's number. Raises Refused if others
        have changed it meanwhile.
        """
        for _ in range(_TIMES_CHANGED_MEANWHILE):
            latest = self._calls.function(None)
            change = _compare(latest, pointed, self._to)
            if not change.empty:
                break
            # After a crash before the journal was written, Lambda returns the same version again.
            # The revision makes sure that exactly what was read here is published.
            same = {"RevisionId": latest.revision, "CodeSha256": latest.raw.get("CodeSha256")}
            try:
                return self._calls.publish(f"fshield rollout {self._journal.digest[:12]}", same)
            except ClientError as error:
                if code_of(error) != CHANGED_MEANWHILE and "CodeSHA256" not in str(error):
                    raise
        raise Refused(
            f"another hand keeps changing it: no version was published, and {self._alias} is as it"
            " was",
            "run the command again",
            "changed by another hand",
        )

    def _not_ready(self, number: str) -> tuple[str, str] | None:
        """Wait for a version. Returns why the alias cannot be moved to it, and the fix; None if it
        can.
        """
        over = time.monotonic() + self._timeout
        while (version := self._calls.function(number)).busy:
            if time.monotonic() > over:
                return f"version {number} is not ready after {self._timeout:.0f} s", RUN_AGAIN
            self._patience.sleep(_POLL_S)
        if version.state == "Failed":
            why = version.raw.get("StateReason") or "no reason given"
            return f"Lambda could not make version {number}: {why}", "--back takes all back"
        return None

    def _route(self, versions: Versions, stage: int) -> _Route:
        """The alias's route in a stage; before the first stage, its original route."""
        if stage < 0:
            return versions.before, {}
        if stage == len(self._journal.shares) - 1:
            return versions.after, {}
        return versions.before, {versions.after: self._journal.shares[stage]}

    def _moved(self, from_: list[_Route], to: _Route) -> bool:
        """Move the alias, but only from one of the expected routes. Returns whether it now has the
        new one. Raises Refused if there is no alias.
        """
        for _ in range(_TIMES_CHANGED_MEANWHILE):
            found = self._calls.alias(self._alias)
            there = found["FunctionVersion"], split_of(found)
            if _same(there, to):
                return True
            if not any(_same(there, each) for each in from_):
                return False
            try:
                self._calls.point(self._alias, to, found.get("RevisionId"))
            except ClientError as error:
                if code_of(error) != CHANGED_MEANWHILE:
                    raise
            else:
                return True
        return False


class _Calls:
    """Lambda's calls about one function."""

    def __init__(self, client: LambdaClient, patience: Patience, name: str) -> None:
        self._client = client
        self._patience = patience
        self._name = name

    def _ask(self, what: Callable[..., Any], **arguments: Any) -> Any:
        return self._patience.call(partial(what, FunctionName=self._name, **arguments))

    def function(self, version: str | None) -> Function:
        """A version; None: ``$LATEST``."""
        more = {"Qualifier": version} if version else {}
        return function_of(self._ask(self._client.get_function_configuration, **more))

    def alias(self, name: str) -> Mapping[str, Any]:
        """An alias. Raises Refused if it does not exist."""
        try:
            found: Mapping[str, Any] = self._ask(self._client.get_alias, Name=name)
        except ClientError as error:
            text = str(error.response.get("Error", {}).get("Message") or "")
            if code_of(error) != "ResourceNotFoundException" or not text.startswith("Cannot find"):
                raise
            raise Refused(
                f"it has no alias {name}",
                "`aws lambda list-aliases` shows them; or leave the function out",
                "no such alias",
            ) from error
        return found

    def publish(self, description: str, same: Mapping[str, str | None]) -> str:
        """Publish ``$LATEST`` if it is still the `same`. Returns the version's number."""
        only = {key: value for key, value in same.items() if value}
        answer = self._ask(self._client.publish_version, Description=description, **only)
        return str(answer["Version"])

    def point(self, alias: str, to: _Route, revision: str | None) -> None:
        """Give an alias another route, if its revision is still this one."""
        version, shares = to
        more = {"RevisionId": revision} if revision else {}
        self._ask(
            self._client.update_alias,
            Name=alias,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": shares},
            **more,
        )


def _version_of(name: str, alias: Mapping[str, Any]) -> str:
    """The version of an alias. Raises Refused if its calls cannot be split."""
    version = str(alias["FunctionVersion"])
    if version == "$LATEST":
        raise Refused(
            f"its alias {name} leads to $LATEST, which takes no share",
            "roll out without --alias",
            "alias of $LATEST",
        )
    if split_of(alias):
        raise Refused(
            f"its alias {name} splits its calls already ({split_in_words(alias)})",
            "let that end, or take it back",
            "alias split already",
        )
    return version


def _compare(latest: Function, pointed: Function, to: Callable[[Function], Change]) -> Change:
    """The change of ``$LATEST`` to the new policy layer. Raises Refused if a version of ``$LATEST``
    would change anything else.
    """
    change = to(latest)
    others = differences(_after(change), _after(to(pointed)))
    if others:
        raise Refused(
            f"$LATEST differs from version {pointed.version}: {'; '.join(others)}",
            "deploy what the alias leads to first, or what $LATEST holds to the alias",
            "$LATEST differs",
        )
    return change


def _after(change: Change) -> Function:
    return replace(change.function, layers=change.layers, variables=change.variables)


def _same(one: _Route, other: _Route) -> bool:
    return (
        one[0] == other[0]
        and one[1].keys() == other[1].keys()
        and all(math.isclose(share, other[1][key], abs_tol=1e-6) for key, share in one[1].items())
    )


def _route_in_words(route: _Route) -> str:
    version, shares = route
    rest = [f"{share * 100:.3g}% to version {number}" for number, share in shares.items()]
    return ", ".join([f"version {version}", *rest])
