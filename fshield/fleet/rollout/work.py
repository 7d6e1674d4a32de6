"""The steps of a rollout: move a share, watch it, continue or roll back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from fshield.fleet.api.patience import Stopped
from fshield.fleet.change import Outcome, Result
from fshield.fleet.rollout.journal import Journal, Key, Step
from fshield.fleet.rollout.watch import Clock, Kind, Sight, Watch
from fshield.fleet.run import Target

#: CloudWatch may show a line only a while after it was written. Watch for this long after the end.
LATE = timedelta(seconds=90)


class End(str, Enum):
    """How it ended."""

    DONE = "done"
    BACK = "went back"
    PAUSED = "nothing seen"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Rules:
    """When a rollout continues, and when it rolls back.

    Args:
        watch: how long to watch a share; zero: look once.
        every: between two looks.
        baseline: ignore what was blocked in this time before the rollout.
        max_blocked: the number of newly blocked acts to tolerate.
        min_starts: the number of cold starts under the new policy to require.
    """

    watch: timedelta = timedelta(minutes=30)
    every: timedelta = timedelta(seconds=30)
    baseline: timedelta = timedelta(days=1)
    max_blocked: int = 0
    min_starts: int = 1


@dataclass
class Work:
    """One run of a rollout. It may continue an earlier run.

    Args:
        journal: what was done so far.
        targets: each function of it.
        change: moves functions (True) or rolls them back (False), and returns the outcomes.
        tell: called with sentences about the progress.
    """

    journal: Journal
    targets: dict[Key, Target]
    rules: Rules
    watch: Watch
    clock: Clock
    change: Callable[[Sequence[Key], bool], list[Outcome]]
    tell: Callable[[str], None]
    outcomes: list[Outcome] = field(default_factory=list)
    blocked: dict[Kind, int] = field(default_factory=dict)
    seen: Sight = field(default_factory=Sight)

    def run(self) -> End:
        """Do the remaining steps.

        Raises:
            CouldNotRun: the evidence cannot be read, or the journal cannot be written.
        """
        try:
            return self._run()
        except Stopped:
            return End.INTERRUPTED

    def back(self, why: str) -> End:
        """Roll every moved function back."""
        journal = self.journal
        if journal.step is not Step.BACK:
            journal.step_to(Step.BACK, journal.stage, self.clock.now(), why)
        self.tell(f"going back: {journal.why}")
        self.outcomes = self.change(journal.begun, False)
        end = _ended(self.outcomes)
        if end:
            return end
        journal.step_to(Step.UNDONE, journal.stage, self.clock.now())
        return End.BACK

    def _run(self) -> End:
        journal = self.journal
        if journal.step is Step.BACK:
            return self.back(journal.why)
        known = self._baseline()
        if journal.moved_at is None:
            journal.step_to(Step.MOVE, 0, self.clock.now())
        while True:
            if journal.step is Step.MOVE:
                due = journal.due()
                number = f"stage {journal.stage + 1} of {len(journal.shares)}"
                self.tell(
                    f"{number}: {share_in_words(journal, journal.stage)}, {len(due)} functions"
                )
                moved = self.change(due, True)
                # An alias is moved in every stage: the last outcome counts.
                latest = {(each.place, each.name): each for each in (*self.outcomes, *moved)}
                self.outcomes = list(latest.values())
                end = _ended(moved)
                if end:
                    return end
                if journal.last:
                    journal.step_to(Step.DONE, journal.stage, self.clock.now())
                    return End.DONE
                journal.step_to(Step.WATCH, journal.stage, self.clock.now())
            end = self._watch(known)
            if end:
                return end
            journal.step_to(Step.MOVE, journal.stage + 1, self.clock.now())

    def _watched(self) -> list[Target]:
        return [self.targets[key] for key in self.journal.watched]

    def _versions(self) -> dict[Target, str]:
        """In a rollout to an alias, the version to watch. The others also keep running."""
        versions = self.journal.versions
        return {self.targets[key]: each.after for key, each in versions.items()}

    def _baseline(self) -> set[Kind]:
        """What was blocked before anything was moved. Also proves that the events can be read."""
        journal = self.journal
        canary = [
            self.targets[key]
            for key, stage in journal.functions.items()
            if stage < len(journal.shares) - 1
        ]
        since = journal.started - self.rules.baseline
        return set(self.watch.look(canary, since, journal.started).blocked)

    def _watch(self, known: set[Kind]) -> End | None:
        """Watch until the time is over, or too much is blocked. Returns None to continue."""
        journal, rules, clock = self.journal, self.rules, self.clock
        if not journal.watched:
            return None
        since = journal.moved_at or journal.started
        until = (journal.watched_from or since) + (
            rules.watch + LATE if rules.watch else rules.watch
        )
        self.tell(f"watching {len(journal.watched)} functions until {until:%H:%M:%S} UTC")
        while True:
            now = clock.now()
            self.seen = self.watch.look(self._watched(), since, now, self._versions())
            self.blocked = self.seen.new(known)
            total = sum(self.blocked.values())
            if total > rules.max_blocked:
                first = next(iter(self.blocked)).words
                return self.back(f"{total} blocked that were not before: {first}")
            if now >= until:
                break
            clock.sleep(min(rules.every, until - now).total_seconds())
        if self.seen.starts < rules.min_starts:
            # The next run watches for the whole time again.
            journal.step_to(Step.WATCH, journal.stage, clock.now())
            return End.PAUSED
        self.tell(f"{self.seen.starts} cold starts under the new policy, nothing newly blocked")
        return None


def share_in_words(journal: Journal, stage: int) -> str:
    """What a stage moves, in words: functions, or an alias's calls."""
    share = f"{journal.shares[stage] * 100:.3g}%"
    return f"{share} of the calls of {journal.alias}" if journal.alias else f"until {share}"


def _ended(outcomes: Sequence[Outcome]) -> End | None:
    results = {outcome.result for outcome in outcomes}
    if Result.NOT_BEGUN in results:
        return End.INTERRUPTED
    return End.FAILED if Result.FAILED in results else None
