"""``fshield learn``: makes the narrowest policy that allows what happened, except what is held
back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.evidence.acts import Act, Evidence, Seen
from fshield.evidence.dependencies import UNKNOWN
from fshield.evidence.entries import GENERATORS, destinations, group_of, named, paths
from fshield.evidence.known import AT_ERRORS
from fshield.evidence.learnt import NOBODY, Learnt, Line, comment
from fshield.evidence.lookups import Lookups
from fshield.evidence.named_hosts import unmet
from fshield.evidence.shapes import matches
from fshield.evidence.tiers import Held, Tiers
from fshield.evidence.verdicts import met, met_by
from fshield.language.loader import resolve
from fshield.language.model import RULES
from fshield.language.policy import Mode
from fshield.language.reader import MAX_BYTES, parse

_OUTBOUND = "outbound_connectivity"


def learn(
    evidence: Evidence, tiers: Tiers, region: str | None = None, *, by_dependency: bool = False
) -> Learnt:
    """Make the policy for `evidence`, and check it against the engine's own decisions.

    Args:
        evidence: what happened.
        tiers: what to hold back.
        region: of the function. Where it is known, endpoints of its services become `aws:` entries.
        by_dependency: give each entry an `only_for` with the distributions that used it.

    Raises:
        CouldNotRun: it would be larger than a policy may be.
        AssertionError: the engine decides otherwise than documented.
    """
    kept: list[tuple[Act, Seen]] = []
    held: list[Held] = []
    modes = dict.fromkeys(RULES, "block")
    quiet: set[str] = set()
    lookups = Lookups(evidence)
    for act, seen in evidence:
        if lookups.is_part(act):
            continue
        readers = tiers.source_readers(act, seen)
        found = None if readers else tiers.held(act, seen)
        if readers:
            quiet |= readers
        elif found:
            held.append(found)
        elif act.rule in ("read_handler", "runtime_api") or not act.target:
            modes[act.rule] = "alert"
        else:
            kept.append((act, seen))
    wide = [
        seen.pattern
        for act, seen in kept
        if act.rule == "read_write_tmp" and "?" in seen.pattern and seen.pattern.endswith("/**")
    ][:GENERATORS]
    held = [item for item in held if not _is_admitted(item, wide)]
    inside = [item for item in held if tiers.is_in_own_folder(item.act, item.seen)]
    kept += [(item.act, item.seen) for item in inside]
    held = [item for item in held if item not in inside]
    lines = [
        *destinations([item for item in kept if item[0].rule == _OUTBOUND], tiers, region),
        *paths([item for item in kept if item[0].rule == "read_write_tmp"], tiers),
        *named(
            [item for item in kept if item[0].rule in ("create_child_process", "native_code")],
            tiers,
        ),
    ]
    for line in lines:
        files = [seen for act, _ in line.acts for seen in tiers.beside(act)]
        if line.group == NOBODY and files:
            line.group = group_of(files[0], tiers)
    for line in lines if by_dependency else ():
        if line.key != "library":
            line.only_for = tiers.caller_names.only_for(line.acts[0][0], line.seen)
            if not line.only_for:
                _take_beside(tiers, line)
    for_all = [line.value for line in lines if line.is_pattern and _is_for_all(line)][:GENERATORS]
    passed = [item for item in held if _is_admitted(item, for_all)]
    held = [item for item in held if not _is_admitted(item, for_all)]
    lines.sort(key=lambda line: (RULES.index(line.rule), line.group != "", line.group, line.value))
    learnt = Learnt(
        lines,
        modes,
        held,
        evidence,
        region=region,
        quiet=tuple(sorted(quiet)),
        bundles=tiers.text.bundles,
        singles=tuple(line.value for line in lines if _is_single(line, tiers)),
        callers_remark=tiers.caller_names.remark if by_dependency else "",
        passed=passed,
        unmet=unmet(tiers.text.hosts, evidence.acts),
        at_errors=_at_errors(lines, tiers),
    )
    learnt.comments = {id(line): comment(line, tiers) for line in lines}
    _prove(learnt)
    return learnt


def _at_errors(lines: Iterable[Line], tiers: Tiers) -> tuple[str, ...]:
    """Packages of the function that make code objects when an error passes, without an entry."""
    chains = (chain for seen in tiers.evidence.acts.values() for chain in seen.chains)
    packages = {name for chain in chains for name in chain}
    allowed = {line.value for line in lines if line.key == "library"}
    return tuple(sorted(AT_ERRORS & (packages | tiers.text.installed) - allowed))


def _is_single(line: Line, tiers: Tiers) -> bool:
    """Whether it is for one name directly in /tmp that the function made of its input: the code was
    read, and does not spell it.
    """
    folder, _, name = line.value.rpartition("/")
    fixed = line.rule == "read_write_tmp" and folder == "/tmp" and not re.search(r"[*?]", name)
    made = fixed and line.group == "" and tiers.text.is_read
    return made and not tiers.text.names_path(line.value)


def _is_for_all(line: Line) -> bool:
    """Whether it allows a path to each package, or to callers that cannot be told."""
    return line.rule == "read_write_tmp" and (not line.only_for or UNKNOWN in line.only_for)


def _is_admitted(item: Held, wide: Iterable[str]) -> bool:
    """Whether a pattern matches it. One in fifty of tempfile's names looks like a word, and what
    child processes do in a folder with such a name has no caller.
    """
    if item.act.rule != "read_write_tmp":
        return False
    paths = {*item.seen.examples, item.seen.pattern} - {""}
    return any(all(matches(pattern, path) for path in paths) for pattern in wide)


def beside(tiers: Tiers, acts: Iterable[Act]) -> tuple[str, ...]:
    """The likely callers of acts without a caller: a C library touches such a file next to one that
    these callers asked for. The engine does not see its caller.
    """
    found: set[str] = set()
    for act in acts:
        names = [tiers.caller_names.only_for(act, seen) for seen in tiers.beside(act)]
        if act.rule != "read_write_tmp" or not names or () in names:
            return ()
        found |= {name for each in names for name in each}
    return tuple(sorted(found | {UNKNOWN}))


def _take_beside(tiers: Tiers, line: Line) -> None:
    """Set the callers, the group and a note of a line whose file is next to one that a caller asked
    for.
    """
    acts = [act for act, _ in line.acts]
    line.only_for = beside(tiers, acts)
    files = [seen for act in acts for seen in tiers.beside(act)] if line.only_for else []
    for seen in files[:1]:
        line.group = group_of(seen, tiers)
        line.note = line.note or f"beside {min(seen.examples)}"


def missing_from(policy: native.Compiled, learnt: Learnt) -> list[Line]:
    """The lines of `learnt` that `policy` does not allow yet."""
    out = []
    for line in learnt.lines:
        missing = [
            (act, target)
            for act, target in line.acts
            if met(policy, act, target, learnt.facts, line.caller).mode is not Mode.ALLOW
        ]
        if not missing:
            continue
        ports = tuple(sorted({act.port for act, _ in missing})) if line.ports else ()
        out.append(replace(line, ports=ports, seen=deepcopy(line.seen), acts=[*line.acts]))
    return out


def _prove(learnt: Learnt) -> None:
    """Check with the engine that every act that was learnt passes."""
    text = learnt.text("learnt").encode()
    if len(text) > MAX_BYTES:
        raise CouldNotRun(
            f"what was learnt, {len(learnt.lines):,} exceptions, is more than a policy holds"
            f" ({MAX_BYTES // 1024} KB)",
            "a function that reaches whatever it is told needs `mode: alert`, or a proxy;"
            " --function learns for one",
        )
    policy = native.Compiled(compile_policy(resolve(parse("learnt.yaml", text), "learnt")))
    for line in learnt.lines:
        for act, target in line.acts:
            found = met_by(policy, act, target, learnt.facts, line.only_for or ("",))
            assert found.mode is Mode.ALLOW or learnt.modes[act.rule] == "alert", (
                line.text,
                act,
                found,
            )
    name = learnt.outsider
    learnt.for_others = [
        line.acts[0]
        for line in learnt.lines
        if name and line.only_for and name not in line.only_for
        if met(policy, *line.acts[0], learnt.facts, name).mode is Mode.BLOCK
    ]
