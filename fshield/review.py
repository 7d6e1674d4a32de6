"""Looks a policy over: entries that can never match are errors, expired ones are warnings, limits are notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timezone
from itertools import chain

from fshield import destinations, endpoints
from fshield.containment import uncovered_ports
from fshield.errors import Finding, PolicyError, shown
from fshield.model import RULES
from fshield.patterns import LINKED_FOLDERS, coverers
from fshield.policy import Allow, Family, Mode, Policy
from fshield.reader import Node

#: So many days before its last an entry is a note.
_SOON_DAYS = 14


# Entries that are compared with each other: more would take seconds, and nobody wrote them by hand.
_COMPARED = 300


def refuse_dead_entries(policy: Policy) -> None:
    """Raise PolicyError for the first entry that can never match: its author believes in something that is not so."""
    found = sorted(chain(_under_allow(policy), _shadowed(policy)), key=lambda finding: (finding.line, finding.column))
    if found:
        raise PolicyError(found[0])


def _under_allow(policy: Policy) -> Iterator[Finding]:
    for family in Family:
        own = (entry for entry in policy.allows if entry.family is family and entry.inherited_from is None)
        if policy.modes[family].mode is not Mode.ALLOW or not any(own):
            continue
        node = policy.document.find(("policy", RULES[family], "allow"), key=True)
        yield policy.document.finding(
            "error",
            node,
            f"these entries can never matter: {RULES[family]} allows everything",
            "`allow` lists under mode block or alert",
            "take the list out, or set the mode to block",
        )


def _shadowed(policy: Policy) -> Iterator[Finding]:
    paths: dict[tuple[Family, str], Allow] = {}
    ports: dict[object, tuple[Allow, destinations.Ports]] = {}
    for entry in policy.allows:
        if entry.pattern is not None:
            keys = [(entry.family, wide) for wide in coverers(entry.pattern)]
            earlier = next((paths[key] for key in keys if key in paths), None)
            paths.setdefault((entry.family, entry.pattern), entry)
        else:
            destination = (entry.family, entry.network, entry.hosts)
            earlier, open_ports = ports.get(destination, (None, ()))
            joined = destinations.join_ranges([*open_ports, *entry.ports])
            if joined != open_ports:
                ports[destination] = (earlier or entry, joined)
                earlier = None
        if earlier:
            home, line = entry.home(policy), earlier.source.rpartition(":")[2]
            before = f"line {line}" if earlier.home(policy) is home else earlier.source
            yield home.finding(
                "error",
                home.find(entry.location),
                f"this entry can never match: {before} ({earlier.text}) allows the same before it",
                "each exception once",
                "take one of the two out",
            )


def findings(policy: Policy, today: date | None = None) -> list[Finding]:
    """Warnings and notes about `policy`, in the file's order. `today` is for tests; otherwise the day in UTC."""
    day = today or datetime.now(timezone.utc).date()
    found = [*policy.notes, *_entry_findings(policy, day), *_policy_notes(policy)]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.column))


def _entry_findings(policy: Policy, today: date) -> Iterator[Finding]:
    named: list[Allow] = []
    for entry in policy.allows:
        home = entry.home(policy)
        node = home.find(entry.location)
        if entry.expires and entry.expires < today:
            yield home.finding(
                "warning",
                node,
                f"this entry expired on {entry.expires.isoformat()}{_whose(node)}",
                f"a day from {today.isoformat()} on",
                "ask its owner; take it out or give it a new day",
            )
        elif entry.expires and (left := (entry.expires - today).days) <= _SOON_DAYS:
            when = "today" if left == 0 else f"in {left} day{'' if left == 1 else 's'}"
            yield home.finding("note", node, f"this entry expires {when}{_whose(node)}", mend="ask its owner")
        if entry.hosts:
            named.append(entry)
        if entry.network is not None and entry.network.prefixlen == 0:
            yield home.finding("note", node, f"{entry.network} is every address of its kind")
        linked = next((name for name in LINKED_FOLDERS if (entry.pattern or "").startswith(name)), None)
        if linked and entry.family is Family.PROCESS:
            yield home.finding(
                "warning",
                node,
                f"this never matches where {linked[:-1]} is a link, as it is on Lambda",
                "the resolved path",
                f"/usr{entry.pattern}",
            )
        if entry.pattern and "[" in entry.pattern:
            yield home.finding("note", node, "`[` stands for itself here, not for a set of letters")
    yield from _covered(policy)
    yield from _what_a_name_cannot(policy, named)
    yield from _old_endpoints(policy, today)


def _allowed_by(entry: Allow, others: list[Allow]) -> bool:
    return not any(uncovered_ports(entry, others, host) for host in entry.hosts or (None,))


def _covered(policy: Policy) -> Iterator[Finding]:
    """Destinations that earlier entries allow already, on all their ports."""
    earlier: list[Allow] = []
    for entry in policy.allows[:_COMPARED]:
        if entry.family is not Family.OUTBOUND:
            continue
        # With the entry's own names, whose exact match decides before a wildcard, it is not dead: only not needed.
        if earlier and _allowed_by(entry, earlier):
            home = entry.home(policy)
            alone = next((one for one in earlier if _allowed_by(entry, [one])), None)
            before = f"{alone.source} ({alone.text})" if alone else "what stands before"
            yield home.finding(
                "note", home.find(entry.location), f"{before} allows this already", mend="take one of the two out"
            )
        earlier.append(entry)


def _what_a_name_cannot(policy: Policy, named: list[Allow]) -> Iterator[Finding]:
    """One finding, about the widest kind of name that there is."""
    # What FunctionShield's options mean by themselves has a note of its own.
    written = [entry for entry in named if entry.location[-1] != "outbound_connectivity"]
    suffix = next((entry for entry in written if entry.is_aws), None)
    if suffix is not None:
        home = suffix.home(policy)
        # Whoever wrote a reason has decided it, and is not to be told at every build.
        yield home.finding(
            "note" if suffix.reason else "warning",
            home.find(suffix.location),
            "`aws: true` is no boundary: anybody can have a bucket, a host or an API under the same suffixes",
            "`aws: [dynamodb, sqs]`, `aws: {s3: {buckets: [my-bucket]}}`, or a `reason:` here",
            "name the services; what bounds the account is a VPC endpoint policy with aws:ResourceOrgID",
        )
    elif written:
        home = written[0].home(policy)
        yield home.finding(
            "note",
            home.find(written[0].location),
            "a name bounds the host, not the account behind it nor what TLS hides (`Host`, path)",
            mend="where that matters: a VPC endpoint policy with aws:ResourceOrgID",
        )


def _old_endpoints(policy: Policy, today: date) -> Iterator[Finding]:
    first = next((entry for entry in policy.allows if entry.services), None)
    if first is not None and (message := endpoints.too_old(endpoints.DATA_DAY, today)):
        home = first.home(policy)
        yield home.finding("warning", home.find(first.location), message, mend=endpoints.TOO_OLD_MEND)


def _whose(node: Node) -> str:
    """The entry's owner and reason, in brackets, where it says them."""
    said = node.plain()
    if not isinstance(said, dict):
        return ""
    parts = [f"{key}: {shown(said[key])[1:-1]}" for key in ("owner", "reason") if said.get(key)]
    return f" ({', '.join(parts)})" if parts else ""


def _policy_notes(policy: Policy) -> Iterator[Finding]:
    if policy.allow_reconfigure:
        yield policy.document.finding(
            "note",
            policy.document.find(("allow_reconfigure",), key=True),
            "any code in the process may loosen this policy through function_shield.configure",
            mend="leave it false unless the function's own code needs it",
        )
