"""A learnt policy: its entries, and the file made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256

from fshield.engine import decide as native
from fshield.evidence.acts import Act, Evidence, Seen, kinds, span
from fshield.evidence.dependencies import UNKNOWN, distribution_of
from fshield.evidence.events import harmless
from fshield.evidence.own_region import Stand, is_of_aws
from fshield.evidence.tiers import Held, Tiers
from fshield.language.cases import Case
from fshield.language.model import RULES
from fshield.language.patterns import TEMPFILE

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*\Z")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
_COMMENT = 200
_MARK = "# written by fshield learn, and by nobody since: sha256 "
_TESTS, _TESTS_A_LINE = 40, 2
#: With this many names without a pattern, the next one is likely to be another.
_ALIKE = 2
_FTP, _CHOSEN = frozenset((21, 990)), 1024
#: For each rule, the name of its act in tests.
_ACT_OF = {
    "outbound_connectivity": "connect",
    "read_write_tmp": "open",
    "create_child_process": "exec",
    "native_code": "load",
    "read_handler": "read_source",
}


#: The group of lines without a known caller.
NOBODY = "?"


@dataclass
class Line:
    """One learnt allow entry.

    Args:
        rule: the rule that it belongs to.
        key: ``host``, ``cidr``, ``aws``, ``path`` or ``library``.
        value: of the key; for ``aws``, the service in words.
        ports: of a destination.
        seen: all that it is learnt from.
        group: the dependency that it belongs to; "" for the function's own code, NOBODY if no
            caller is known.
        acts: the acts that it allows, with a target for each.
        note: a remark.
        aws: the entry, if the key is ``aws``.
        only_for: the distributions that it is for; empty: all.
        alone: the path before it was merged into a pattern; "" if it was not.
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
    def caller(self) -> str:
        """One of the distributions that it is for; "" if it is for all."""
        return self.only_for[0] if self.only_for else ""

    @property
    def is_pattern(self) -> bool:
        """Whether it matches more than one name."""
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
        return f"{{{self.key}: {value}, ports: [{_ports(self.ports)}]}}"


def _ports(ports: tuple[int, ...]) -> str:
    """As a YAML list. An FTP server chooses a port for each transfer."""
    if not _is_ftp(ports):
        return ", ".join(map(str, ports))
    low = [port for port in ports if port < _CHOSEN]
    return ", ".join([*map(str, low), f"{_CHOSEN}-65535"])


def _is_ftp(ports: tuple[int, ...]) -> bool:
    """Whether they are FTP's, and those of its transfers."""
    return not _FTP.isdisjoint(ports) and max(ports) >= _CHOSEN


@dataclass
class Learnt:
    """A policy that was learnt.

    Args:
        lines: the entries, in the order of the file.
        modes: of each rule.
        held: the acts that were held back.
        comments: a comment for each line.
        region: of the function, if it is known.
        for_others: acts that entries allow, but not to `outsider`.
        quiet: packages whose reads of the handler's source stay blocked, and make no event.
        bundles: files of the function that contain packages, as far as is known.
        singles: names directly in /tmp that the function made, that its code does not spell, and
            that no pattern was found for.
        callers_remark: a sentence about what limits the names in `only_for`; "" if nothing does.
        passed: what was to be held back, and a pattern of others allows.
        unmet: hosts that are named and were not reached, each with the variable that names it.
        at_errors: packages that need an entry under `native_code` once an error passes them.
    """

    lines: list[Line]
    modes: dict[str, str]
    held: list[Held]
    evidence: Evidence
    comments: dict[int, str] = field(default_factory=dict)
    region: str | None = None
    for_others: list[tuple[Act, str]] = field(default_factory=list)
    quiet: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    singles: tuple[str, ...] = ()
    callers_remark: str = ""
    passed: list[Held] = field(default_factory=list)
    unmet: Mapping[str, str] = field(default_factory=dict)
    at_errors: tuple[str, ...] = ()

    @cached_property
    def outsider(self) -> str:
        """A dependency that was held back, as the engine names it; "" if there is none."""
        chains = {chain for held in self.held for chain in held.seen.chains}
        callers = {self.evidence.packages.of(chain) for chain in chains}
        names = {
            distribution_of(self.evidence, caller.name)
            for caller in callers
            if caller.kind == "dependency"
        }
        return min(names - {"", UNKNOWN}, default="")

    @property
    def facts(self) -> native.Facts:
        """What the engine knows of the function."""
        return native.Facts(self.region) if self.region else native.Facts()

    @property
    def bundle(self) -> str:
        """A sentence about packages that no event tells from the function; "" if there is none."""
        if not self.bundles:
            return ""
        more = f" and {len(self.bundles) - 1} more" if len(self.bundles) > 1 else ""
        return (
            f"{self.bundles[0]}{more}: a bundle. What the packages in it did is learnt as the"
            " function's own: read every line. esbuild's --packages=external keeps them apart"
        )

    @property
    def other_names(self) -> str:
        """A sentence about names that will be others next time; "" if none are known."""
        if len(self.singles) < _ALIKE:
            return ""
        return (
            f"{self.singles[0]} and {len(self.singles) - 1} more: the code does not spell these"
            " names, and no pattern fits them, so other names will be blocked. A folder of their"
            " own (/tmp/NAME/) gets a pattern"
        )

    @property
    def also_allowed(self) -> str:
        """A sentence about what a pattern of others allows; "" if there is nothing."""
        if not self.passed:
            return ""
        more = f" and {len(self.passed) - 1} more" if len(self.passed) > 1 else ""
        return (
            f"{self.passed[0].act.place}{more}: a pattern for other names allows it all the same."
            f" Else it would be held back: {self.passed[0].why}"
        )

    @property
    def errors(self) -> str:
        """A sentence about errors that become others; "" if none are known to."""
        if not self.at_errors or self.modes["native_code"] != "block":
            return ""
        names = ", ".join(self.at_errors)
        return (
            f"an error that passes through {names} becomes PolicyViolation, because its traceback"
            f" is made of new code objects. `native_code: {{allow: [{names}]}}` keeps the error"
        )

    @property
    def proposal(self) -> str:
        """A sentence that proposes `mode: ephemeral`; "" if that would not do."""
        has_paths = any(line.rule == "read_write_tmp" for line in self.lines)
        return self.evidence.forgetful.proposal if has_paths else ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was learnt, because everything was held back."""
        found = self.lines or self.quiet
        return bool(self.held) and not found and "alert" not in self.modes.values()

    @property
    def tied(self) -> list[str]:
        """AWS hosts that are listed by name, and so for one region, because the function's region
        is unknown.
        """
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
        """The YAML of a rule without entries."""
        if rule != "read_handler" or not self.quiet:
            return self.modes[rule]
        return f"{{mode: {self.modes[rule]}, quiet: [{', '.join(self.quiet)}]}}"

    def group_title(self, group: str) -> str:
        """The heading of one dependency's entries."""
        if group == NOBODY:
            return "unknown caller: a child, a thread, a library, or Node's event loop"
        return safe(self.evidence.version(group)) if group else "the function's own code"

    def comment(self, line: Line) -> str:
        """How often, when, by which package."""
        return self.comments[id(line)]


def signed(text: str) -> str:
    """`text` with a last line that `is_unchanged` checks."""
    return f"{text}{_MARK}{sha256(text.encode()).hexdigest()}\n"


def is_unchanged(content: bytes) -> bool:
    """Whether `content` is what `signed` made, unedited."""
    text, mark, digest = content.decode("utf-8", "replace").rpartition(_MARK)
    return bool(mark) and digest.strip() == sha256(text.encode()).hexdigest()


# ---- tests ----


def _tests(learnt: Learnt) -> list[str]:
    """What was learnt and what was held back, as the policy's `tests:`."""
    allowed = [
        (act, target)
        for line in learnt.lines
        if not line.only_for
        for act, target in line.acts[:_TESTS_A_LINE]
    ]
    by_caller: dict[str, list[tuple[Act, str]]] = {}
    for line in learnt.lines:
        if line.only_for:
            by_caller.setdefault(line.caller, []).extend(line.acts[:_TESTS_A_LINE])
    blocked = [
        (held.act, _exact(held)) for held in learnt.held if learnt.modes[_rule(held.act)] == "block"
    ]
    out: list[str] = []
    for word, items, reason, caller in (
        ("allowed", allowed, "", ""),
        *(("allowed", by_caller[name], "", name) for name in sorted(by_caller)),
        ("blocked", learnt.for_others, "allowed for other packages", learnt.outsider),
        ("blocked", blocked, "held back when this was learnt", ""),
    ):
        cases: dict[str, list[str]] = {}
        for act, target in items:
            # Stop early: a test lists only a few targets.
            if len(cases.get(_ACT_OF.get(act.rule, ""), ())) >= _TESTS:
                continue
            case = _case(act, target)
            if case and case[1] not in cases.setdefault(case[0], []):
                cases[case[0]].append(case[1])
        if cases:
            region = f"    region: {learnt.region}" if learnt.region else ""
            out.append(f"  - {word}:")
            out += [
                f"      {act}:"
                f" [{', '.join(json.dumps(target, ensure_ascii=False) for target in cases[act])}]"
                for act in cases
            ]
            texts = (
                f"    as: {caller}" if caller else "",
                f"    reason: {reason}" if reason else "",
                region,
            )
            out += [line for line in texts if line]
    return ["", "tests:", *out] if out else []


def _rule(act: Act) -> str:
    return act.rule if act.rule in RULES else "read_handler"


def _exact(held: Held) -> str:
    return min(held.seen.examples, default="")


# The policy is written twice: once to check it, once for the user.
@lru_cache(1 << 16)
def _case(act: Act, target: str) -> tuple[str, str] | None:
    """The act and target of a test, if `tests:` can express it."""
    word = _ACT_OF.get(act.rule)
    if act.rule == "outbound_connectivity":
        target = act.place if act.port else ""
    elif act.rule == "native_code":
        target = act.place
    if word is None or act.refused or not target:
        return None
    try:
        Case.model_validate({"blocked": {word: target}})
    except ValueError:
        return None
    return word, target


# ---- words ----


def comment(line: Line, tiers: Tiers) -> str:
    """The comment at the end of a line: how often its acts were seen, when, and by which
    package.
    """
    count = tiers.evidence.times((act for act, _ in line.acts), line.seen)
    times = "once" if count == 1 else f"{count:,} times"
    callers = tiers.callers_of(line.seen)
    by = "; ".join(caller.words for caller, _ in callers[:2]) + (
        f"; {len(callers) - 2} more" if len(callers) > 2 else ""
    )
    stood = sorted({act.target for act, _ in line.acts}) if line.aws else []
    named = not any(caller.kind == "own" for caller, _ in callers) and any(
        tiers.text.names(act, tiers.evidence.acts[act]) for act, _ in line.acts
    )
    seen = f"seen as {', '.join(stood[:2])}" + (
        f" and {len(stood) - 2} more" if len(stood) > 2 else ""
    )
    parts = [times, line.seen.when, f"by {by}" if by else "", line.note, seen if stood else ""]
    parts += ["named in its code or configuration"] if named else []
    parts += ["an FTP server chooses a port for each transfer"] if _is_ftp(line.ports) else []
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
            f"Held back, and so blocked: {kinds(len(learnt.held))}; `fshield learn` names them."
        )
    if learnt.bundle:
        lines.append(f"{learnt.bundle}.")
    lines += [f"{sentence}." for sentence in (learnt.proposal, learnt.errors) if sentence]
    return [f"# {safe(line)}" for line in lines]


def safe(text: str) -> str:
    """`text`, made safe and short enough for a comment."""
    plain = harmless(text)
    return plain if len(plain) <= _COMMENT else plain[: _COMMENT - 1] + "…"


def scalar(value: str) -> str:
    """`value` as YAML, quoted if it could be read as something else."""
    if _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
