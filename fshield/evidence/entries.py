"""Makes entries of acts, and merges entries into patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fshield.evidence.acts import Act, Seen
from fshield.evidence.callers import Caller
from fshield.evidence.known import SECOND_LEVELS, SHARED
from fshield.evidence.learnt import NOBODY, Line
from fshield.evidence.own_region import PORT, stand
from fshield.evidence.shapes import MANY_HOSTS, before_rename, gathered, matches
from fshield.evidence.tiers import SQLITE, Tiers
from fshield.language.patterns import FORK, TEMPFILE, TEMPFILE_PATTERNS, coverers

#: The name of the file with which tempfile tests whether it can write.
_PROBE = re.compile(r"/tmp/[a-z0-9_]{8}")
#: The number of patterns that single names are compared with.
GENERATORS = 100


def destinations(items: list[tuple[Act, Seen]], tiers: Tiers, region: str | None) -> Iterator[Line]:
    found: dict[tuple[str, str, str], Line] = {}
    for act, seen in items:
        group = group_of(seen, tiers)
        line = destination(act, region)
        line.group = group
        line = found.setdefault((line.key, line.value, group), line)
        line.ports = tuple(sorted({*line.ports, act.port}))
        line.seen.add(seen)
        line.acts.append((act, act.target))
    yield from _generalised(_without_doubles(list(found.values())))


def destination(act: Act, region: str | None) -> Line:
    """The entry for one destination only."""
    found = stand(act.target, region) if region and act.port == PORT else None
    if found:
        return Line(act.rule, "aws", found.words, (act.port,), aws=found)
    return Line(act.rule, "cidr" if act.address is not None else "host", act.target, (act.port,))


def _without_doubles(lines: list[Line]) -> list[Line]:
    """Merge entries of two dependencies for one destination, because an entry that an earlier one
    covers is an error.
    """
    found: dict[tuple[str, str], Line] = {}
    for line in lines:
        first = found.setdefault((line.key, line.value), line)
        if first is not line:
            first.ports = tuple(sorted({*first.ports, *line.ports}))
            _join(first, line)
    return list(found.values())


def _generalised(lines: list[Line]) -> list[Line]:
    """Replace many names under one domain by `*.DOMAIN`, unless anybody can have a name there."""
    families: dict[tuple[str, tuple[int, ...], str], list[Line]] = {}
    for line in lines:
        if line.key == "host":
            parent = line.value.partition(".")[2]
            families.setdefault((parent, line.ports, line.group), []).append(line)
    out = [line for line in lines if line.key != "host"]
    for (parent, ports, group), members in families.items():
        if len(members) < MANY_HOSTS or not _is_one_owner(parent):
            out += members
            continue
        wide = Line("outbound_connectivity", "host", f"*.{parent}", ports, group=group)
        for member in members:
            _join(wide, member)
        wide.note = (
            f"{len(members)} names, {', '.join(member.value for member in members[:2])} among them"
        )
        out.append(wide)
    # A name that a pattern with the same ports covers would be an entry that never matches.
    wide_ones = {(line.value[2:], line.ports): line for line in out if line.value.startswith("*.")}
    rest = []
    for line in out:
        labels = line.value.split(".")
        cover = next(
            (
                wide_ones[key]
                for at in range(1, len(labels))
                if (key := (".".join(labels[at:]), line.ports)) in wide_ones
            ),
            None,
        )
        if line.key == "host" and cover is not None and cover is not line:
            _join(cover, line)
        else:
            rest.append(line)
    return rest


def _is_one_owner(parent: str) -> bool:
    labels = parent.split(".")
    if len(labels) < 2 or parent in SHARED or any(parent.endswith("." + name) for name in SHARED):
        return False
    return not (len(labels) == 2 and len(labels[-1]) == 2 and labels[0] in SECOND_LEVELS)


def paths(items: list[tuple[Act, Seen]], tiers: Tiers) -> list[Line]:
    lines: dict[str, Line] = {}
    seconds = _seconds(tiers)
    finals = finals_of(tiers)
    values = {
        act: path_pattern(seen, sorted(seen.examples), finals.get(act, ()), tiers)
        for act, seen in items
    }
    filled = filled_in(((values[act], seen) for act, seen in items), tiers)
    values = {act: filled.get(value, value) for act, value in values.items()}
    for act, seen in items:
        examples = sorted(seen.examples)
        value = values[act]
        line = lines.setdefault(value, Line(act.rule, "path", value, group=group_of(seen, tiers)))
        line.seen.add(seen)
        line.acts += [(act, example) for example in examples]
        if value != examples[0]:
            line.note = f"names like {examples[0]}"
    _absorb(lines)
    together: dict[str, list[Line]] = {}
    found = gathered(lines)
    for value, pattern in found.items():
        finals_found = {
            act: found.get(values[act], values[act])
            for first, _ in lines[value].acts
            for act in seconds.get(first, ())
            if act in values
        }
        alike = _like_final(value, finals_found, tiers)
        together.setdefault(alike or pattern, []).append(lines[value])
    made = [_one_for(pattern, members) for pattern, members in together.items()]
    patterns = [line.value for line in made]
    for line in made:
        line.value = like_database(line.value, patterns)
    return _with_tempfile(without_covered(merged(made)))


def filled_in(patterns: Iterable[tuple[str, Seen]], tiers: Tiers) -> dict[str, str]:
    """For patterns of generated names that differ besides, as those of `acme_20261127.csv` and
    `bolt_20261128.csv` do: the name with placeholders that the code makes them of.
    """
    made: dict[str, set[str]] = {}
    for value, seen in patterns:
        if "?" in value and not value.endswith("/**") and value not in TEMPFILE_PATTERNS:
            made.setdefault(tiers.text.template(*seen.examples) or "", set()).add(value)
    return {
        value: template
        for template, alike in made.items()
        if template and len(alike) > 1
        for value in alike
    }


def path_pattern(seen: Seen, examples: list[str], finals: Iterable[str], tiers: Tiers) -> str:
    """The pattern for a path that is known by `examples` and was renamed to `finals`."""
    value = seen.pattern or examples[0]
    for final in sorted(finals):
        value = before_rename(value, final)
    if _PROBE.fullmatch(value) and tiers.evidence.forgetful.is_passing(value):
        # tempfile tests the folder with such a name. One in fifty looks like a word.
        value = TEMPFILE_PATTERNS[-1]
    template = tiers.text.template(*examples)
    # If the code spells a part that looks generated, it is not. Otherwise that part is narrower
    # than what fills the placeholder.
    spelled = template and not value.endswith("/**") and not matches(template, value)
    if template and ("?" not in value or template.endswith("/**") or spelled):
        value = template
    return value


def _like_final(value: str, finals: Mapping[Act, str], tiers: Tiers) -> str:
    """The pattern for a name that is another's with something around it, and was renamed to it, as
    `/tmp/.a.csv.part` to `/tmp/a.csv`, if that name became a pattern; else "".

    Args:
        value: the one name.
        finals: what it was renamed to, with the patterns for these.
        tiers: all evidence.
    """
    folder, _, name = value.rpartition("/")
    made: set[str] = set()
    for act, pattern in finals.items() if "*" not in name else ():
        wide = pattern.rpartition("/")[2]
        names = {each.rpartition("/")[2] for each in tiers.evidence.acts[act].examples}
        final = max((one for one in names if one in name), key=len, default="")
        if final and re.search(r"[*?]", wide.rstrip("*")):
            made.add(f"{folder}/{name.replace(final, wide, 1)}")
    return made.pop() if len(made) == 1 else ""


def _seconds(tiers: Tiers) -> dict[Act, list[Act]]:
    """For each path that was renamed or linked, the acts on the paths that it was renamed to."""
    found: dict[Act, list[Act]] = {}
    for second, firsts in tiers.evidence.pairs.items():
        for first in firsts:
            found.setdefault(first, []).append(second)
    return found


def finals_of(tiers: Tiers) -> dict[Act, set[str]]:
    """For each path that was renamed, the patterns of the paths that it was renamed to."""
    found: dict[Act, set[str]] = {}
    acts = tiers.evidence.acts
    for second, firsts in tiers.evidence.pairs.items():
        for first in firsts:
            if second in acts and acts[second].pattern:
                found.setdefault(first, set()).add(acts[second].pattern)
    return found


def like_database(value: str, patterns: Iterable[str]) -> str:
    """The pattern for SQLite's journal at `value`, if one of `patterns` is that of its database:
    the next journal is beside a database with another name. Otherwise `value`.
    """
    base = database_of(value)
    if not base or re.search(r"[*?]", value):
        return value
    found = [one for one in patterns if one[-1:] != "*" and _is_of(one, base)]
    found = [one for one in found if re.search(r"[*?]", one)]
    return min(found, key=lambda one: (len(one), one)) + value[len(base) :] if found else value


def database_of(path: str) -> str:
    """The database beside which SQLite has a file at `path`; "" if it is not named as one."""
    end = next((end for end in SQLITE if path.endswith(end)), "")
    return path.removesuffix(end) if end else ""


def _absorb(lines: dict[str, Line]) -> None:
    """Merge single names into the patterns of generators that match them. One in fifty of
    tempfile's names looks like a word, and must not be merged with other words.
    """
    wide = [line for value, line in lines.items() if "?" in value][:GENERATORS]
    for value in [value for value in lines if not re.search(r"[*?]", value)]:
        cover = next((line for line in wide if _is_of(line.value, value)), None)
        if cover:
            _join(cover, lines.pop(value))


def _is_of(pattern: str, path: str) -> bool:
    """Whether `path` is one of the names that `pattern` is for: `notes.db` also has eight
    characters, and is not a name by which tempfile tests the folder.
    """
    probe = pattern == TEMPFILE_PATTERNS[-1]
    return bool(_PROBE.fullmatch(path)) if probe else matches(pattern, path)


def _with_tempfile(lines: list[Line]) -> list[Line]:
    """Replace tempfile's patterns by `tempfile`, if it both tested the folder and made names."""
    inside = [line for line in lines if line.value in TEMPFILE_PATTERNS]
    probes = [line for line in inside if line.value == TEMPFILE_PATTERNS[-1]]
    if not probes or len(inside) == len(probes):
        return lines
    rest = (line for line in lines if line.value not in TEMPFILE_PATTERNS)
    return [*rest, _one_for(TEMPFILE, inside)]


def _one_for(value: str, lines: list[Line]) -> Line:
    """Merge `lines` into one, with the pattern `value` that covers each of them."""
    if len(lines) == 1 and lines[0].value == value:
        return lines[0]
    groups = {line.group for line in lines} - {NOBODY} or {NOBODY}
    wide = Line("read_write_tmp", "path", value, group=groups.pop() if len(groups) == 1 else "")
    many = f"{len(lines)} names, {lines[0].value} among them"
    wide.note = many if len(lines) > 1 else f"names like {lines[0].value}"
    for line in lines:
        _join(wide, line)
    return wide


def without_covered(lines: list[Line]) -> list[Line]:
    """`lines` for paths, without those that other lines cover."""
    out: list[Line] = []
    # The widest first.
    marks = ("**", "*", "?")
    for line in sorted(lines, key=lambda a: (*(mark not in a.value for mark in marks), a.value)):
        exact = not re.search(r"[*?]", line.value)
        cover = next(
            (
                other
                for other in out
                if other.value in coverers(line.value)
                or (exact and _is_of(other.value, line.value))
            ),
            None,
        )
        if cover:
            _join(cover, line)
        else:
            out.append(line)
    return out


def merged(lines: Sequence[Line]) -> list[Line]:
    """Merge lines with the same destination and callers."""
    found: dict[tuple[str, str, str, tuple[str, ...]], Line] = {}
    for line in lines:
        first = found.setdefault((line.rule, line.key, line.value, line.only_for), line)
        if first is not line:
            first.ports = tuple(sorted({*first.ports, *line.ports}))
            first.acts += line.acts
            first.seen.add(line.seen)
    return list(found.values())


def named(items: list[tuple[Act, Seen]], tiers: Tiers) -> Iterator[Line]:
    lines: dict[tuple[str, str], Line] = {}
    for act, seen in items:
        key, value = (
            ("path", act.target) if act.rule == "create_child_process" else ("library", act.place)
        )
        group = group_of(seen, tiers)
        if group == NOBODY and act.module:  # a tool that calls the function: opentelemetry
            group = act.module
        line = lines.setdefault((act.rule, value), Line(act.rule, key, value, group=group))
        line.seen.add(seen)
        line.acts.append((act, act.target))
        if is_known_fork(act, seen, tiers):
            line.only_for = tiers.caller_names.only_for(act, seen)
    yield from lines.values()


def is_known_fork(act: Act, seen: Seen, tiers: Tiers) -> bool:
    """A fork whose caller is known. Its entry is for that caller alone: a child is a copy of the
    function."""
    forks = act.rule == "create_child_process" and act.target == FORK
    return forks and group_of(seen, tiers) != NOBODY


def _join(line: Line, other: Line) -> None:
    line.seen.add(other.seen)
    line.acts += other.acts


def group_of(seen: Seen, tiers: Tiers) -> str:
    """The dependency that the function called, or that acted. "" for the function itself, NOBODY if
    no caller is known.
    """
    callers = [caller for caller, _ in tiers.callers_of(seen)]
    caller = next((one for one in callers if one.name or one.through), Caller("", "nobody"))
    if caller.through:
        return caller.through[-1]
    return "" if caller.kind == "own" else caller.name or NOBODY
