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

# In the report's order. Every folder under programs/ is one of these.
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
# How the runner itself checks that an attack worked. `attack.py` defines the places that are named
# here.
Proof = Literal[
    "read",  # the program printed the proof text, which only ATTACK_FILE and its variants hold
    "new",  # something exists at ATTACK_NEW, or at a path that begins with it
    "changed",  # the folder of ATTACK_FILE, or something in it, has changed
    "sink",  # a client connected to ATTACK_SINK
    "udp",  # a datagram reached ATTACK_SINK_UDP
    "sink6",  # a client connected to ATTACK_SINK6
    "api",  # a request reached AWS_LAMBDA_RUNTIME_API
    "next",  # a request about an invocation reached AWS_LAMBDA_RUNTIME_API
    "query",  # the resolver was asked for a name that contains the secret
    "any_query",  # the resolver was asked for any name
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
        rules: the rules; an event must name at least one of them.
        success: what success is, in one sentence.
        proof: how the runner itself checks the success.
        needs: what the machine must have, as words: ``node``, ``gcc``, ``root``, ``resolver``,
            ``python>=3.12``, … ``packages``: the program is part of tintbox, installed beside
            stripe, requests and urllib3. ``metadata`` or ``record``: it brings a file of that name
            that claims to be stripe's. ``snapshot``: the environment has the variables that let a
            function call the Runtime API, as under SnapStart.
        open: why this attack is known to succeed; "" if it is held.
        policy: a file of policies/ to use in place of strict; "" for strict. With "own", or a file
            whose name begins with "own", the run gets a copy that the program may write to.
        when: how the program is run: ``alone``; by ``site``, before CPython 3.15 reports that it is
            initialised; or as a function's dependency, at the handler's ``import``, at its
            ``call``, or from a ``pth`` file.
        also: further rules that stop it. Under ``strict``, an event that names one of them counts.
            The attack must also fail with these rules set to allow.
        at_most: the largest number of events that one run may write; 0 for no limit.
        says: text that an event of its rules must contain, in its JSON; "" if naming the rule is
            enough.
        quiet: why no event names it although it is held; "" if one must.
        alerts: ``true`` if an event must name a quiet attack under a policy that only reports.
        unreported: why a policy that only reports may fail to name it, although one that blocks
            holds it; "" if it must name it.
        refuses: why the guard refuses to start or to go on, even under a policy that only reports;
            "" if it does not.
        handler: the form of the handler: ``source``, ``zip``, ``package``, ``compiled``,
            ``compiled_elsewhere`` (PYTHONPYCACHEPREFIX), or ``imported``: the handler imports the
            module that ATTACK_HANDLER names; another module, later.py, lies beside that one.
        timeout: seconds for one run. A run that must succeed gets ATTACK_SECONDS more.
        layer: "own": a copy of the layer runs it. The copy is at ATTACK_LAYER. The program may
            change it, and only its owner can reach it.
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
        """Whether the attack changes an object while the guard inspects it. The file's name says
        so."""
        return "race" in self.path.stem.split("_")

    def __str__(self) -> str:
        return self.name


class Malformed(ValueError):
    """A header that the runner cannot use."""


def read_header(path: Path, keys: Collection[str] = KEYS) -> dict[str, str]:
    """The ``key: value`` lines of the first comment block. A line that begins with none of the
    `keys` continues the value before it."""
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
    """Read and check one attack."""
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
    """Every attack, in the report's order."""
    order = list(CLASSES)
    paths = [path for path in PROGRAMS.glob("*/*") if path.suffix[1:] in COMMENT]
    return sorted(
        (read_attack(path) for path in paths),
        key=lambda attack: (order.index(attack.kind), attack.name),
    )
