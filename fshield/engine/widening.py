"""``fshield diff``: what a change of a policy allows that was not allowed, and what it no longer
allows, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from fshield.engine.containment import path_outside, uncovered_ports
from fshield.engine.named import Asked, Beyond, Name, Read
from fshield.language import destinations
from fshield.language.loader import loopback_entries
from fshield.language.model import RULES
from fshield.language.patterns import TEMPFILE
from fshield.language.policy import Allow, Family, Mode, Policy

Kind = Literal["widens", "narrows"]
_EVERY_PORT: destinations.Ports = ((1, 65535),)
_LIMIT = 8
_EFFECTS = {
    ("widens", Mode.BLOCK): "becomes allowed",
    ("widens", Mode.ALERT): "is not reported any more",
    ("narrows", Mode.BLOCK): "is no longer allowed",
    ("narrows", Mode.ALERT): "goes on and is reported",
}
_READ: dict[Read, str] = {"tls": "the server name of TLS", "http": "the `Host` of HTTP"}
_SENT: dict[Read, str] = {"tls": "TLS", "http": "HTTP in the clear", "nothing": "anything"}


@dataclass(frozen=True)
class Change:
    """One difference.

    Args:
        kind: whether something becomes allowed, or stops being allowed.
        rule: the rule, or the top-level key.
        words: the change, in one sentence.
        file: the policy that contains the cause, as the user named it: the new one if it widens,
            else the old one.
        line: the line in that file; 1 if no line causes it.
        example: an act that it affects, in the form that `fshield explain` takes; None if no single
            one does.
        policies: the names of the policies that it changes, if folders were compared.
    """

    kind: Kind
    rule: str
    words: str
    file: str
    line: int
    example: str | None = None
    policies: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def changes(old: Policy, new: Policy) -> list[Change]:
    """First what widens, then what narrows, each in the order of the rules."""
    return [*_one_way(old, new, "widens"), *_one_way(new, old, "narrows")]


def _one_way(before: Policy, after: Policy, kind: Kind) -> Iterator[Change]:
    """What `after` allows beyond `before`."""
    callers = sorted(
        {name for policy in (before, after) for one in policy.allows for name in one.only_for}
    )
    for family in Family:
        yield from _mode(before, after, family, kind)
        if (
            before.modes[family].mode is not Mode.ALLOW
            and after.modes[family].mode is not Mode.ALLOW
        ):
            yield from _by_callers(before, after, family, kind, callers)
    yield from _switches(before, after, kind)


def _mode(before: Policy, after: Policy, family: Family, kind: Kind) -> Iterator[Change]:
    was, now = before.modes[family], after.modes[family]
    if now.mode >= was.mode:
        return
    if kind == "narrows":
        was, now = now, was
    effect = {
        (Mode.BLOCK, Mode.ALERT): "what it blocked goes on and is only reported",
        (Mode.BLOCK, Mode.ALLOW): "what it blocked passes now, without an event",
        (Mode.ALERT, Mode.ALLOW): "what it reported is not reported any more",
        (Mode.ALERT, Mode.BLOCK): "what it reported is blocked",
        (Mode.ALLOW, Mode.BLOCK): "what it let pass is blocked",
        (Mode.ALLOW, Mode.ALERT): "what it let pass is reported",
    }[(was.mode, now.mode)]
    # If it narrows, the line that sets the mode is in the new policy.
    shown = after if kind == "widens" else before
    words = f"{was.mode.name.lower()} becomes {now.mode.name.lower()}: {effect}"
    yield Change(kind, RULES[family], words, *_place(shown, now.source))


def _by_callers(
    before: Policy, after: Policy, family: Family, kind: Kind, callers: list[str]
) -> Iterator[Change]:
    """First what changes for callers that no entry names. Then, for each named caller, what changes
    for it only.
    """
    for_all = list(_entries(_seen_by(before, ""), _seen_by(after, ""), family, kind))
    yield from for_all
    common = {(change.words, change.line) for change in for_all}
    for name in callers:
        for change in _entries(_seen_by(before, name), _seen_by(after, name), family, kind):
            if (change.words, change.line) not in common:
                yield replace(change, words=f"for {name}: {change.words}", example=None)


def _seen_by(policy: Policy, caller: str) -> Policy:
    """The policy as one caller sees it: without entries that are only for others."""
    if not any(entry.only_for for entry in policy.allows):
        return policy
    seen = [entry for entry in policy.allows if not entry.only_for or caller in entry.only_for]
    return replace(policy, allows=[replace(entry, only_for=()) for entry in seen])


def _entries(before: Policy, after: Policy, family: Family, kind: Kind) -> Iterator[Change]:
    others = [entry for entry in before.allows if entry.family is family]
    named: dict[int, list[Beyond]] = {}
    if family is Family.OUTBOUND:
        if not before.loopback_listed:
            others += loopback_entries("", (), _EVERY_PORT)
        for one in Asked(before, after).beyond():
            named.setdefault(id(one.entry), []).append(one)
    mode = before.modes[family].mode
    for entry in after.allows:
        if entry.family is not family:
            continue
        if entry.hosts:
            described = [_named(one, kind, mode) for one in named.get(id(entry), [])]
        else:
            described = [
                (f"{what} {_EFFECTS[kind, mode]}", example)
                for what, example in _beyond(entry, others)
            ]
        for words, example in described:
            yield Change(
                kind, RULES[family], words, entry.home(after).file, _line(entry.source), example
            )


def _beyond(entry: Allow, others: list[Allow]) -> Iterator[tuple[str, str | None]]:
    """What `entry`, for paths or addresses, allows beyond `others`, and an example."""
    if entry.pattern is not None:
        outside = path_outside(
            entry.pattern, [other.pattern for other in others if other.pattern is not None]
        )
        if outside is not None:
            act = {Family.TMP: "open", Family.PROCESS: "exec"}.get(entry.family)
            alias = entry.text != entry.pattern and entry.text == TEMPFILE
            what = f"{entry.text} ({entry.pattern})" if alias else entry.text
            yield what, f"{act} {outside}" if act else None
    elif entry.network is not None:
        ports = uncovered_ports(entry, others, None)
        if ports:
            address = str(entry.network.network_address)
            bracketed = f"[{address}]" if ":" in address else address
            yield f"{entry.network}{_on(ports)}", f"connect {bracketed}:{ports[0][0]}"


def _named(beyond: Beyond, kind: Kind, mode: Mode) -> tuple[str, str | None]:
    """What an entry for names allows, in words, and an example."""
    (first, ports), *_ = beyond.ports.items()
    same = all(other == ports for other in beyond.ports.values())
    own = {Name(host.key, host.wildcard) for host in beyond.entry.hosts}
    if same and len(own) > 1 and own <= beyond.ports.keys():
        what = beyond.entry.text.partition(", ports")[0]
    else:
        what = ", ".join(map(str, [*beyond.ports][:_LIMIT]))
        what += (
            f" and {len(beyond.ports) - _LIMIT} more names" if len(beyond.ports) > _LIMIT else ""
        )
    what += _on(ports)
    if beyond.step is None:
        return f"{what} {_EFFECTS[kind, mode]}", _example(first, ports)
    before, after = beyond.step
    if kind == "widens":
        effect = f"{_SENT[after]} may be sent, where {_READ[before]} was read"
        more = "" if mode is Mode.BLOCK else ", and is not reported"
    else:
        effect = f"{_SENT[after]} may no longer be sent: {_READ[before]} is read"
        more = "" if mode is Mode.BLOCK else ", and what does not fit reported"
    return f"{what}: {effect}{more}", _example(first, ports)


def _example(name: Name, ports: destinations.Ports) -> str | None:
    if "{" in name.key:
        return None
    return f"connect {'www.' if name.below else ''}{name.key}:{ports[0][0]}"


def _on(ports: destinations.Ports) -> str:
    if ports == destinations.DEFAULT_PORTS:
        return ""
    if ports == _EVERY_PORT:
        return " on every port"
    single = len(ports) == 1 and ports[0][0] == ports[0][1]
    return f" on port{'' if single else 's'} {destinations.write_ports(ports)[1:-1]}"


def _switches(before: Policy, after: Policy, kind: Kind) -> Iterator[Change]:
    widens = kind == "widens"
    if after.allow_reconfigure and not before.allow_reconfigure:
        words = (
            "any code in the process may loosen"
            if widens
            else "no code in the process may loosen any more"
        )
        yield Change(kind, "allow_reconfigure", words, *_key(after, "allow_reconfigure"))
    for mode in after.mode_overrides:
        if mode not in before.mode_overrides:
            obeyed = "is obeyed" if widens else "is no longer obeyed"
            words = f"FUNCTION_SHIELD_MODE={mode} {obeyed}"
            yield Change(kind, "allow_mode_override", words, *_key(after, "allow_mode_override"))
    if before.kernel_file_size and not after.kernel_file_size:
        words = (
            "the kernel no longer keeps files from growing"
            if widens
            else "the kernel keeps files from growing"
        )
        yield Change(kind, "kernel", words, *_key(after, "kernel"))
    blocks = before.modes[Family.TMP].mode is after.modes[Family.TMP].mode is Mode.BLOCK
    if blocks and after.tmp_ephemeral and not before.tmp_ephemeral:
        words = (
            "block becomes ephemeral: what an invocation makes it may use until it ends"
            if widens
            else "ephemeral becomes block: what an invocation makes is blocked"
        )
        shown = after if widens else before
        place = _place(shown, shown.modes[Family.TMP].source)
        yield Change(kind, RULES[Family.TMP], words, *place)
    yield from _lists(before, after, kind)
    guarded = all(
        policy.modes[Family.OUTBOUND].mode is not Mode.ALLOW for policy in (before, after)
    )
    if guarded and _loopback_opens(before, after):
        words = (
            "every port of 127.0.0.1 and ::1 is let through"
            if widens
            else "127.0.0.1 and ::1 need an entry"
        )
        yield Change(kind, "outbound_connectivity", words, *_key(after, "policy"))


def _lists(before: Policy, after: Policy, kind: Kind) -> Iterator[Change]:
    """Changes in the lists of `read_handler`: protected files, readers without events."""
    family, widens = Family.HANDLER, kind == "widens"
    shown = after if widens else before
    place = _place(shown, shown.modes[family].source)
    for pattern in before.also_source:
        if pattern not in after.also_source:
            words = f"{pattern} {'may be read' if widens else 'is protected as source'}"
            yield Change(kind, RULES[family], words, *place)
    for name in after.quiet_readers:
        if name not in before.quiet_readers:
            words = f"reads of the source by {name} {'make no event' if widens else 'make events'}"
            yield Change(kind, RULES[family], words, *place)


def _loopback_opens(before: Policy, after: Policy) -> bool:
    """Whether `after` lets all of loopback through, where `before` needs entries for it."""
    if after.loopback_listed or not before.loopback_listed:
        return False
    return any(
        uncovered_ports(entry, before.allows, None)
        for entry in loopback_entries("", (), _EVERY_PORT)
    )


def _key(policy: Policy, key: str) -> tuple[str, int]:
    return policy.document.file, policy.document.find((key,), key=True).line


def _place(policy: Policy, source: str) -> tuple[str, int]:
    if not source:
        return policy.document.file, policy.document.find(("policy",), key=True).line
    if source.rpartition(":")[0] != policy.document.base:
        return source.rpartition(":")[0], _line(source)
    return policy.document.file, _line(source)


def _line(source: str) -> int:
    number = source.rpartition(":")[2]
    return int(number) if number.isdigit() else 1
