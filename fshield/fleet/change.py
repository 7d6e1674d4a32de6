"""Changes one function: read, decide, write once with the revision that was read, wait until it is
live.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from fshield.fleet.api.client import could_not, fatal
from fshield.fleet.api.configuration import Function, function_of
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.fixes import BUSY, CHANGED_MEANWHILE, code_of, explained
from fshield.fleet.places import Place
from fshield.fleet.plan import Change, Refused

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_FIRST_POLL_S, _LONGEST_POLL_S = 0.3, 4.0
#: A revision changes once more by itself when an update ends
#: (https://github.com/aws/aws-sdk/issues/377), so a : mismatch is read again. The number of tries
#: is limited, because two programs may be undoing each other's changes.
_TIMES_CHANGED_MEANWHILE = 4


class Result(str, Enum):
    """The result for one function."""

    DONE = "done"
    NOTHING = "nothing to do"
    WOULD = "would change"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_BEGUN = "not begun"


@dataclass(frozen=True)
class Outcome:
    """The outcome for one function.

    Args:
        reason, fix: of refusals and failures.
        kind: of a refusal: the same for all functions with the same cause.
        change: what was, or would be, changed.
        seconds: from the first call to the last answer.
        fatal: the other functions of the place would fail too.
        place: where it is; None if that is not shown.
    """

    name: str
    result: Result
    reason: str = ""
    fix: str = ""
    kind: str = ""
    change: Change | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    fatal: bool = False
    place: Place | None = None

    @property
    def good(self) -> bool:
        """Whether it is as requested, or would be."""
        return self.result in {Result.DONE, Result.NOTHING, Result.WOULD}

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        changes = self.change.lines() if self.change else []
        return {
            "function": self.name,
            **(self.place.as_dict() if self.place else {}),
            "result": self.result.value,
            "reason": self.reason or None,
            "kind": self.kind or None,
            "fix": self.fix or None,
            "changes": changes,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def attempted(name: str, do: Callable[[Callable[..., Outcome]], Outcome]) -> Outcome:
    """The outcome of `do` for one function. If it raised, an outcome that says what went wrong.

    Args:
        do: gets a function that makes an outcome of a result, with the time that it took.
    """
    started = time.monotonic()

    def outcome(result: Result, **more: Any) -> Outcome:
        return Outcome(name, result, seconds=time.monotonic() - started, **more)

    try:
        return do(outcome)
    except Refused as error:
        return outcome(Result.REFUSED, reason=error.reason, fix=error.fix, kind=error.kind)
    except Stopped:
        return outcome(Result.NOT_BEGUN, reason="interrupted", fix="run the command again")
    except ClientError as error:
        reason, fix = explained(error)
        return outcome(Result.FAILED, reason=reason, fix=fix, fatal=fatal(error))
    except BotoCoreError as error:
        problem = could_not(error)
        return outcome(
            Result.FAILED, reason=problem.message, fix=problem.fix or "", fatal=fatal(error)
        )


class Changer:
    """Changes functions.

    Args:
        client: Lambda.
        decide: from a function to the change that it needs. Raises Refused.
        patience: shared by all threads.
        dry_run: read and decide, write nothing.
        timeout: seconds to wait for another change, and then for ours.
    """

    def __init__(
        self,
        client: LambdaClient,
        decide: Callable[[Function], Change],
        patience: Patience,
        *,
        dry_run: bool = False,
        timeout: float = 120,
    ) -> None:
        self._client = client
        self._decide = decide
        self._patience = patience
        self._dry_run = dry_run
        self._timeout = timeout

    def __call__(self, name: str) -> Outcome:
        """Change the function of this name. Raises nothing: the outcome says what went wrong."""
        return attempted(name, partial(self._changed, name))

    def _changed(self, name: str, outcome: Callable[..., Outcome]) -> Outcome:
        times = 0
        over = time.monotonic() + self._timeout
        while True:
            function = self._when_idle(name, over)
            change = self._decide(function)
            if change.empty:
                return outcome(Result.NOTHING, notes=change.notes)
            if self._dry_run:
                return outcome(Result.WOULD, change=change, notes=change.notes)
            try:
                answer = self._patience.call(
                    partial(self._client.update_function_configuration, **change.request())
                )
            except ClientError as error:
                times += code_of(error) == CHANGED_MEANWHILE
                conflict = code_of(error) == BUSY and time.monotonic() < over
                if not conflict and not (
                    code_of(error) == CHANGED_MEANWHILE and times < _TIMES_CHANGED_MEANWHILE
                ):
                    raise
                self._patience.sleep(_FIRST_POLL_S)
                continue
            return self._live(function_of(answer), change, outcome)

    def _read(self, name: str) -> Function:
        return function_of(
            self._patience.call(partial(self._client.get_function_configuration, FunctionName=name))
        )

    def _when_idle(self, name: str, over: float) -> Function:
        """The function, once Lambda has applied the last change. Raises Refused if that takes too
        long.
        """
        pause = _FIRST_POLL_S
        while True:
            function = self._read(name)
            if not function.busy:
                return function
            if self._dry_run or time.monotonic() >= over:
                if self._dry_run:
                    return function
                raise Refused(
                    f"it has been changing for {self._timeout:.0f} s, by another hand",
                    "wait until that is done, and run again",
                )
            self._patience.sleep(pause)
            pause = min(_LONGEST_POLL_S, pause * 1.7)

    def _live(self, function: Function, change: Change, outcome: Callable[..., Outcome]) -> Outcome:
        """Wait until the change is live. It was written in any case, so every outcome here says
        so.
        """
        notes = list(change.notes)
        over = time.monotonic() + self._timeout
        pause = _FIRST_POLL_S
        try:
            while function.busy and time.monotonic() < over:
                self._patience.sleep(pause)
                pause = min(_LONGEST_POLL_S, pause * 1.7)
                function = self._read(function.name)
        except (Stopped, ClientError, BotoCoreError):
            notes.append("written; not waited until it was live")
            return outcome(Result.DONE, change=change, notes=tuple(notes))
        if function.busy:
            notes.append(f"written; not live after {self._timeout:.0f} s")
        elif function.update == "Failed":
            return outcome(
                Result.FAILED,
                change=change,
                reason=(
                    "written, but Lambda could not bring it live:"
                    f" {function.update_reason or 'no reason given'}"
                ),
                fix=(
                    "fix that, or take the change back with detach; until then the function runs"
                    " as before"
                ),
            )
        return outcome(Result.DONE, change=change, notes=tuple(notes))
