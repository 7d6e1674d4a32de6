"""``fshield learn``: from what happened to the narrowest policy that lets it happen again, less
what is held back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import sha256

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.evidence.acts import Act, Evidence, Seen, span
from fshield.evidence.callers import Asker
from fshield.evidence.dependencies import UNKNOWN, distribution_of, only_for
from fshield.evidence.events import harmless
from fshield.evidence.known import SECOND_LEVELS, SHARED
from fshield.evidence.own_region import PORT, Stand, is_of_aws, stand
from fshield.evidence.shapes import MANY_HOSTS, gathered, matches
from fshield.evidence.tiers import Held, Tiers
from fshield.evidence.verdicts import met, met_by
from fshield.language.cases import Case
from fshield.language.loader import resolve
from fshield.language.model import RULES
from fshield.language.patterns import TEMPFILE, TEMPFILE_PATTERNS, coverers
from fshield.language.policy import Mode
from fshield.language.reader import MAX_BYTES, parse

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*\Z")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
_COMMENT = 200
#: What tempfile calls a file by which it tries whether it can write.
_PROBE = re.compile(r"/tmp/[a-z0-9_]{8}")
#: Patterns that single names are compared with.
_GENERATORS = 100
_MARK = "# written by fshield learn, and by nobody since: sha256 "
_TESTS, _TESTS_A_LINE = 40, 2


@dataclass
class Line:
    """One allow entry that was learnt.

    Args:
        rule: where it goes.
        key: ``host``, ``cidr``, ``aws``, ``path`` or ``library``.
        value: of the key; of ``aws``, what is meant, in words.
        ports: of a destination.
        seen: all that it is learnt from.
        group: the dependency that it belongs to, "" for the function's own code.
        acts: what is learnt by it, with a target for each.
        note: what else to know of it.
        aws: the entry, where the key is ``aws``.
        only_for: the distributions that it is for; none for all.
        alone: of a path, what it was before it became a pattern with others; "" where it is that.
    """

    rule: str
    key: str
    value: str
    ports: tuple[int, ...] = ()
    seen: Seen = field(default_factory=Seen)
    group: str = ""
    acts: list[tuple[Act, str]] = field(default_factory=list)
    note: str = ""
    aws: Stand | None = None
    alone: str = ""
    only_for: tuple[str, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """It stands for more names than one."""
        return self.value == TEMPFILE or (
            self.key in ("path", "host") and bool(re.search(r"[*?]", self.value))
        )

    @property
    def text(self) -> str:
        """The entry in one line of YAML."""
        if not self.only_for:
            return self._for_all
        entry = self._for_all
        if entry.startswith("{"):
            entry = entry[1:-1]
        elif self.key in ("path", "library"):
            entry = f"{self.key}: {entry}"
        return f"{{{entry}, only_for: [{', '.join(self.only_for)}]}}"

    @property
    def _for_all(self) -> str:
        if self.aws:
            return self.aws.entry
        value = scalar(self.value)
        if self.key in ("path", "library"):
            return value
        if not self.ports or self.ports == (443,):
            return f"{self.key}: {value}"
        return f"{{{self.key}: {value}, ports: [{', '.join(map(str, self.ports))}]}}"


@dataclass
class Learnt:
    """A policy that was learnt.

    Args:
        lines: the entries, in the order they stand.
        modes: of each rule.
        held: what is not in it.
        comments: a comment for each line.
        region: of the function, where it is known.
        for_others: what entries allow, and not to `outsider`.
        quiet: packages whose reads of the handler's source stay blocked, and make no event.
    """

    lines: list[Line]
    modes: dict[str, str]
    held: list[Held]
    evidence: Evidence
    comments: dict[int, str] = field(default_factory=dict)
    region: str | None = None
    for_others: list[tuple[Act, str]] = field(default_factory=list)
    quiet: tuple[str, ...] = ()

    @property
    def outsider(self) -> str:
        """A dependency that was held back, as the engine names it; "" where there is none."""
        chains = (chain for held in self.held for chain in held.seen.chains)
        askers = (self.evidence.askers.of(chain) for chain in chains)
        names = {
            distribution_of(self.evidence, asker.name)
            for asker in askers
            if asker.kind == "dependency"
        }
        return min(names - {"", UNKNOWN}, default="")

    @property
    def facts(self) -> native.Facts:
        """What the engine knows of the function."""
        return native.Facts(self.region) if self.region else native.Facts()

    @property
    def proposal(self) -> str:
        """A sentence that proposes a /tmp that forgets; "" where that would not do."""
        has_paths = any(line.rule == "read_write_tmp" for line in self.lines)
        return self.evidence.forgetful.proposal if has_paths else ""

    @property
    def is_empty(self) -> bool:
        """Nothing was learnt: all that happened was held back."""
        found = self.lines or self.quiet
        return bool(self.held) and not found and "alert" not in self.modes.values()

    @property
    def tied(self) -> list[str]:
        """Hosts of AWS that stand by name, and so for one region, because the function's own is not
        known."""
        return (
            []
            if self.region
            else [line.value for line in self.lines if line.key == "host" and is_of_aws(line.value)]
        )

    def text(self, name: str) -> str:
        """The policy file."""
        out = [*_heading(self, name), "version: 1", "policy:"]
        for rule in RULES:
            lines = [line for line in self.lines if line.rule == rule]
            if not lines:
                out.append(f"  {rule}: {self._value(rule)}")
                continue
            out += [f"  {rule}:", f"    mode: {self.modes[rule]}", "    allow:"]
            group: str | None = None
            for line in lines:
                if line.group != group:
                    group = line.group
                    out.append(f"      # {self.group_title(group)}")
                out.append(f"      - {line.text}  # {self.comment(line)}")
        return "\n".join([*out, *_tests(self), ""])

    def _value(self, rule: str) -> str:
        """Of a rule without entries."""
        if rule != "read_handler" or not self.quiet:
            return self.modes[rule]
        return f"{{mode: {self.modes[rule]}, quiet: [{', '.join(self.quiet)}]}}"

    def group_title(self, group: str) -> str:
        """The heading of one dependency's entries."""
        return safe(self.evidence.version(group)) if group else "the function's own code"

    def comment(self, line: Line) -> str:
        """How often, when, by which package."""
        return self.comments[id(line)]


def learn(
    evidence: Evidence, tiers: Tiers, region: str | None = None, *, by_dependency: bool = False
) -> Learnt:
    """The policy that `evidence` asks for, checked against the engine's own decisions.

    Args:
        evidence: what happened.
        tiers: what of it is held back.
        region: of the function. Where it is known, endpoints of its services become `aws:` entries.
        by_dependency: each entry is for the distributions that the function reached it by.

    Raises:
        CouldNotRun: it would be larger than a policy may be.
        AssertionError: never, unless the engine decides otherwise than it is documented to.
    """
    kept: list[tuple[Act, Seen]] = []
    held: list[Held] = []
    modes = dict.fromkeys(RULES, "block")
    quiet: set[str] = set()
    for act, seen in evidence:
        readers = tiers.error_reporters(act, seen)
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
    ][:_GENERATORS]
    held = [item for item in held if not _is_admitted(item, wide)]
    lines = [
        *_destinations(
            [item for item in kept if item[0].rule == "outbound_connectivity"], tiers, region
        ),
        *_paths([item for item in kept if item[0].rule == "read_write_tmp"], tiers),
        *_named(
            [item for item in kept if item[0].rule in ("create_child_process", "native_code")],
            tiers,
        ),
    ]
    for line in lines if by_dependency else ():
        if line.key != "library":
            line.only_for = only_for(evidence, line.seen)
            if not line.only_for:
                _take_beside(tiers, line)
    lines.sort(key=lambda line: (RULES.index(line.rule), line.group != "", line.group, line.value))
    learnt = Learnt(lines, modes, held, evidence, region=region, quiet=tuple(sorted(quiet)))
    learnt.comments = {id(line): comment(line, tiers) for line in lines}
    _prove(learnt)
    return learnt


def _is_admitted(item: Held, wide: Iterable[str]) -> bool:
    """Whether it lies in a folder with a made-up name whose pattern was learnt: one in a hundred of
    tempfile's names looks like a word, and what children do there has no caller."""
    if item.act.rule != "read_write_tmp":
        return False
    paths = {*item.seen.examples, item.seen.pattern} - {""}
    return any(all(matches(pattern, path) for path in paths) for pattern in wide)


def beside(tiers: Tiers, acts: Iterable[Act]) -> tuple[str, ...]:
    """The callers of what no stack shows a caller of: a library in C touches it besides a file that
    they asked for. The engine cannot tell its caller."""
    found: set[str] = set()
    for act in acts:
        names = [only_for(tiers.evidence, seen) for seen in tiers.beside(act)]
        if act.rule != "read_write_tmp" or not names or () in names:
            return ()
        found |= {name for each in names for name in each}
    return tuple(sorted(found | {UNKNOWN}))


def _take_beside(tiers: Tiers, line: Line) -> None:
    """The callers, the group and a note for what lies beside a file that a caller asked for."""
    acts = [act for act, _ in line.acts]
    line.only_for = beside(tiers, acts)
    files = [seen for act in acts for seen in tiers.beside(act)] if line.only_for else []
    for seen in files[:1]:
        line.group = _group(seen, tiers)
        line.note = line.note or f"beside {min(seen.examples)}"


def signed(text: str) -> str:
    """`text` with a last line by which `is_unchanged` knows it again."""
    return f"{text}{_MARK}{sha256(text.encode()).hexdigest()}\n"


def is_unchanged(content: bytes) -> bool:
    """Whether `content` is what `signed` made, and nobody has edited it since."""
    text, mark, digest = content.decode("utf-8", "replace").rpartition(_MARK)
    return bool(mark) and digest.strip() == sha256(text.encode()).hexdigest()


def missing_from(policy: native.Compiled, learnt: Learnt) -> list[Line]:
    """What is not yet allowed by `policy`, as lines of their own."""
    out = []
    for line in learnt.lines:
        missing = [
            (act, target)
            for act, target in line.acts
            if met(policy, act, target, learnt.facts, _asker(line)).mode is not Mode.ALLOW
        ]
        if not missing:
            continue
        ports = tuple(sorted({act.port for act, _ in missing})) if line.ports else ()
        out.append(replace(line, ports=ports, seen=deepcopy(line.seen), acts=[*line.acts]))
    return out


def _asker(line: Line) -> str:
    return line.only_for[0] if line.only_for else ""


def _prove(learnt: Learnt) -> None:
    """Every act that was learnt passes, by the engine's own word."""
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


# ---- entries ----


def _destinations(
    items: list[tuple[Act, Seen]], tiers: Tiers, region: str | None
) -> Iterator[Line]:
    found: dict[tuple[str, str, str], Line] = {}
    for act, seen in items:
        group = _group(seen, tiers)
        line = destination(act, region)
        line.group = group
        line = found.setdefault((line.key, line.value, group), line)
        line.ports = tuple(sorted({*line.ports, act.port}))
        line.seen.add(seen)
        line.acts.append((act, act.target))
    yield from _generalised(_without_doubles(list(found.values())))


def destination(act: Act, region: str | None) -> Line:
    """The entry for one destination, with nothing in it but that."""
    found = stand(act.target, region) if region and act.port == PORT else None
    if found:
        return Line(act.rule, "aws", found.words, (act.port,), aws=found)
    return Line(act.rule, "cidr" if act.address is not None else "host", act.target, (act.port,))


def _without_doubles(lines: list[Line]) -> list[Line]:
    """One entry for a destination that two dependencies reach: an entry that an earlier one covers
    is an error."""
    found: dict[tuple[str, str], Line] = {}
    for line in lines:
        first = found.setdefault((line.key, line.value), line)
        if first is not line:
            first.ports = tuple(sorted({*first.ports, *line.ports}))
            _join(first, line)
    return list(found.values())


def _generalised(lines: list[Line]) -> list[Line]:
    """Many names under one domain, and nothing but names: `*.` the domain, where not everybody has
    names there."""
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
    # A name that a pattern covers would be an entry that never matches, where the ports are the
    # same.
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


def _paths(items: list[tuple[Act, Seen]], tiers: Tiers) -> list[Line]:
    lines: dict[str, Line] = {}
    for act, seen in items:
        examples = sorted(seen.examples)
        value = seen.pattern or examples[0]
        if _PROBE.fullmatch(value) and tiers.evidence.forgetful.is_passing(value):
            # tempfile tries the folder with such a name. One in a hundred looks like a word.
            value = TEMPFILE_PATTERNS[-1]
        line = lines.setdefault(value, Line(act.rule, "path", value, group=_group(seen, tiers)))
        line.seen.add(seen)
        line.acts += [(act, example) for example in examples]
        if value != examples[0]:
            line.note = f"names like {examples[0]}"
    _absorb(lines)
    together: dict[str, list[Line]] = {}
    for value, pattern in gathered(lines).items():
        together.setdefault(pattern, []).append(lines[value])
    made = [_one_for(pattern, members) for pattern, members in together.items()]
    return _with_tempfile(without_covered(made))


def _absorb(lines: dict[str, Line]) -> None:
    """Take single names into the patterns of generators that they match: one in a hundred of
    tempfile's names looks like a word, and must not become a sibling of others like it."""
    wide = [line for value, line in lines.items() if "?" in value][:_GENERATORS]
    for value in [value for value in lines if not re.search(r"[*?]", value)]:
        cover = next((line for line in wide if matches(line.value, value)), None)
        if cover:
            _join(cover, lines.pop(value))


def _with_tempfile(lines: list[Line]) -> list[Line]:
    """`tempfile` in place of its patterns, where it both tried the folder and made names."""
    inside = [line for line in lines if line.value in TEMPFILE_PATTERNS]
    probes = [line for line in inside if line.value == TEMPFILE_PATTERNS[-1]]
    if not probes or len(inside) == len(probes):
        return lines
    rest = (line for line in lines if line.value not in TEMPFILE_PATTERNS)
    return [*rest, _one_for(TEMPFILE, inside)]


def _one_for(value: str, lines: list[Line]) -> Line:
    """One line for several, with a pattern that each of them is covered by."""
    if len(lines) == 1 and lines[0].value == value:
        return lines[0]
    groups = {line.group for line in lines}
    wide = Line("read_write_tmp", "path", value, group=groups.pop() if len(groups) == 1 else "")
    wide.note = f"{len(lines)} names, {lines[0].value} among them"
    for line in lines:
        _join(wide, line)
    return wide


def without_covered(lines: list[Line]) -> list[Line]:
    """`lines` for paths, without those that others of them cover."""
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
                or (exact and matches(other.value, line.value))
            ),
            None,
        )
        if cover:
            _join(cover, line)
        else:
            out.append(line)
    return out


def _named(items: list[tuple[Act, Seen]], tiers: Tiers) -> Iterator[Line]:
    lines: dict[tuple[str, str], Line] = {}
    for act, seen in items:
        key, value = (
            ("path", act.target) if act.rule == "create_child_process" else ("library", act.place)
        )
        line = lines.setdefault(
            (act.rule, value), Line(act.rule, key, value, group=_group(seen, tiers))
        )
        line.seen.add(seen)
        line.acts.append((act, act.target))
    yield from lines.values()


def _join(line: Line, other: Line) -> None:
    line.seen.add(other.seen)
    line.acts += other.acts


# ---- tests ----


def _tests(learnt: Learnt) -> list[str]:
    """What was learnt and what was held back, as tests that the policy carries."""
    allowed = [
        (act, target)
        for line in learnt.lines
        if not line.only_for
        for act, target in line.acts[:_TESTS_A_LINE]
    ]
    by_asker: dict[str, list[tuple[Act, str]]] = {}
    for line in learnt.lines:
        if line.only_for:
            by_asker.setdefault(_asker(line), []).extend(line.acts[:_TESTS_A_LINE])
    blocked = [
        (held.act, _exact(held)) for held in learnt.held if learnt.modes[_rule(held.act)] == "block"
    ]
    out: list[str] = []
    for word, items, reason, asker in (
        ("allowed", allowed, "", ""),
        *(("allowed", by_asker[name], "", name) for name in sorted(by_asker)),
        ("blocked", learnt.for_others, "allowed for other packages", learnt.outsider),
        ("blocked", blocked, "held back when this was learnt", ""),
    ):
        cases: dict[str, list[str]] = {}
        for act, target in items:
            case = _case(act, target)
            if (
                case
                and len(cases.setdefault(case[0], [])) < _TESTS
                and case[1] not in cases[case[0]]
            ):
                cases[case[0]].append(case[1])
        if cases:
            region = f"    region: {learnt.region}" if learnt.region else ""
            out.append(f"  - {word}:")
            out += [
                f"      {act}:"
                f" [{', '.join(json.dumps(target, ensure_ascii=False) for target in cases[act])}]"
                for act in cases
            ]
            said = (
                f"    as: {asker}" if asker else "",
                f"    reason: {reason}" if reason else "",
                region,
            )
            out += [line for line in said if line]
    return ["", "tests:", *out] if out else []


def _rule(act: Act) -> str:
    return act.rule if act.rule in RULES else "read_handler"


def _exact(held: Held) -> str:
    return min(held.seen.examples, default="")


def _case(act: Act, target: str) -> tuple[str, str] | None:
    """The act and target of a test, where the language of tests can say it."""
    words = {
        "outbound_connectivity": ("connect", act.place if act.port else ""),
        "read_write_tmp": ("open", target),
        "create_child_process": ("exec", target),
        "native_code": ("load", act.place),
        "read_handler": ("read_source", target),
    }
    found = words.get(act.rule)
    if found is None or act.refused or not found[1]:
        return None
    try:
        Case.model_validate({"blocked": {found[0]: found[1]}})
    except ValueError:
        return None
    return found


# ---- words ----


def _group(seen: Seen, tiers: Tiers) -> str:
    """The dependency that the function called, or that acted; "" for the function itself."""
    asker, _ = next(iter(tiers.askers(seen)), (Asker("", "nobody"), 0))
    if asker.through:
        return asker.through[-1]
    return "" if asker.kind == "own" else asker.name


def comment(line: Line, tiers: Tiers) -> str:
    """How often a line's acts were seen, when, and by which package: for the end of the line."""
    times = "once" if line.seen.count == 1 else f"{line.seen.count:,} times"
    askers = tiers.askers(line.seen)
    by = "; ".join(asker.words for asker, _ in askers[:2]) + (
        f"; {len(askers) - 2} more" if len(askers) > 2 else ""
    )
    stood = sorted({act.target for act, _ in line.acts}) if line.aws else []
    seen = f"seen as {', '.join(stood[:2])}" + (
        f" and {len(stood) - 2} more" if len(stood) > 2 else ""
    )
    parts = [times, line.seen.when, f"by {by}" if by else "", line.note, seen if stood else ""]
    return safe(", ".join(part for part in parts if part))


def _heading(learnt: Learnt, name: str) -> list[str]:
    evidence = learnt.evidence
    functions = ", ".join(sorted(evidence.functions)[:4]) or "one function"
    if not evidence.acts:
        return [f"# {safe(name)}: the function started, and did nothing that a rule is about."]
    lines = [
        f"{name}: from {evidence.events:,} events of {functions},",
        (
            f"{span(evidence.first, evidence.last)} UTC. This is what happened, not what ought to:"
            " read every line."
        ),
    ]
    if learnt.held:
        lines.append(
            f"{len(learnt.held)} kinds of acts were held back and are blocked; `fshield learn`"
            " names them."
        )
    if learnt.proposal:
        lines.append(f"{learnt.proposal}.")
    return [f"# {safe(line)}" for line in lines]


def safe(text: str) -> str:
    """`text` as a comment may hold it: nothing that ends the line, and not much of it."""
    plain = harmless(text)
    return plain if len(plain) <= _COMMENT else plain[: _COMMENT - 1] + "…"


def scalar(value: str) -> str:
    """`value` as YAML, quoted where it could be read as something else."""
    if _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
