"""``fshield fix``: finds the smallest edit of a policy that lets an event's act pass, and says what
else that edit allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.policy_tests import Result, run
from fshield.errors import CouldNotRun
from fshield.evidence.acts import Act, Evidence, Seen, no_exception
from fshield.evidence.dependencies import FUNCTION, UNKNOWN, asked_as, with_others
from fshield.evidence.entries import (
    database_of,
    destination,
    filled_in,
    finals_of,
    is_known_fork,
    merged,
    path_pattern,
)
from fshield.evidence.known import SHARED
from fshield.evidence.learn import beside
from fshield.evidence.learnt import Line, safe
from fshield.evidence.lookalike import domain
from fshield.evidence.lookups import Lookups, assumed_port, is_lookup
from fshield.evidence.siblings import covered_entries, with_siblings
from fshield.evidence.tiers import Held, Tiers
from fshield.evidence.verdicts import HERE, met, met_by
from fshield.language import edit
from fshield.language.loader import resolve
from fshield.language.patterns import FORK, TEMPFILE, TEMPFILE_PATTERNS
from fshield.language.policy import Mode, Policy
from fshield.language.reader import Document, read

_ANYBODY = (
    "`unknown` admits code without a file, and work of pools and tasks, whichever package made it"
)


@dataclass
class Fix:
    """The edit.

    Args:
        document: the policy before the edit.
        changed: its text with the entries.
        lines: the entries.
        admits: what else the entries allow, in sentences.
        careful: warnings about the entries.
        passing: acts that the policy already allows.
        passing_for: for these, the callers in the entry's ``only_for``.
        held: acts that get no entry without ``--accept``, and why.
        hopeless: acts that no entry can allow, and why.
        quiet: error reporters whose reads of the handler's source stay blocked, and make no event.
        failing: the policy's own tests that pass now and would fail with the entries.
        proposal: an alternative to entries for /tmp, in a sentence; "" if there is none.
    """

    document: Document
    changed: str
    policy: Policy
    lines: list[Line] = field(default_factory=list)
    admits: list[str] = field(default_factory=list)
    careful: list[str] = field(default_factory=list)
    passing: list[Act] = field(default_factory=list)
    passing_for: dict[Act, tuple[str, ...]] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    hopeless: list[tuple[Act, str]] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    failing: list[Result] = field(default_factory=list)
    proposal: str = ""

    @property
    def diff(self) -> list[str]:
        """In the format of ``git diff``."""
        return edit.difference(self.document, self.changed)


def fix(
    path: Path,
    evidence: Evidence,
    region: str | None = None,
    tiers: Tiers | None = None,
    ports: tuple[int, ...] = (),
) -> Fix:
    """The smallest edit of the policy at `path` that allows what `learn` would learn from
    `evidence`.

    Args:
        path: of the policy.
        evidence: what happened.
        region: of the function; None: the region in the functions' ARNs.
        tiers: what is held back, and which of it was accepted; by default nothing is held back.
        ports: for hosts that were only looked up; by default the standard ports of their clients.

    Raises:
        CouldNotRun: the policy cannot be read, or cannot be edited by a program.
        PolicyError: it is wrong.
    """
    region = region or evidence.region
    facts = native.Facts(region) if region else HERE
    tiers = tiers or Tiers(evidence)
    document = read(path)
    policy = resolve(document, path.stem)
    out = Fix(document, "\n".join(document.lines), policy)
    _sort_acts(out, tiers, facts, region, ports)
    paths = [line for line in out.lines if line.rule == "read_write_tmp"]
    filled = filled_in(((line.value, line.seen) for line in paths), tiers)
    for line in paths:
        if line.value in filled:
            line.alone, line.value = line.alone or line.value, filled[line.value]
    out.lines = merged(with_siblings(document, policy, out.lines))
    if out.lines:
        _hold_what_tests_block(out, path.stem, tiers)
    if out.lines or out.quiet:
        out.changed, out.policy = _edited(out, path.stem, out.lines, tiers)
        out.admits = [admits(line) for line in out.lines]
        if any(line.rule == "read_write_tmp" for line in out.lines):
            out.proposal = evidence.forgetful.proposal
        out.careful = [
            f"{act.place}: {why}"
            for line in out.lines
            for act, _ in line.acts
            if (why := tiers.by_target(act))
        ] + [
            f"{line.value}: {why}"
            for line in out.lines
            for why in (_wide(out.policy, line), _assumed(line))
            if why
        ]
        _prove(out, facts)
        known = {result.name for result in run(policy) if not result.passed}
        out.failing = [
            result for result in run(out.policy) if not result.passed and result.name not in known
        ]
    return out


def _wide(policy: Policy, line: Line) -> str:
    """A warning that an entry is for all callers, if other entries of the policy have `only_for`;
    else "".
    """
    if UNKNOWN in line.only_for:
        return _ANYBODY
    for_some = any(entry.only_for for entry in policy.allows)
    if for_some and not line.only_for and line.key != "library":
        return "no stack shows its caller, so this entry is for every package"
    return ""


def _assumed(line: Line) -> str:
    """A note that the port of an entry is assumed; "" if an event or the user named it."""
    return f"{line.note}; --port names another" if line.note else ""


def _sort_acts(
    out: Fix, tiers: Tiers, facts: native.Facts, region: str | None, ports: tuple[int, ...]
) -> None:
    """Sort every act: allowed already, impossible, held back, or an entry."""
    lookups = Lookups(tiers.evidence)
    compiled = native.Compiled(compile_policy(out.policy))
    for_some = any(entry.only_for for entry in out.policy.allows)
    for act, seen in tiers.evidence:
        if lookups.is_part(act):
            continue
        readers = tiers.source_readers(act, seen)
        if readers:
            out.quiet += sorted(
                name for name in readers if name not in out.quiet and not compiled.is_quiet(name)
            )
            continue
        targets = sorted(seen.examples) or [act.target]
        callers = asked_as(tiers.evidence, seen.chains)
        found = [met_by(compiled, act, one, facts, callers) for one in targets]
        names: tuple[str, ...] = ()
        if for_some or seen.others or is_known_fork(act, seen, tiers):
            named = [name for one in found for name in one.only_for]
            names = with_others(tiers.evidence, seen, named) or beside(tiers, [act])
            found = [met_by(compiled, act, one, facts, names or callers) for one in targets]
        allowed = [one.mode is Mode.ALLOW for one in found]
        if all(allowed):
            out.passing.append(act)
            if names and any(
                met(compiled, act, one, facts).mode is not Mode.ALLOW for one in targets
            ):
                out.passing_for[act] = names
            continue
        target = targets[allowed.index(False)]
        database = database_of(target) if not for_some and not seen.chains.keys() - {()} else ""
        beside_allowed = database and met(compiled, act, database, facts).mode is Mode.ALLOW
        for one, note in _with_ports(act, seen, ports):
            line = _entry(out, one, seen, target, names, tiers, region, bool(beside_allowed))
            if line:
                line.note = note
                out.lines.append(line)


def _with_ports(act: Act, seen: Seen, ports: tuple[int, ...]) -> list[tuple[Act, str]]:
    """The act; for a lookup, one act per port, with a note if the port is a guess."""
    if not is_lookup(act):
        return [(act, "")]
    if ports:
        return [(replace(act, port=port), "") for port in ports]
    port, client = assumed_port(seen)
    whose = f" as {client} has it" if client else ""
    return [(replace(act, port=port), f"only looked up: port {port} is assumed{whose}")]


def _entry(
    out: Fix,
    act: Act,
    seen: Seen,
    target: str,
    names: tuple[str, ...],
    tiers: Tiers,
    region: str | None,
    beside_allowed: bool,
) -> Line | None:
    """The entry for an act that the policy does not allow; None if it is impossible or held
    back. `beside_allowed`: no caller is known, and it is SQLite's file beside a database that the
    policy allows.
    """
    why = _no_entry(act)
    if not why and seen.others and not names:
        why = "an entry allows it to others, and no name of its caller can stand in one"
    held = tiers.held(act, seen)
    if beside_allowed and held and not tiers.by_target(act):
        held = None
    if why or (held and held.accept is None):
        out.hopeless.append((act, why or (held.why if held else "")))
        return None
    if held:
        out.held.append(held)
        return None
    line = _line(act, seen, target, region)
    if act.rule == "read_write_tmp":
        wide = path_pattern(seen, [target], finals_of(tiers).get(act, ()), tiers)
        if wide != line.value:
            line.alone, line.value = line.value, wide
    # A module's entry names the module. Its callers matter only if an entry for it has `only_for`.
    line.only_for = names if line.key != "library" or seen.others else ()
    return line


def _hold_what_tests_block(out: Fix, name: str, tiers: Tiers) -> None:
    """Hold back each entry that would make a test of the policy fail, unless it was accepted by
    name.
    """
    if not out.policy.tests:
        return
    # Compare tests by name, because a new entry moves the lines of the tests below it.
    passed = {result.name: result.test.source for result in run(out.policy) if result.passed}
    kept: list[Line] = []
    found = [(line, _newly_failed(out, name, line, tiers, passed)) for line in out.lines]
    judged: list[tuple[Line, list[str]]] = []
    for line, failed in found:
        # The pattern allows what a test forbids. The single names may not.
        single = _singles(line, tiers) if failed and line.alone else []
        judged += [(one, _newly_failed(out, name, one, tiers, passed)) for one in single] or [
            (line, failed)
        ]
    for line, failed in judged:
        act = line.acts[0][0]
        if failed and not tiers.accepts(act.place):
            why = f"a test of the policy says that it is blocked ({failed[0]})"
            out.held.append(Held(act, line.seen, why, act.place))
        else:
            kept.append(line)
    out.lines = kept


def _singles(line: Line, tiers: Tiers) -> list[Line]:
    """The lines that became this pattern."""
    acts = tiers.evidence.acts
    return [
        replace(
            line, value=acts[act].pattern or target, alone="", seen=acts[act], acts=[(act, target)]
        )
        for act, target in line.acts
    ]


def _newly_failed(
    out: Fix, name: str, line: Line, tiers: Tiers, passed: dict[str, str]
) -> list[str]:
    """The positions of the tests that fail with `line` and pass without it."""
    _, changed = _edited(out, name, [line], tiers)
    return [
        passed[result.name]
        for result in run(changed)
        if not result.passed and result.name in passed
    ]


def _edited(out: Fix, name: str, lines: list[Line], tiers: Tiers) -> tuple[str, Policy]:
    additions = [edit.Addition(line.rule, line.text, comment(line, tiers)) for line in lines]
    dead = covered_entries(out.document, out.policy, lines)
    return edit.with_entries(out.document, name, additions, dead, out.quiet)


def _prove(found: Fix, facts: native.Facts) -> None:
    """Check with the engine that the edit allows what it should."""
    compiled = native.Compiled(compile_policy(found.policy))
    for line in found.lines:
        for act, target in line.acts:
            if met_by(compiled, act, target, facts, line.only_for or ("",)).mode is not Mode.ALLOW:
                raise CouldNotRun(
                    f"an entry for {act.place} would not do: the engine decides otherwise",
                    "fshield explain, and by hand",
                )


def _no_entry(act: Act) -> str | None:
    refused = no_exception(act)
    if refused:
        return refused
    if act.rule in ("read_handler", "runtime_api"):
        return (
            f"{act.rule} takes no exceptions; `{act.rule}: alert` would let everybody do it, and"
            " report it"
        )
    return None


def _line(act: Act, seen: Seen, target: str, region: str | None) -> Line:
    if act.rule == "outbound_connectivity":
        line = destination(act, region)
        line.seen, line.acts = seen, [(act, act.target)]
        return line
    if act.rule == "native_code":
        return Line(act.rule, "library", act.place, (), seen, acts=[(act, act.target)])
    value = (seen.pattern or target) if act.rule == "read_write_tmp" else act.target
    return Line(act.rule, "path", value, (), seen, acts=[(act, target)])


def comment(line: Line, tiers: Tiers) -> str:
    """The comment for an entry's line: who asked."""
    callers = tiers.callers_of(line.seen)
    by = "; ".join(caller.words for caller, _ in callers[:2])
    parts = [
        f"seen as {line.acts[0][0].target}" if line.aws else "",
        f"asked by {by}" if by else "",
        line.note,
    ]
    return safe(", ".join(part for part in parts if part))


def _objects(pattern: str) -> str:
    if pattern == TEMPFILE:
        return f"every name of the forms {', '.join(TEMPFILE_PATTERNS)}"
    folder, _, name = pattern.rpartition("/")
    if name == "**":
        folders = f"every folder of the form {folder}" if re.search(r"[*?]", folder) else folder
        return f"{folders} and everything in it"
    if name == "*":
        return f"everything in {folder}, but for what is in folders there"
    return "every name of this form" if re.search(r"[*?]", pattern) else "this one object"


def _callers(line: Line, word: str = "from") -> str:
    """The callers that the entry is for, in words."""
    if not line.only_for:
        return f"{word} every package" + (" of the function" if word == "from" else "")
    known = {FUNCTION: "the function's own code", UNKNOWN: "callers that cannot be told"}
    names = [name for name in line.only_for if name not in known]
    whose = f"{', '.join(names)} and what they require" if len(names) > 1 else ""
    whose = whose or f"{names[0]} and what it requires" if names else ""
    callers = [whose, *(words for name, words in known.items() if name in line.only_for)]
    return f"{word} {', and '.join(part for part in callers if part)}"


def admits(line: Line) -> str:
    """What an entry allows besides the act that it is for, in one sentence."""
    if line.aws:
        what = (
            "under all names that it has"
            if line.aws.bucket
            else "all its endpoints, any account's resources"
        )
        return f"{line.value}: {what} in the function's own region, on port 443, {_callers(line)}"
    if line.key == "host":
        ports = ", ".join(map(str, line.ports))
        shared = domain(line.value) in SHARED or any(
            line.value.endswith("." + name) for name in SHARED
        )
        whose = "; anybody can have a name and an account there" if shared else ""
        return (
            f"{line.value}: everything behind that name on port {ports}, any path and account, "
            f"{_callers(line)}{whose}"
        )
    if line.key == "cidr":
        return (
            f"{line.value}: whatever listens there on port {', '.join(map(str, line.ports))}, under"
            f" any name, {_callers(line)}"
        )
    if line.rule == "read_write_tmp":
        what = f"{line.value}: {_objects(line.value)}"
        return f"{what}, to read, write, list and remove, {_callers(line, 'by')}"
    if line.value == FORK and line.rule == "create_child_process":
        forks = f"forks {_callers(line, 'by')}"
        return f"{forks}: the child is guarded as its parent is, and may go on after the invocation"
    if line.rule == "create_child_process":
        started = f"started {_callers(line, 'by')}"
        return f"{line.value}: this program with any arguments and input, {started}"
    return (
        f"{line.value}: machine code that it brings or makes, which the other rules may not hold;"
        " code of other packages can borrow the name"
    )
