"""Reads the corpus: each program's header is data."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
POLICIES = HERE / "policies"

# In the order of the report. Every folder under programs/ is one of these.
CLASSES = {
    "no_event": "The interpreter ring has no event",
    "switch_off": "Switching the guard off from the language",
    "symbols": "Around libc symbols",
    "machine_code": "Machine code",
    "children": "Children",
    "files": "Files by another name",
    "network": "Network by another road",
    "only_for": "An entry for another package",
    "handler": "The handler's source",
    "events": "The event stream",
    "lambda": "Lambda",
    "configuration": "Configuration",
}
RULES = (
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "read_handler",
    "native_code",
    "runtime_api",
    "guard_integrity",
)
# How the runner itself checks that an attack worked. `attack.py` has the names of the places.
Proof = Literal[
    "read",  # the program printed what only ATTACK_FILE and its like hold
    "new",  # something is at ATTACK_NEW, or at a name that begins with it
    "changed",  # the folder of ATTACK_FILE, or an object in it, is not what it was
    "sink",  # a client connected to ATTACK_SINK
    "udp",  # a datagram came to ATTACK_SINK_UDP
    "sink6",  # a client connected to ATTACK_SINK6
    "api",  # a request came to AWS_LAMBDA_RUNTIME_API
    "next",  # a request about an invocation came to AWS_LAMBDA_RUNTIME_API
    "query",  # a name with the secret in it was asked of the resolver
    "any_query",  # the resolver was asked anything
    "mark",  # ATTACK_MARK exists
    "word",  # the program says so; nothing else is checked
]
When = Literal["alone", "import", "call", "pth", "site"]
Language = Literal["py", "js", "c"]
KEYS = {
    *("class", "rule", "success", "proof", "needs", "open", "policy"),
    *(
        "when",
        "also",
        "at_most",
        "says",
        "quiet",
        "alerts",
        "unreported",
        "refuses",
        "handler",
        "timeout",
    ),
    "layer",
}


COMMENT = {"py": "#", "js": "//", "c": "//"}


@dataclass(frozen=True)
class Attack:
    """One program of the corpus.

    Attributes:
        path: the program.
        kind: the class of attacks, a key of ``CLASSES``.
        rules: the rules of which an event must name at least one.
        success: what success is, in one sentence.
        proof: how the runner sees the success itself.
        needs: what must be there, as words: ``node``, ``gcc``, ``root``, ``resolver``,
            ``python>=3.12``, … ``packages``: the program is part of tintbox, installed beside
            stripe, requests and urllib3. ``metadata`` or ``record``: it brings that file under
            stripe's name. ``snapshot``: the environment says what a function may ask the Runtime
            API for.
        open: why this attack is known to succeed; "" if it is held.
        policy: a file of policies/ in place of strict; "" for strict. "own", and a file whose name
            begins with it: a copy that the program may write to.
        when: how the program is run. ``alone``; by ``site``, before CPython 3.15 says that it is
            initialised; or as a function's dependency: at the handler's ``import``, at its
            ``call``, or by a ``pth`` file.
        also: rules that hold it too. Under ``strict`` an event of those counts; with those allowed,
            it is held too.
        at_most: the largest number of events that one run may write; 0 for no limit.
        says: text that one event of its rules must hold, as JSON; "" where naming the rule is
            enough.
        quiet: why no event names it although it is held; "" where one must.
        alerts: ``true`` where an event must name it under a policy that only reports, although it
            is quiet.
        unreported: why a policy that only reports may fail to name it, although one that blocks
            holds it; "" where it may not.
        refuses: why the guard refuses to go on at all, under a policy that only reports as well; ""
            where it does not.
        handler: the form the handler is in: ``source``, ``zip``, ``package``, ``compiled``,
            ``compiled_elsewhere`` (PYTHONPYCACHEPREFIX), or ``imported``: it imports the module
            that ATTACK_HANDLER names, and another, later.py, lies beside that.
        timeout: seconds for one run; one that must succeed gets ATTACK_SECONDS more.
        layer: "own": it is run by a copy of the layer, at ATTACK_LAYER, which it may change and
            only its owner can reach.
    """

    path: Path
    kind: str
    rules: tuple[str, ...]
    success: str
    proof: Proof
    needs: tuple[str, ...]
    open: str
    policy: str
    when: When
    also: tuple[str, ...]
    at_most: int
    says: str
    quiet: str
    alerts: bool
    unreported: str
    refuses: str
    handler: str
    timeout: float
    layer: str

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.path.stem}" + (
            "" if self.language == "py" else f".{self.language}"
        )

    @property
    def language(self) -> Language:
        return cast(Language, self.path.suffix[1:])

    @property
    def races(self) -> bool:
        """It changes what is judged while it is judged, as its file's name says."""
        return "race" in self.path.stem.split("_")

    def __str__(self) -> str:
        return self.name


class Malformed(ValueError):
    """A header that the runner cannot use."""


def read_header(path: Path, keys: Collection[str] = KEYS) -> dict[str, str]:
    """The ``key: value`` lines of the first comment block; a line without one of the `keys` goes on
    with the last one."""
    mark = COMMENT[path.suffix[1:]]
    fields: dict[str, str] = {}
    last = ""
    for line in path.read_text().splitlines():
        if not line.startswith(mark):
            break
        text = line[len(mark) :].strip()
        found = re.match(r"([a-z_]+): (.*)", text)
        if found and found[1] in keys:
            last = found[1]
            fields[last] = found[2].strip()
        elif last and text:
            fields[last] += " " + text
        elif text:
            raise Malformed(
                f"{path}: {text!r} is no key: value line; the keys are {', '.join(sorted(keys))}"
            )
    return fields


def words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text) if word)


def read_attack(path: Path) -> Attack:
    """The attack in one file, checked."""
    fields = read_header(path)
    for key in ("class", "rule", "success", "proof"):
        if not fields.get(key):
            raise Malformed(
                f"{path}: the header has no line '# {key}: …'; see {Path(__file__).name}"
            )
    if fields["class"] != path.parent.name or fields["class"] not in CLASSES:
        raise Malformed(
            f"{path}: class {fields['class']!r} is not its folder's name, or not one of"
            f" {', '.join(CLASSES)}"
        )
    rules, also = words(fields["rule"]), words(fields.get("also", ""))
    for rule in rules + also:
        if rule not in RULES:
            raise Malformed(f"{path}: {rule!r} is not a rule; the rules are {', '.join(RULES)}")
    if fields["proof"] not in get_args(Proof):
        raise Malformed(
            f"{path}: proof {fields['proof']!r} is not one of {', '.join(get_args(Proof))}"
        )
    when = fields.get("when", "alone")
    if when not in get_args(When):
        raise Malformed(f"{path}: when {when!r} is not one of {', '.join(get_args(When))}")
    if fields.get("layer", "own") != "own":
        raise Malformed(f"{path}: layer {fields['layer']!r} is not 'own'")
    return Attack(
        path=path,
        kind=fields["class"],
        rules=rules,
        success=fields["success"],
        proof=cast(Proof, fields["proof"]),
        needs=words(fields.get("needs", "")),
        open=fields.get("open", ""),
        policy=fields.get("policy", ""),
        when=cast(When, when),
        also=also,
        says=fields.get("says", ""),
        quiet=fields.get("quiet", ""),
        alerts=fields.get("alerts") == "true",
        unreported=fields.get("unreported", ""),
        refuses=fields.get("refuses", ""),
        at_most=int(fields.get("at_most", "0")),
        handler=fields.get("handler", "source"),
        timeout=float(fields.get("timeout", "25")),
        layer=fields.get("layer", ""),
    )


def corpus() -> list[Attack]:
    """Every attack, in the order of the report."""
    order = list(CLASSES)
    paths = [path for path in PROGRAMS.glob("*/*") if path.suffix[1:] in COMMENT]
    return sorted(
        (read_attack(path) for path in paths),
        key=lambda attack: (order.index(attack.kind), attack.name),
    )
