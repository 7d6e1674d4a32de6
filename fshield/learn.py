"""``fshield learn``: from what happened to the narrowest policy that lets it happen again, less what is held back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fshield import edit, native
from fshield.askers import Asker
from fshield.cases import Case
from fshield.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.events import harmless
from fshield.evidence import Act, Evidence, Seen, span
from fshield.known import SECOND_LEVELS, SHARED
from fshield.loader import resolve
from fshield.model import RULES
from fshield.own_region import PORT, Stand, is_of_aws, stand
from fshield.patterns import coverers
from fshield.policy import Mode
from fshield.reader import MAX_BYTES, parse
from fshield.shapes import MANY_HOSTS, MANY_NAMES, matches, shape
from fshield.tiers import Held, Tiers
from fshield.verdicts import met

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*\Z")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
_COMMENT = 200
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

    @property
    def text(self) -> str:
        """The entry in one line of YAML."""
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
    """

    lines: list[Line]
    modes: dict[str, str]
    held: list[Held]
    evidence: Evidence
    comments: dict[int, str] = field(default_factory=dict)
    region: str | None = None

    @property
    def facts(self) -> native.Facts:
        """What the engine knows of the function."""
        return native.Facts(self.region) if self.region else native.Facts()

    @property
    def tied(self) -> list[str]:
        """Hosts of AWS that stand by name, and so for one region, because the function's own is not known."""
        return (
            [] if self.region else [line.value for line in self.lines if line.key == "host" and is_of_aws(line.value)]
        )

    def text(self, name: str) -> str:
        """The policy file."""
        out = [*_heading(self, name), "version: 1", "policy:"]
        for rule in RULES:
            lines = [line for line in self.lines if line.rule == rule]
            if not lines:
                out.append(f"  {rule}: {self.modes[rule]}")
                continue
            out += [f"  {rule}:", f"    mode: {self.modes[rule]}", "    allow:"]
            group: str | None = None
            for line in lines:
                if line.group != group:
                    group = line.group
                    out.append(f"      # {self.group_title(group)}")
                out.append(f"      - {line.text}  # {self.comment(line)}")
        return "\n".join([*out, *_tests(self), ""])

    def group_title(self, group: str) -> str:
        """The heading of one dependency's entries."""
        return _safe(self.evidence.version(group)) if group else "the function's own code"

    def comment(self, line: Line) -> str:
        """How often, when, by whom."""
        return self.comments[id(line)]


def learn(evidence: Evidence, tiers: Tiers, region: str | None = None) -> Learnt:
    """The policy that `evidence` asks for, checked against the engine's own decisions.

    Args:
        evidence: what happened.
        tiers: what of it is held back.
        region: of the function. Where it is known, endpoints of its services become `aws:` entries.

    Raises:
        CouldNotRun: it would be larger than a policy may be.
        AssertionError: never, unless the engine decides otherwise than it is documented to.
    """
    kept: list[tuple[Act, Seen]] = []
    held: list[Held] = []
    modes = dict.fromkeys(RULES, "block")
    for act, seen in evidence:
        found = tiers.held(act, seen)
        if found:
            held.append(found)
        elif act.rule in ("read_handler", "runtime_api") or not act.target:
            modes[act.rule] = "alert"
        else:
            kept.append((act, seen))
    lines = [
        *_destinations([item for item in kept if item[0].rule == "outbound_connectivity"], tiers, region),
        *_paths([item for item in kept if item[0].rule == "read_write_tmp"], tiers),
        *_named([item for item in kept if item[0].rule in ("create_child_process", "native_code")], tiers),
    ]
    lines.sort(key=lambda line: (RULES.index(line.rule), line.group != "", line.group, line.value))
    learnt = Learnt(lines, modes, held, evidence, region=region)
    learnt.comments = {id(line): _comment(line, tiers) for line in lines}
    _prove(learnt)
    return learnt


def additions(learnt: Learnt, policy: native.Compiled) -> list[edit.Addition]:
    """What is not yet allowed by `policy`, as entries with comments."""
    out = []
    for line in learnt.lines:
        missing = [
            (act, target) for act, target in line.acts if met(policy, act, target, learnt.facts).mode is not Mode.ALLOW
        ]
        if not missing:
            continue
        ports = tuple(sorted({act.port for act, _ in missing})) if line.ports else ()
        entry = Line(line.rule, line.key, line.value, ports, aws=line.aws).text
        out.append(edit.Addition(line.rule, entry, learnt.comment(line)))
    return out


def _prove(learnt: Learnt) -> None:
    """Every act that was learnt passes, by the engine's own word."""
    text = learnt.text("learnt").encode()
    if len(text) > MAX_BYTES:
        raise CouldNotRun(
            f"what was learnt, {len(learnt.lines):,} exceptions, is more than a policy holds ({MAX_BYTES // 1024} KB)",
            "a function that reaches whatever it is told needs `mode: alert`, or a proxy; --function learns for one",
        )
    policy = native.Compiled(compile_policy(resolve(parse("learnt.yaml", text), "learnt")))
    for line in learnt.lines:
        for act, target in line.acts:
            found = met(policy, act, target, learnt.facts)
            assert found.mode is Mode.ALLOW or learnt.modes[act.rule] == "alert", (line.text, act, found)


# ---- entries ----


def _destinations(items: list[tuple[Act, Seen]], tiers: Tiers, region: str | None) -> Iterator[Line]:
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
    """One entry for a destination that two dependencies reach: an entry that an earlier one covers is an error."""
    found: dict[tuple[str, str], Line] = {}
    for line in lines:
        first = found.setdefault((line.key, line.value), line)
        if first is not line:
            first.ports = tuple(sorted({*first.ports, *line.ports}))
            _join(first, line)
    return list(found.values())


def _generalised(lines: list[Line]) -> list[Line]:
    """Many names under one domain, and nothing but names: `*.` the domain, where not everybody has names there."""
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
        wide.note = f"{len(members)} names, {', '.join(member.value for member in members[:2])} among them"
        out.append(wide)
    # A name that a pattern covers would be an entry that never matches, where the ports are the same.
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
        sure = shape(examples[0])[1]
        value = act.target if sure or len(examples) > 1 else examples[0]
        line = lines.setdefault(value, Line(act.rule, "path", value, group=_group(seen, tiers)))
        line.seen.add(seen)
        line.acts += [(act, example) for example in examples]
        if value != examples[0]:
            line.note = f"names like {examples[0]}"
    for depth_first in sorted({value.rpartition("/")[0] for value in lines}, key=lambda folder: -folder.count("/")):
        inside = [value for value in lines if value.rpartition("/")[0] == depth_first]
        if len(inside) < MANY_NAMES or depth_first == "/tmp":
            continue
        groups = {lines[value].group for value in inside}
        wide = Line("read_write_tmp", "path", f"{depth_first}/*", group=groups.pop() if len(groups) == 1 else "")
        wide.note = f"{len(inside)} names, {inside[0]} among them"
        for value in inside:
            _join(wide, lines.pop(value))
        lines[wide.value] = wide
    return _without_covered(list(lines.values()))


def _without_covered(lines: list[Line]) -> list[Line]:
    out: list[Line] = []
    for line in sorted(lines, key=lambda line: ("*" not in line.value, "?" not in line.value, line.value)):
        exact = not re.search(r"[*?]", line.value)
        cover = next(
            (o for o in out if o.value in coverers(line.value) or (exact and matches(o.value, line.value))), None
        )
        if cover:
            _join(cover, line)
        else:
            out.append(line)
    return out


def _named(items: list[tuple[Act, Seen]], tiers: Tiers) -> Iterator[Line]:
    lines: dict[tuple[str, str], Line] = {}
    for act, seen in items:
        key, value = ("path", act.target) if act.rule == "create_child_process" else ("library", act.place)
        line = lines.setdefault((act.rule, value), Line(act.rule, key, value, group=_group(seen, tiers)))
        line.seen.add(seen)
        line.acts.append((act, act.target))
    yield from lines.values()


def _join(line: Line, other: Line) -> None:
    line.seen.add(other.seen)
    line.acts += other.acts


# ---- tests ----


def _tests(learnt: Learnt) -> list[str]:
    """What was learnt and what was held back, as tests that the policy carries."""
    allowed = [(act, target) for line in learnt.lines for act, target in line.acts[:_TESTS_A_LINE]]
    blocked = [(held.act, _exact(held)) for held in learnt.held if learnt.modes[_rule(held.act)] == "block"]
    out: list[str] = []
    for word, items, reason in (("allowed", allowed, ""), ("blocked", blocked, "held back when this was learnt")):
        cases: dict[str, list[str]] = {}
        for act, target in items:
            case = _case(act, target)
            if case and len(cases.setdefault(case[0], [])) < _TESTS and case[1] not in cases[case[0]]:
                cases[case[0]].append(case[1])
        if cases:
            region = f"    region: {learnt.region}" if learnt.region else ""
            out.append(f"  - {word}:")
            out += [
                f"      {act}: [{', '.join(json.dumps(target, ensure_ascii=False) for target in cases[act])}]"
                for act in cases
            ]
            out += [line for line in (f"    reason: {reason}" if reason else "", region) if line]
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


def _comment(line: Line, tiers: Tiers) -> str:
    times = "once" if line.seen.count == 1 else f"{line.seen.count:,} times"
    askers = tiers.askers(line.seen)
    by = "; ".join(asker.words for asker, _ in askers[:2]) + (f"; {len(askers) - 2} more" if len(askers) > 2 else "")
    stood = sorted({act.target for act, _ in line.acts}) if line.aws else []
    seen = f"seen as {', '.join(stood[:2])}" + (f" and {len(stood) - 2} more" if len(stood) > 2 else "")
    parts = [times, line.seen.when, f"by {by}" if by else "", line.note, seen if stood else ""]
    return _safe(", ".join(part for part in parts if part))


def _heading(learnt: Learnt, name: str) -> list[str]:
    evidence = learnt.evidence
    functions = ", ".join(sorted(evidence.functions)[:4]) or "one function"
    lines = [
        f"{name}: from {evidence.events:,} events of {functions},",
        f"{span(evidence.first, evidence.last)} UTC. This is what happened, not what ought to: read every line.",
    ]
    if learnt.held:
        lines.append(f"{len(learnt.held)} kinds of acts were held back and are blocked; `fshield learn` names them.")
    return [f"# {_safe(line)}" for line in lines]


def _safe(text: str) -> str:
    """`text` as a comment may hold it: nothing that ends the line, and not much of it."""
    plain = harmless(text)
    return plain if len(plain) <= _COMMENT else plain[: _COMMENT - 1] + "…"


def scalar(value: str) -> str:
    """`value` as YAML, quoted where it could be read as something else."""
    if _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
