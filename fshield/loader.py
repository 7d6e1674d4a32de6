"""From a policy file to a policy: reads, validates, resolves, and refuses what can never match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fshield import aws, destinations, endpoints, variables
from fshield.aws_services import ServiceDetail
from fshield.cases import ACTS
from fshield.errors import Finding, PolicyError
from fshield.extending import extended, inherit
from fshield.model import (
    NEW_RULES,
    OLD_RULES,
    RULES,
    AwsEntry,
    CidrEntry,
    HostEntry,
    LibraryEntry,
    NativeRule,
    Options,
    OutboundRule,
    PathEntry,
    PolicyFile,
    ProcessRule,
    TmpRule,
)
from fshield.policy import Allow, Family, Host, Mode, Policy, PolicyTest, RuleMode
from fshield.reader import Document, Location, read
from fshield.review import refuse_dead_entries
from fshield.wrong import KIND

# The region that a test or a question thinks of where it names none.
REGION = "us-east-1"


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
        raise PolicyError(_first_finding(document, error)) from None
    refuse_dead_entries(policy)
    return policy


def _first_finding(document: Document, error: ValidationError) -> Finding:
    """The error that stands first in the file: one at a time is what people mend."""
    found = [_finding(document, dict(problem)) for problem in error.errors(include_url=False)]
    return min(found, key=lambda finding: (finding.line, finding.column))


def _finding(document: Document, problem: dict[str, Any]) -> Finding:
    location: Location = tuple(problem["loc"])
    context = problem.get("ctx") or {}
    if problem["type"] == KIND:
        key = context["key"]
        node = document.find((*location, key), key=True) if key else document.find(location)
        return document.finding("error", node, context["message"], context["allowed"] or None, context["mend"] or None)
    node = document.find(location)
    name = next((str(step) for step in reversed(location) if isinstance(step, str)), "the document")
    if problem["type"] == "missing":
        return document.finding("error", node, f"`{name}` is missing here", None, f"{name}: …")
    return document.finding("error", node, f"{name}: {problem['msg'][:1].lower()}{problem['msg'][1:]}")


def _from_policy(document: Document, name: str, policy: PolicyFile, base: Policy | None) -> Policy:
    if policy.default is not None and policy.policy.default is not None:
        node = document.find(("policy", "default"), key=True)
        raise PolicyError(
            document.finding("error", node, "`default` stands here and at the top", "one of them", "take this one out")
        )
    modes: dict[Family, RuleMode] = {}
    allows: list[Allow] = []
    for family, rule_name in zip(Family, RULES, strict=True):
        rule = getattr(policy.policy, rule_name)
        modes[family] = _rule_mode(document, policy, rule_name, base.modes[family] if base else None)
        if isinstance(rule, OutboundRule | TmpRule | ProcessRule | NativeRule):
            place: Location = ("policy", rule_name, "allow")
            allows += [_allow(document, family, (*place, i), entry) for i, entry in enumerate(rule.allow)]
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
    made.loopback_listed = outbound is not None and outbound.loopback is not None
    return inherit(made, policy, base) if base else made


_EXPECTED = {"allowed": Mode.ALLOW, "alerted": Mode.ALERT, "blocked": Mode.BLOCK}


def _tests(document: Document, policy: PolicyFile) -> Iterator[PolicyTest]:
    """Each target of each test, with the line that it stands on."""
    for index, case in enumerate(policy.tests):
        for (verdict, expected), act in product(_EXPECTED.items(), ACTS):
            targets = getattr(getattr(case, verdict), act, None) or ()
            place: Location = ("tests", index, verdict, act)
            is_list = isinstance(document.find(place).plain(), list)
            for number, target in enumerate(targets):
                location = (*place, number) if is_list else place
                source = document.source(document.find(location))
                region, env = case.region or REGION, tuple((case.env or {}).items())
                yield PolicyTest(location, source, act, target, expected, region, case.reason, environment=env)


def _rule_mode(document: Document, policy: PolicyFile, name: str, base: RuleMode | None) -> RuleMode:
    rule = getattr(policy.policy, name)
    if rule is not None and rule.mode is not None:
        node = document.find(("policy", name, "mode"))
        return RuleMode(Mode[rule.mode.upper()], document.source(node))
    if base is not None and base.source:
        return base
    if name in NEW_RULES:
        # Rules that came after the four of FunctionShield never block what nobody asked them to.
        return RuleMode(Mode.ALERT, "")
    for location, default in ((("default",), policy.default), (("policy", "default"), policy.policy.default)):
        if default is not None:
            return RuleMode(Mode[default.upper()], document.source(document.find(location)))
    return RuleMode(Mode.BLOCK, "")


def _loopback(document: Document, ports: destinations.Ports) -> list[Allow]:
    location: Location = ("policy", RULES[Family.OUTBOUND], "loopback")
    return loopback_entries(document.source(document.find(location)), location, ports)


def loopback_entries(source: str, location: Location, ports: destinations.Ports) -> list[Allow]:
    """127.0.0.1 and ::1 as entries: what the rule allows where it lists their ports."""
    text = f"loopback: {destinations.write_ports(ports)}"
    return [
        Allow(Family.OUTBOUND, location, source, text, ports, network=destinations.network(address))
        for address in ("127.0.0.1/32", "::1/128")
    ]


def _allow(
    document: Document,
    family: Family,
    location: Location,
    entry: HostEntry | CidrEntry | AwsEntry | PathEntry | LibraryEntry,
) -> Allow:
    source = document.source(document.find(location))
    if isinstance(entry, PathEntry):
        return Allow(family, location, source, entry.path, pattern=entry.path, expires=entry.expires)
    if isinstance(entry, LibraryEntry):
        return Allow(family, location, source, entry.library, pattern=entry.library, expires=entry.expires)
    suffix = "" if entry.ports == destinations.DEFAULT_PORTS else f", ports: {destinations.write_ports(entry.ports)}"
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


def aws_allow(family: Family, location: Location, source: str, text: str, entry: AwsEntry | None) -> Allow:
    """All suffixes of all partitions: the engine takes those of the partition that it runs in."""
    hosts = tuple(Host(suffix, True, partition) for partition, suffixes in aws.SUFFIXES.items() for suffix in suffixes)
    if entry is None:
        return Allow(family, location, source, text, destinations.DEFAULT_PORTS, hosts=hosts, is_aws=True)
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


def _services_allow(family: Family, location: Location, source: str, suffix: str, entry: AwsEntry) -> Allow:
    """The names of single services."""
    listed = {name: ServiceDetail() for name in entry.aws} if isinstance(entry.aws, list) else entry.aws
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
    said = [f"s3: {{buckets: [{', '.join(d.buckets)}]}}" if d.buckets else name for name, d in listed.items()]
    plain = all(detail.buckets is None for detail in listed.values())
    text = f"aws: [{', '.join(said)}]" if plain else f"aws: {{{', '.join(said)}}}"
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
        replace(host, key=variables.put_back(host.key, names, kind)) for host in endpoints.bucket_hosts(plain, regions)
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
        # FunctionShield's rule was 'no connection but to AWS'; the same dictionary must go on meaning that.
        location: Location = ("policy", "outbound_connectivity")
        source = modes[Family.OUTBOUND].source
        allows.append(aws_allow(Family.OUTBOUND, location, source, "aws: true (FunctionShield's own exception)", None))
        notes.append(
            document.finding(
                "note",
                document.find(location, key=True),
                "AWS stays reachable, as FunctionShield had it",
                mend="with `version: 1`, AWS is allowed only where an entry says `aws: true`",
            )
        )
    return Policy(document, name, modes, allows, notes=notes)


def _option_notes(document: Document, options: Options) -> list[Finding]:
    said = {
        "token": "`token` is no longer needed: there is nobody to give it to",
        "disable_analytics": "`disable_analytics` is no longer needed: nothing is sent anywhere",
        "cookie": "`cookie` means nothing in a file: configure() returns one at run time",
    }
    return [
        document.finding("note", document.find((key,), key=True), text, mend=f"take `{key}` out")
        for key, text in said.items()
        if getattr(options, key) is not None
    ]
