"""``fshield fix``: from an event to the smallest edit of a policy that lets the act pass, and what else it admits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fshield import edit, native
from fshield.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.evidence import REFUSED, Act, Evidence, Seen
from fshield.known import SHARED
from fshield.learn import Line, destination
from fshield.loader import resolve
from fshield.lookalike import domain
from fshield.policy import Mode, Policy
from fshield.reader import Document, read
from fshield.shapes import shape
from fshield.tiers import Tiers
from fshield.verdicts import HERE, met


@dataclass
class Fix:
    """What to change.

    Args:
        document: the policy as it was.
        changed: its text with the entries.
        lines: the entries.
        admits: what else they let pass, in sentences.
        careful: why somebody should think twice.
        passing: acts that the policy lets pass already.
        hopeless: acts that no entry can allow, and why.
    """

    document: Document
    changed: str
    policy: Policy
    lines: list[Line] = field(default_factory=list)
    admits: list[str] = field(default_factory=list)
    careful: list[str] = field(default_factory=list)
    passing: list[Act] = field(default_factory=list)
    hopeless: list[tuple[Act, str]] = field(default_factory=list)

    @property
    def diff(self) -> list[str]:
        """As ``git diff`` has it."""
        return edit.difference(self.document, self.changed)


def fix(path: Path, evidence: Evidence, region: str | None = None) -> Fix:
    """The smallest edit of the policy at `path` under which nothing in `evidence` is blocked or reported.

    Args:
        path: of the policy.
        evidence: what happened.
        region: of the function, where it is known; else that of the functions' ARNs.

    Raises:
        CouldNotRun: the policy cannot be read, or not be changed without a person.
        PolicyError: it is wrong.
    """
    region = region or evidence.region
    facts = native.Facts(region) if region else HERE
    document = read(path)
    policy = resolve(document, path.stem)
    compiled = native.Compiled(compile_policy(policy))
    out = Fix(document, "\n".join(document.lines), policy)
    tiers = Tiers(evidence)
    for act, seen in evidence:
        target = min(seen.examples, default=act.target)
        if met(compiled, act, target, facts).mode is Mode.ALLOW:
            out.passing.append(act)
            continue
        why = _no_entry(act)
        if why:
            out.hopeless.append((act, why))
            continue
        line = _line(act, seen, target, region)
        held = tiers.held(act, seen)
        if held and held.accept is None:
            out.hopeless.append((act, held.why))
            continue
        out.lines.append(line)
        out.admits.append(admits(line))
        careful = tiers.by_target(act)
        if careful:
            out.careful.append(f"{act.place}: {careful}")
    if out.lines:
        out.lines = _merged(out.lines)
        additions = [edit.Addition(line.rule, line.text, _comment(line)) for line in out.lines]
        out.changed, out.policy = edit.with_entries(document, path.stem, additions)
        _prove(out, facts)
    return out


def _prove(found: Fix, facts: native.Facts) -> None:
    """By the engine's own word, the edit does what it is for."""
    compiled = native.Compiled(compile_policy(found.policy))
    for line in found.lines:
        for act, target in line.acts:
            if met(compiled, act, target, facts).mode is not Mode.ALLOW:
                raise CouldNotRun(
                    f"an entry for {act.place} would not do: the engine decides otherwise",
                    "fshield explain, and by hand",
                )


def _no_entry(act: Act) -> str | None:
    if act.refused:
        return REFUSED[act.refused]
    if act.rule in ("read_handler", "runtime_api"):
        return f"{act.rule} takes no exceptions; `{act.rule}: alert` would let everybody do it, and report it"
    if act.rule == "create_child_process" and not act.target:
        return "a bare fork is no program: `create_child_process: alert` would let everybody start anything"
    return None


def _line(act: Act, seen: Seen, target: str, region: str | None) -> Line:
    if act.rule == "outbound_connectivity":
        line = destination(act, region)
        line.seen, line.acts = seen, [(act, act.target)]
        return line
    if act.rule == "native_code":
        return Line(act.rule, "library", act.place, (), seen, acts=[(act, act.target)])
    if act.rule == "read_write_tmp":
        return Line(act.rule, "path", shape(target)[0], (), seen, acts=[(act, target)])
    return Line(act.rule, "path", act.target, (), seen, acts=[(act, act.target)])


def _comment(line: Line) -> str:
    return f"seen as {line.acts[0][0].target}" if line.aws else ""


def _merged(lines: list[Line]) -> list[Line]:
    """One entry for one destination."""
    found: dict[tuple[str, str, str], Line] = {}
    for line in lines:
        first = found.setdefault((line.rule, line.key, line.value), line)
        if first is not line:
            first.ports = tuple(sorted({*first.ports, *line.ports}))
            first.acts += line.acts
    return list(found.values())


def admits(line: Line) -> str:
    """What an entry lets pass besides the act that it is for, in one sentence."""
    if line.aws:
        what = "under all names that it has" if line.aws.bucket else "all its endpoints, any account's resources"
        return f"{line.value}: {what} in the function's own region, on port 443, from every package of the function"
    if line.key == "host":
        ports = ", ".join(map(str, line.ports))
        shared = domain(line.value) in SHARED or any(line.value.endswith("." + name) for name in SHARED)
        whose = "; anybody can have a name and an account there" if shared else ""
        return (
            f"{line.value}: everything behind that name on port {ports}, any path and account, "
            f"from every package of the function{whose}"
        )
    if line.key == "cidr":
        return f"{line.value}: whatever listens there on port {', '.join(map(str, line.ports))}, under any name"
    if line.rule == "read_write_tmp":
        names = "every name of this form" if "?" in line.value or "*" in line.value else "this one object"
        return f"{line.value}: {names}, to read, write, list and remove, by every package"
    if line.rule == "create_child_process":
        return f"{line.value}: this program with any arguments and input, started by every package"
    return (
        f"{line.value}: machine code that it brings or makes, which the other rules may not hold; code of other "
        "packages can borrow the name"
    )
