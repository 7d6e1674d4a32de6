"""``fshield diff --dependencies``: compares two lock files, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from fshield import output
from fshield.engine import decide as native
from fshield.errors import CouldNotRun
from fshield.evidence import sources
from fshield.evidence.events import harmless
from fshield.evidence.lockfiles import read_lock
from fshield.evidence.touched import Touched
from fshield.evidence.updates import Did, May, Update, Updates, updates
from fshield.language.loader import load
from fshield.language.patterns import FORK

_WIDTH = 80
#: A screen of 24 lines, less one for the next prompt.
_LINES = 23
_ACTS, _ENTRIES, _NAMES = 4, 3, 6
_VERBS = {"create_child_process": "start ", "native_code": "load "}
_STYLES = {"new": "bold red", "replaced": "bold red", "newer": "bold yellow"}


def compare(
    old: Path,
    new: Path,
    policy: Path | None,
    log: list[str],
    old_log: list[str],
    own: list[str],
    region: str | None,
    env: list[str] | None,
) -> Updates:
    """Compare what the packages of both lock files may do, and did.

    Raises:
        CouldNotRun: something cannot be read.
        PolicyError: a lock file or the policy is wrong.
    """
    before, after = read_lock(old), read_lock(new)
    if before.kind != after.kind:
        raise CouldNotRun(
            f"{old} is a lock of {before.kind}, and {new} one of {after.kind}",
            "name two of one kind",
        )
    if old_log and not log:
        raise CouldNotRun("--old-log without --log", "--log is the log of the tests with NEW")
    loaded = load(policy) if policy else None
    did, region_seen = _read(log, own)
    did_before, _ = _read(old_log, own)
    where = sources.region_of(region) or region_seen or native.Facts().region
    facts = native.facts_of(where, env or [])
    return updates(before, after, loaded, did, did_before, facts)


def _read(logs: list[str], own: list[str]) -> tuple[Touched | None, str | None]:
    if not logs:
        return None, None
    source = sources.Source(logs)
    evidence = Touched()
    evidence.packages.own |= set(own)
    with source.records() as records:
        evidence.read(records)
    sources.say_doubts(source.counts)
    return evidence, evidence.region


def print_updates(found: Updates, policy: Path | None, log: bool) -> None:
    """Print one screen, the most important packages first."""
    to = output.console()
    lines, left = list(_head(found, policy)), 0
    made = [(one, list(_package(one, policy is not None, log))) for one in found.found]
    quiet = [one for one, words in made if len(words) == 1 and not one.matters]
    tail = [
        _listed(change, [_versions(one) for one in quiet if one.change == change])
        for change in dict.fromkeys(one.change for one in quiet)
    ]
    tail += [_listed("gone", found.gone)] if found.gone else []
    # The verdict, and what is left out.
    room = _LINES - len(tail) - 2
    for _, words in (pair for pair in made if pair[0] not in quiet):
        if left or len(lines) + len(words) > room:
            left += 1
        else:
            lines += words
    tail += [Text(f"and {left} more: --json has all")] if left else []
    for line in [*lines, *tail]:
        line.truncate(_WIDTH, overflow="ellipsis")
        to.print(line, soft_wrap=True)
    for note in found.notes:
        output.console(stderr=True).print(f"note: {harmless(note)}", soft_wrap=True)
    to.print(_verdict(found), soft_wrap=True)


def _head(found: Updates, policy: Path | None) -> Iterator[Text]:
    if found.every is None or policy is None:
        return
    words = _entries(found.every)
    open_ = ", ".join(f"{rule}: {mode}" for rule, mode in found.modes.items())
    yield Text(f"every package may, by {harmless(policy.name)}: {words or 'nothing'}")
    if open_:
        yield Text(f"  and the rules that do not block: {open_}")


def _entries(found: list[May]) -> str:
    words = [
        f"{'' if may.entry == FORK else _VERBS.get(may.rule, '')}{harmless(may.entry)}"
        + (f" as {may.through} requires it" if may.through else "")
        for may in found[:_ENTRIES]
    ]
    more = [f"{len(found) - _ENTRIES} more"] if len(found) > _ENTRIES else []
    return "; ".join([*words, *more])


def _package(update: Update, policy: bool, log: bool) -> Iterator[Text]:
    style = _STYLES.get(update.change, "bold")
    yield Text.assemble((f"{update.change:<8} ", style), harmless(_versions(update)))
    if policy and (update.may or update.change == "new"):
        yield Text(f"  may    {_entries(update.may) or 'nothing more'}")
    for did in update.did[:_ACTS]:
        yield from _act(did)
    if len(update.did) > _ACTS:
        yield Text(f"         and {len(update.did) - _ACTS} more")
    if log and not update.did and update.change in ("new", "replaced"):
        yield Text("  did    nothing that a rule is about, in these tests")


def _act(did: Did) -> Iterator[Text]:
    times = f" ×{did.count:,}" if did.count > 1 else ""
    style = "bold red" if did.mode == "block" else "bold yellow" if did.new else ""
    became = {"block": "blocked", "alert": "reported", "allow": "allowed"}[did.mode]
    why = f", {did.why}" if did.why else ""
    first = "  did  + " if did.new else "  did    "
    what, words = harmless(f"{did.what}{times}:"), harmless(f"{became}{why}")
    if cell_len(f"{first}{what} {words}") <= _WIDTH:
        yield Text.assemble((first, style), f"{what} {words}")
    else:
        yield Text.assemble((first, style), what)
        yield Text(f"           {words}")


def _versions(update: Update) -> str:
    old, new = (", ".join(each) for each in (update.old, update.new))
    if update.change == "replaced":
        return f"{update.name} {new}: the same version, other files"
    return f"{update.name} {f'{old} to ' if old else ''}{new}"


def _listed(word: str, names: list[str]) -> Text:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return Text(f"{word:<8} {harmless(', '.join(names[:_NAMES]))}{more}")


def _verdict(found: Updates) -> str:
    new = sum(one.change == "new" for one in found.found)
    changed, gone = len(found.found) - new, len(found.gone)
    words = f"{new} new, {changed} changed, {gone} gone, {found.same} as they were"
    acts = [did for one in found.found for did in one.did]
    if acts:
        words += f"; {len(acts)} acts, {sum(did.mode == 'block' for did in acts)} blocked"
    if any(did.new is not None for did in acts):
        words += f", {sum(bool(did.new) for did in acts)} not seen before"
    return words
