"""Makes a policy of a policy file: reads, validates and resolves it, and refuses entries that can
never match.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fshield.errors import Finding, PolicyError
from fshield.language import aws, destinations, endpoints, variables
from fshield.language.aws_services import ServiceDetail
from fshield.language.callers import counted
from fshield.language.cases import ACTS
from fshield.language.extending import extended, inherit
from fshield.language.model import (
    NEW_RULES,
    OLD_RULES,
    RULES,
    AwsEntry,
    CidrEntry,
    HostEntry,
    LibraryEntry,
    NativeRule,
    OutboundRule,
    PathEntry,
    PolicyFile,
    ProcessRule,
    TmpRule,
)
from fshield.language.options import Options
from fshield.language.patterns import TEMPFILE, TEMPFILE_PATTERNS
from fshield.language.policy import Allow, Family, Host, Mode, Policy, PolicyTest, RuleMode
from fshield.language.reader import Document, Location, read
from fshield.language.review import refuse_dead_entries
from fshield.language.wrong import KIND

# The default region of tests and questions.
REGION = "us-east-1"
EPHEMERAL = "ephemeral"
#: At most this many errors are shown: nobody reads more at once.
_MOST_ERRORS = 50


def load(path: Path) -> Policy:
    """The policy in the file `path`.

    Raises:
        CouldNotRun: it cannot be read.
        PolicyError: it is wrong, or one that it extends is.
    """
    return resolve(read(path), path.stem)


def resolve(document: Document, name: str, below: tuple[Path, ...] = ()) -> Policy:
    """The policy in `document`.

    Args:
        document: the file, read.
        name: the policy's name.
        below: the files that extend this one, the first of them last.

    Raises:
        CouldNotRun: a policy that it extends cannot be read.
        PolicyError: it is wrong.
    """
    data = document.root.plain()
    try:
        if isinstance(data, dict) and "version" in data:
            parsed = PolicyFile.model_validate(data)
            base = extended(document, parsed.extends, below, resolve) if parsed.extends else None
            policy = _from_policy(document, name, parsed, base)
        else:
            policy = _from_options(document, name, Options.model_validate(data))
    except ValidationError as error:
        raise PolicyError(*_findings(document, data, error)) from None
    refuse_dead_entries(policy)
    return policy


def _findings(document: Document, data: Any, error: ValidationError) -> list[Finding]:
    """All errors, in the file's order. An unknown key hides other errors of its mapping, so the
    rest is validated again without it."""
    found: dict[tuple[int, int], Finding] = {}
    left = deepcopy(data)
    changed: list[Location] = []
    for _ in range(_MOST_ERRORS):
        problems: list[Any] = error.errors(include_url=False)
        for problem in problems:
            # A key may be missing now only because one was removed.
            place = tuple(problem["loc"])
            place = place[:-1] if problem["type"] == "missing" else place
            follows = any(one[: len(place)] == place for one in changed)
            if _is_unknown(problem) or not follows:
                made = _finding(document, problem)
                found.setdefault((made.line, made.column), made)
        unknown = [problem for problem in problems if _is_unknown(problem)]
        taken = [p for p in unknown if _take_out(left, tuple(p["loc"]), p["ctx"]["key"])]
        if not taken:
            break
        changed += [tuple(problem["loc"]) for problem in taken]
        try:
            (PolicyFile if "version" in left else Options).model_validate(left)
            break
        except ValidationError as next_error:
            error = next_error
    return [found[place] for place in sorted(found)][:_MOST_ERRORS]


def _is_unknown(problem: Any) -> bool:
    words = (problem.get("ctx") or {}).get("message", "")
    return problem["type"] == KIND and " is not a key of " in words and problem["ctx"]["key"] != ""


def _take_out(data: Any, location: Location, key: str) -> bool:
    """Remove `key` of the mapping at `location`. False if the mapping lacks it."""
    for step in location:
        if isinstance(data, dict):
            # Steps of the location that name an entry's kind are from the model, not from the
            # document.
            data = data.get(step, data if str(step).startswith("<") else None)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
    return isinstance(data, dict) and data.pop(key, data) is not data


def _finding(document: Document, problem: dict[str, Any]) -> Finding:
    location: Location = tuple(problem["loc"])
    context = problem.get("ctx") or {}
    if problem["type"] == KIND:
        key = context["key"]
        node = document.find((*location, key), key=True) if key else document.find(location)
        return document.finding(
            "error", node, context["message"], context["allowed"] or None, context["fix"] or None
        )
    node = document.find(location)
    name = next((str(step) for step in reversed(location) if isinstance(step, str)), "the document")
    if problem["type"] == "missing":
        return document.finding("error", node, f"`{name}` is missing here", None, f"{name}: …")
    return document.finding(
        "error", node, f"{name}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
    )


def _from_policy(document: Document, name: str, policy: PolicyFile, base: Policy | None) -> Policy:
    if policy.default is not None and policy.policy.default is not None:
        node = document.find(("policy", "default"), key=True)
        raise PolicyError(
            document.finding(
                "error",
                node,
                "`default` stands here and at the top",
                "one of them",
                "take this one out",
            )
        )
    modes: dict[Family, RuleMode] = {}
    allows: list[Allow] = []
    for family, rule_name in zip(Family, RULES, strict=True):
        rule = getattr(policy.policy, rule_name)
        modes[family] = _rule_mode(
            document, policy, rule_name, base.modes[family] if base else None
        )
        if isinstance(rule, OutboundRule | TmpRule | ProcessRule | NativeRule):
            place: Location = ("policy", rule_name, "allow")
            for i, entry in enumerate(rule.allow):
                allows += _meant(_allow(document, family, (*place, i), entry))
        if isinstance(rule, TmpRule):
            for i, entry in enumerate(rule.keep):
                kept = _allow(document, family, ("policy", rule_name, "keep", i), entry)
                allows += _meant(replace(kept, text=f"keep: {kept.text}"))
        if isinstance(rule, OutboundRule) and rule.loopback:
            allows += _loopback(document, rule.loopback)
    made = Policy(
        document,
        name,
        modes,
        allows,
        policy.allow_reconfigure,
        tuple(policy.allow_mode_override),
        policy.events.format,
        policy.events.allowed == "first",
        policy.events.emf_namespace or "",
        policy.kernel.file_size == "on",
        tests=list(_tests(document, policy)),
    )
    outbound = policy.policy.outbound_connectivity
    tmp = policy.policy.read_write_tmp
    made.tmp_ephemeral = tmp is not None and tmp.mode == EPHEMERAL
    made.loopback_listed = outbound is not None and outbound.loopback is not None
    source = policy.policy.read_handler
    if source is not None:
        made.also_source, made.quiet_readers = tuple(source.also), tuple(source.quiet)
    return inherit(made, policy, base) if base else made


_EXPECTED = {"allowed": Mode.ALLOW, "alerted": Mode.ALERT, "blocked": Mode.BLOCK}


def _tests(document: Document, policy: PolicyFile) -> Iterator[PolicyTest]:
    """Each target of each test, with its line."""
    for index, case in enumerate(policy.tests):
        for (verdict, expected), act in product(_EXPECTED.items(), ACTS):
            targets = getattr(getattr(case, verdict), act, None) or ()
            place: Location = ("tests", index, verdict, act)
            is_list = isinstance(document.find(place).plain(), list)
            for number, target in enumerate(targets):
                location = (*place, number) if is_list else place
                source = document.source(document.find(location))
                region, env = case.region or REGION, tuple((case.env or {}).items())
                yield PolicyTest(
                    location,
                    source,
                    act,
                    target,
                    expected,
                    region,
                    case.reason,
                    environment=env,
                    caller=case.caller or "",
                )


def _rule_mode(
    document: Document, policy: PolicyFile, name: str, base: RuleMode | None
) -> RuleMode:
    rule = getattr(policy.policy, name)
    if rule is not None and rule.mode is not None:
        node = document.find(("policy", name, "mode"))
        # At run time the engine knows what ephemeral allows; everything else is blocked.
        word = "block" if rule.mode == EPHEMERAL else rule.mode
        return RuleMode(Mode[word.upper()], document.source(node))
    if base is not None and base.source:
        return base
    if name in NEW_RULES:
        # Rules that FunctionShield did not have block only if the policy says so.
        return RuleMode(Mode.ALERT, "")
    for location, default in (
        (("default",), policy.default),
        (("policy", "default"), policy.policy.default),
    ):
        if default is not None:
            return RuleMode(Mode[default.upper()], document.source(document.find(location)))
    return RuleMode(Mode.BLOCK, "")


def _loopback(document: Document, ports: destinations.Ports) -> list[Allow]:
    location: Location = ("policy", RULES[Family.OUTBOUND], "loopback")
    return loopback_entries(document.source(document.find(location)), location, ports)


def loopback_entries(source: str, location: Location, ports: destinations.Ports) -> list[Allow]:
    """Entries for 127.0.0.1 and ::1 with the ports in `loopback`."""
    text = f"loopback: {destinations.write_ports(ports)}"
    return [
        Allow(Family.OUTBOUND, location, source, text, ports, network=destinations.network(address))
        for address in ("127.0.0.1/32", "::1/128")
    ]


def _meant(entry: Allow) -> list[Allow]:
    """`entry`; if it is a name for several patterns, an entry for each, with the same text."""
    if entry.family is not Family.TMP or entry.pattern != TEMPFILE:
        return [entry]
    return [replace(entry, pattern=pattern) for pattern in TEMPFILE_PATTERNS]


def _allow(
    document: Document,
    family: Family,
    location: Location,
    entry: HostEntry | CidrEntry | AwsEntry | PathEntry | LibraryEntry,
) -> Allow:
    made = _for_all(document, family, location, entry)
    if not entry.only_for:
        return made
    names = counted(entry.only_for)
    text = f"{made.text}, only_for: [{', '.join(names)}]"
    return replace(made, text=_shortened(text), only_for=names)


def _for_all(
    document: Document,
    family: Family,
    location: Location,
    entry: HostEntry | CidrEntry | AwsEntry | PathEntry | LibraryEntry,
) -> Allow:
    source = document.source(document.find(location))
    if isinstance(entry, PathEntry):
        return Allow(
            family, location, source, entry.path, pattern=entry.path, expires=entry.expires
        )
    if isinstance(entry, LibraryEntry):
        return Allow(
            family, location, source, entry.library, pattern=entry.library, expires=entry.expires
        )
    suffix = (
        ""
        if entry.ports == destinations.DEFAULT_PORTS
        else f", ports: {destinations.write_ports(entry.ports)}"
    )
    if isinstance(entry, CidrEntry):
        return Allow(
            family,
            location,
            source,
            f"cidr: {entry.cidr}{suffix}",
            entry.ports,
            entry.tls,
            network=destinations.network(entry.cidr),
            expires=entry.expires,
        )
    if isinstance(entry, AwsEntry):
        if entry.aws is not True:
            return _services_allow(family, location, source, suffix, entry)
        return aws_allow(family, location, source, f"aws: true{suffix}", entry)
    key, wildcard = destinations.host_key(entry.host)
    return Allow(
        family,
        location,
        source,
        f"host: {entry.host}{suffix}",
        entry.ports,
        entry.tls,
        hosts=(Host(key, wildcard),),
        expires=entry.expires,
    )


def aws_allow(
    family: Family, location: Location, source: str, text: str, entry: AwsEntry | None
) -> Allow:
    """All suffixes of all partitions. The engine uses those of its own partition."""
    hosts = tuple(
        Host(suffix, True, partition)
        for partition, suffixes in aws.SUFFIXES.items()
        for suffix in suffixes
    )
    if entry is None:
        return Allow(
            family, location, source, text, destinations.DEFAULT_PORTS, hosts=hosts, is_aws=True
        )
    return Allow(
        family,
        location,
        source,
        text,
        entry.ports,
        entry.tls,
        hosts=hosts,
        expires=entry.expires,
        is_aws=True,
        reason=entry.reason,
    )


def _services_allow(
    family: Family, location: Location, source: str, suffix: str, entry: AwsEntry
) -> Allow:
    """The names of single services."""
    listed = (
        {name: ServiceDetail() for name in entry.aws} if isinstance(entry.aws, list) else entry.aws
    )
    assert isinstance(listed, dict)
    hosts: dict[Host, None] = {}
    for name, detail in listed.items():
        regions = tuple(detail.regions or entry.regions or ())
        accounts = tuple(detail.accounts or entry.accounts or ())
        if name == "s3":
            for bucket in detail.buckets or []:
                hosts |= dict.fromkeys(_bucket_hosts(bucket, regions))
        else:
            hosts |= dict.fromkeys(endpoints.service_hosts(name, regions, accounts))
    parts = [
        f"s3: {{buckets: [{', '.join(d.buckets)}]}}" if d.buckets else name
        for name, d in listed.items()
    ]
    plain = all(detail.buckets is None for detail in listed.values())
    text = f"aws: [{', '.join(parts)}]" if plain else f"aws: {{{', '.join(parts)}}}"
    where = f", regions: [{', '.join(entry.regions)}]" if entry.regions else ""
    return Allow(
        family,
        location,
        source,
        _shortened(f"{text}{where}{suffix}"),
        entry.ports,
        entry.tls,
        hosts=tuple(hosts),
        expires=entry.expires,
        services=tuple(listed),
    )


def _bucket_hosts(bucket: str, regions: tuple[str, ...]) -> tuple[Host, ...]:
    plain, names = variables.taken_out(bucket)
    if not names:
        return endpoints.bucket_hosts(bucket, regions)
    kind = "bucket" if plain == variables.STAND_IN else "label"
    return tuple(
        replace(host, key=variables.put_back(host.key, names, kind))
        for host in endpoints.bucket_hosts(plain, regions)
    )


def _shortened(text: str, limit: int = 160) -> str:
    """`text` as events and tables show it."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _from_options(document: Document, name: str, options: Options) -> Policy:
    modes = {family: RuleMode(Mode.ALLOW, "") for family in Family}
    allows: list[Allow] = []
    for family, rule_name in zip(Family, OLD_RULES, strict=False):
        mode = getattr(options.policy, rule_name)
        if mode is not None:
            node = document.find(("policy", rule_name))
            modes[family] = RuleMode(Mode[mode.upper()], document.source(node))
    notes = _option_notes(document, options)
    if modes[Family.OUTBOUND].mode is not Mode.ALLOW:
        # FunctionShield's rule was 'no connections except to AWS'. The same dictionary must still
        # mean that.
        location: Location = ("policy", "outbound_connectivity")
        source = modes[Family.OUTBOUND].source
        allows.append(
            aws_allow(
                Family.OUTBOUND,
                location,
                source,
                "aws: true (FunctionShield's own exception)",
                None,
            )
        )
        notes.append(
            document.finding(
                "note",
                document.find(location, key=True),
                "AWS stays reachable, as FunctionShield had it",
                fix="with `version: 1`, AWS is allowed only where an entry says `aws: true`",
            )
        )
    return Policy(document, name, modes, allows, notes=notes)


def _option_notes(document: Document, options: Options) -> list[Finding]:
    parts = {
        "token": "`token` is no longer needed: no service takes it",
        "disable_analytics": "`disable_analytics` is no longer needed: nothing is sent anywhere",
        "cookie": "`cookie` means nothing in a file: configure() returns one at run time",
    }
    return [
        document.finding("note", document.find((key,), key=True), text, fix=f"take `{key}` out")
        for key, text in parts.items()
        if getattr(options, key) is not None
    ]
