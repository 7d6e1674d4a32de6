"""Reviews a policy: entries that can never match are errors, expired ones are warnings, limits are
notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timezone
from itertools import chain

from fshield.engine.containment import uncovered_ports
from fshield.errors import Finding, PolicyError, shown
from fshield.language import destinations, endpoints
from fshield.language.model import RULES
from fshield.language.patterns import LINKED_FOLDERS, TEMPFILE, TEMPFILE_PATTERNS, coverers
from fshield.language.policy import Allow, Family, Mode, Policy
from fshield.language.reader import Node

#: An entry becomes a note this many days before it expires.
_SOON_DAYS = 14


# At most this many entries are compared with each other. More would take seconds, and nobody wrote
# them by hand.
_COMPARED = 300


def refuse_dead_entries(policy: Policy) -> None:
    """Raise PolicyError for entries that can never match: their author believes that they do."""
    found = sorted(
        chain(_under_allow(policy), _shadowed(policy)),
        key=lambda finding: (finding.line, finding.column),
    )
    if found:
        raise PolicyError(*found)


def _under_allow(policy: Policy) -> Iterator[Finding]:
    for family in Family:
        own = (
            entry
            for entry in policy.allows
            if entry.family is family and entry.inherited_from is None
        )
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


def _all_of(entry: Allow) -> tuple[str, ...]:
    return TEMPFILE_PATTERNS if entry.text == TEMPFILE else (entry.pattern or "",)


def _earlier(paths: dict[tuple[Family, str], Allow], family: Family, pattern: str) -> Allow | None:
    keys = ((family, wide) for wide in coverers(pattern))
    return next((paths[key] for key in keys if key in paths), None)


def _shadowed(policy: Policy) -> Iterator[Finding]:
    paths: dict[tuple[Family, str], Allow] = {}
    ports: dict[object, tuple[Allow, destinations.Ports]] = {}
    for entry in policy.allows:
        if entry.only_for:
            continue  # it is for other callers than an entry that looks the same
        if entry.pattern is not None:
            before = [_earlier(paths, entry.family, pattern) for pattern in _all_of(entry)]
            # A name for several patterns is dead only if each is covered. Report it once.
            earlier = before[0] if all(before) else None
            if earlier and earlier.location == entry.location:
                earlier = None
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
            where = f"line {line}" if earlier.home(policy) is home else earlier.source
            yield home.finding(
                "error",
                home.find(entry.location),
                f"this entry can never match: {where} ({earlier.text}) allows the same before it",
                "each exception once",
                "take one of the two out",
            )


def findings(policy: Policy, today: date | None = None) -> list[Finding]:
    """Warnings and notes about `policy`, in the file's order. `today` is for tests; otherwise the
    day in UTC."""
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
            yield home.finding(
                "note", node, f"this entry expires {when}{_whose(node)}", fix="ask its owner"
            )
        if entry.hosts:
            named.append(entry)
        if entry.network is not None and entry.network.prefixlen == 0:
            yield home.finding("note", node, f"{entry.network} is every address of its kind")
        linked = next(
            (name for name in LINKED_FOLDERS if (entry.pattern or "").startswith(name)), None
        )
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


def _is_for(wide: Allow, narrow: Allow) -> bool:
    """Whether `wide` is for all callers that `narrow` is for."""
    return not wide.only_for or (
        bool(narrow.only_for) and set(narrow.only_for) <= set(wide.only_for)
    )


def _covered(policy: Policy) -> Iterator[Finding]:
    """Findings about destinations that earlier entries allow already, on all their ports."""
    earlier: list[Allow] = []
    for entry in policy.allows[:_COMPARED]:
        if entry.family is not Family.OUTBOUND:
            continue
        # It is not dead, because an exact name decides before a wildcard. It is only unnecessary.
        wider = [one for one in earlier if _is_for(one, entry)]
        if wider and _allowed_by(entry, wider):
            home = entry.home(policy)
            alone = next((one for one in wider if _allowed_by(entry, [one])), None)
            before = f"{alone.source} ({alone.text})" if alone else "what stands before"
            yield home.finding(
                "note",
                home.find(entry.location),
                f"{before} allows this already",
                fix="take one of the two out",
            )
        earlier.append(entry)


def _what_a_name_cannot(policy: Policy, named: list[Allow]) -> Iterator[Finding]:
    """One finding, about the widest kind of name in the policy."""
    # FunctionShield's options have a note of their own about this.
    written = [entry for entry in named if entry.location[-1] != "outbound_connectivity"]
    suffix = next((entry for entry in written if entry.is_aws), None)
    if suffix is not None:
        home = suffix.home(policy)
        # An author who wrote a reason has decided. Do not repeat it at every build.
        yield home.finding(
            "note" if suffix.reason else "warning",
            home.find(suffix.location),
            "`aws: true` is not a boundary: anybody can have a bucket, a host or an API under the"
            " same suffixes",
            "`aws: [dynamodb, sqs]`, `aws: {s3: {buckets: [my-bucket]}}`, or a `reason:` here",
            "name the services; what bounds the account is a VPC endpoint policy with"
            " aws:ResourceOrgID",
        )
    elif written:
        home = written[0].home(policy)
        yield home.finding(
            "note",
            home.find(written[0].location),
            "a name bounds the host, not the account behind it nor what TLS hides (`Host`, path)",
            fix="where that matters: a VPC endpoint policy with aws:ResourceOrgID",
        )


def _old_endpoints(policy: Policy, today: date) -> Iterator[Finding]:
    first = next((entry for entry in policy.allows if entry.services), None)
    if first is not None and (message := endpoints.too_old(endpoints.DATA_DAY, today)):
        home = first.home(policy)
        yield home.finding("warning", home.find(first.location), message, fix=endpoints.TOO_OLD_FIX)


def _whose(node: Node) -> str:
    """The entry's owner and reason in brackets, or ""."""
    written = node.plain()
    if not isinstance(written, dict):
        return ""
    parts = [
        f"{key}: {shown(written[key])[1:-1]}" for key in ("owner", "reason") if written.get(key)
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _policy_notes(policy: Policy) -> Iterator[Finding]:
    if policy.allow_reconfigure:
        yield policy.document.finding(
            "note",
            policy.document.find(("allow_reconfigure",), key=True),
            "any code in the process may loosen this policy through function_shield.configure",
            fix="leave it false unless the function's own code needs it",
        )
