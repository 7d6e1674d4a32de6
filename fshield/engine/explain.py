"""``fshield explain``: what the engine would say about one act, and the line that says so.

The verdict is the engine's (`fshield.engine.decide`). This module does what the doors do before
they ask for it: normalise addresses and paths, and tell whether a path is under /tmp.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fshield import programs
from fshield.engine import decide as native
from fshield.engine.check import is_compiled
from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun, Finding, PolicyError, closest, shown
from fshield.language.cases import DEFAULT_PORT
from fshield.language.destinations import host_key, write_ports
from fshield.language.loader import load
from fshield.language.model import RULES
from fshield.language.patterns import FORK
from fshield.language.policy import Family, Mode
from fshield.language.reader import Document

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ALWAYS_ALLOWED = (
    ("the Runtime API", "for the runtime client only; runtime_api judges other callers"),
    (
        "the metadata endpoint",
        "GET /2026-01-15/metadata/execution-environment at AWS_LAMBDA_METADATA_API: one whole"
        " request a connection, from any caller",
    ),
    (
        "snapshot credentials",
        "GET /2021-04-23/credentials at the Runtime API's address, where the environment said so at"
        " start",
    ),
    (
        "Node.js's init error",
        "POST /2018-06-01/runtime/init/error from the runtime's JavaScript: one whole request",
    ),
    (
        "Node.js's streamed response",
        "one for an invocation that is not answered yet, from the runtime's JavaScript",
    ),
    (
        "Node.js's next event",
        "GET /2018-06-01/runtime/invocation/next under the alternative client only",
    ),
    (
        "Java's errors",
        "the init error, and one error for an invocation that is not answered yet, from the"
        " function's own JVM",
    ),
    (
        "Java's restore",
        "GET /2018-06-01/runtime/restore/next and POST /2018-06-01/runtime/restore/error, from the"
        " function's own JVM",
    ),
    ("the X-Ray daemon", "UDP to AWS_XRAY_DAEMON_ADDRESS as it was at start"),
    ("the system resolver", "for names that a rule allows, asked absolute"),
    (
        "127.0.0.1 and ::1",
        "any port, unless `loopback` lists them; other loopback addresses need a rule",
    ),
    ("AF_UNIX sockets", "they do not leave the sandbox"),
)
ALWAYS_REFUSED = (
    ("other socket families", "all but IPv4, IPv6, UNIX and NETLINK_ROUTE, and raw sockets"),
    ("/proc/*/mem, ptrace, process_vm_writev", "on a guarded process, while any rule blocks"),
    ("the event pipe", "closing, replacing or re-opening it"),
    (
        "loader variables of a child",
        "LD_PRELOAD, LD_AUDIT, GLIBC_TUNABLES and their like are taken out",
    ),
)

_REASONS = {
    "no_rule": "no allow entry matches",
    "rule": "an allow entry matches",
    "mode_allow": "the rule's mode is allow",
    "always": "always let through",
    "port": "an entry matches the destination, but not this port",
    "malformed": "this cannot be judged",
    "variable": "an entry would match, were its variable set to this at start",
    "only_for": "an entry matches, and counts for other callers only",
    "unguardable": "the guard cannot be loaded into it, and no entry allows that",
}


_CHILD = "the child is guarded as its parent is; it needs memory and fds of its own"
_PROBATION = (
    "where an entry allows a program, a fork passes to start one: until it does, the child may"
    " neither fork nor use the network"
)


@dataclass(frozen=True)
class Answer:
    """One rule's verdict on an act.

    Args:
        rule_name: the rule that was asked; None if no rule judges such an act.
        verdict: the engine's answer; None if no rule judges such an act.
        note: a remark, or None.
        by: ``name`` or ``address``, if an entry for destinations matched.
        lookalike: what a destination that merely looks like this one would need to pass.
    """

    rule_name: str | None
    verdict: native.Verdict | None
    note: str | None = None
    by: str | None = None
    lookalike: str | None = None

    @property
    def mode(self) -> Mode:
        """The mode that would apply."""
        return self.verdict.mode if self.verdict else Mode.ALLOW

    @property
    def why(self) -> str:
        """The reason in words."""
        if self.verdict is None:
            return self.note or "no rule judges this"
        if self.verdict.reason == "only_for" and self.only_for:
            return f"an entry matches, and counts for {', '.join(self.only_for)} only"
        return _REASONS.get(self.verdict.reason, self.verdict.reason)

    @property
    def only_for(self) -> tuple[str, ...]:
        """The `only_for` of the entry that decided, or that would have if it were for this caller.
        Empty: all callers.
        """
        entry = self.verdict.entry if self.verdict else None
        return entry.only_for if entry else ()

    @property
    def source(self) -> str | None:
        """``FILE:LINE`` of what decided: the entry, or else the rule's mode."""
        return (self.verdict.source or self.verdict.mode_source) if self.verdict else None

    def as_dict(self) -> dict[str, Any]:
        """The answer for ``--json``. `rule` is the allow entry that decided, as in events."""
        verdict = self.verdict
        return {
            "policy": self.rule_name,
            "mode": self.mode.name.lower(),
            "policy_mode": verdict.policy_mode.name.lower() if verdict else "allow",
            "reason": verdict.reason if verdict else "no_rule_looks",
            "rule": verdict.source if verdict else None,
            "rule_text": verdict.text if verdict else None,
            "source": self.source,
            "mode_rule": verdict.mode_source if verdict else None,
            "note": self.note,
            **({"only_for": [*self.only_for]} if self.only_for else {}),
            **({"by": self.by, "ports": self.ports, "tls": self.tls} if self.by else {}),
            **({"lookalike": self.lookalike} if self.lookalike else {}),
        }

    @property
    def ports(self) -> str | None:
        """The ports of the entry, in the policy's spelling."""
        entry = self.verdict.entry if self.verdict else None
        return write_ports(entry.ports) if entry and entry.ports else None

    @property
    def tls(self) -> str | None:
        """What the entry says about TLS."""
        return self.verdict.entry.tls if self.verdict and self.verdict.entry else None


@dataclass(frozen=True)
class Subject:
    """The policy to ask: compiled, and its source if that is known."""

    compiled: native.Compiled
    documents: Mapping[str, Document]

    def line(self, source: str | None) -> str | None:
        """The text of the line that `source` names, if the policy was read from YAML."""
        file, _, number = (source or "").rpartition(":")
        if file not in self.documents:
            return None
        lines = self.documents[file].lines
        return lines[int(number) - 1].strip() if int(number) <= len(lines) else None


def subject(path: Path) -> Subject:
    """The policy in `path`, YAML or compiled.

    Raises:
        CouldNotRun: it cannot be read, or there is no decide library.
        PolicyError: it is wrong.
    """
    if is_compiled(path):
        try:
            return Subject(native.Compiled(native.read_compiled(path)), {})
        except ValueError as error:
            raise PolicyError(
                Finding(
                    "error",
                    str(path),
                    1,
                    1,
                    f"the engine refuses this policy: {error}",
                    fix="compile it again",
                )
            ) from None
    policy = load(path)
    return Subject(native.Compiled(compile_policy(policy)), policy.documents())


def connect(
    policy: native.Compiled, target: str, facts: native.Facts, caller: str = ""
) -> list[Answer]:
    """The verdict on a connection to `target` (``HOST:PORT``). Raises CouldNotRun otherwise."""
    host, port = split_target(target)
    try:
        ip = plain_address(host)
    except ValueError:
        try:
            key, wildcard = host_key(host)
        except ValueError as error:
            context = getattr(error, "context", None) or {}
            raise CouldNotRun(str(error), context.get("fix") or None) from None
        if wildcard:
            raise CouldNotRun(f"{shown(host)} is a pattern", "name one host") from None
        if key == "localhost":
            return [
                Answer(
                    RULES[Family.OUTBOUND],
                    policy.decide(Family.OUTBOUND, ip=ipaddress.ip_address("127.0.0.1"), port=port),
                )
            ]
        verdict = policy.decide(
            Family.OUTBOUND, names=(key,), port=port, facts=facts, caller=caller
        )
        note = (
            "the address that a lookup of this name returned is allowed with it"
            if verdict.source
            else None
        )
        by = "name" if verdict.text else None
        return [
            Answer(
                RULES[Family.OUTBOUND], verdict, note, by, _lookalike(policy, key, port, verdict)
            )
        ]
    verdict = policy.decide(Family.OUTBOUND, ip=ip, port=port, facts=facts, caller=caller)
    note = (
        "bare IP address; allowed only if the function resolved it from an allowed name"
        if verdict.mode is not Mode.ALLOW
        else None
    )
    by = "address" if verdict.text else None
    lookalike = (
        "any name at this address will do: addresses are not looked into"
        if verdict.source
        else None
    )
    return [Answer(RULES[Family.OUTBOUND], verdict, note, by, lookalike)]


def _lookalike(policy: native.Compiled, key: str, port: int, verdict: native.Verdict) -> str | None:
    """What another name at the same address, or a lookalike of this name, would need to pass."""
    if verdict.reason == "mode_allow":
        return None
    if not verdict.source:
        names = {
            f"*.{name}" if wildcard else name: source for name, wildcard, source in policy.names()
        }
        near = closest(key, names) if verdict.text is None else None
        written = f"the closest is {near} ({names[near]}); " if near else ""
        return (
            f"{written}this one would need an entry of its own: host: {key}"
            if verdict.text is None
            else None
        )
    line = verdict.source
    tls = verdict.entry.tls if verdict.entry else None
    if tls == "required" or (tls is None and port == 443):
        return (
            f"another name at this address would have to be one that {line} allows: the TLS server"
            " name is read"
        )
    if tls is None and port == 80:
        return (
            f"another name at this address would have to be one that {line} allows: `Host` is read"
        )
    why = f"tls: {tls}" if tls else "no `tls:`, and the port is neither 443 nor 80"
    return f"any name at this address will do: nothing is read here ({why})"


def open_path(policy: native.Compiled, target: str, caller: str = "") -> list[Answer]:
    """The verdicts on a file. Links are not followed, because this machine's links are not the
    function's.
    """
    path = clean_path(target)
    if path == "/tmp" or path.startswith("/tmp/"):
        verdict = policy.decide(Family.TMP, path=path, caller=caller)
        ends = policy.tmp_ephemeral and verdict.mode is Mode.BLOCK
        note = "what the same invocation made there passes, and is removed when it ends"
        return [Answer(RULES[Family.TMP], verdict, note if ends else None)]
    source = policy.decide(Family.HANDLER, path=path)
    return [
        Answer(None, None, "read_write_tmp judges /tmp only"),
        Answer(RULES[Family.HANDLER], source, "only where this is the handler's own source"),
    ]


def execute(
    policy: native.Compiled, target: str, caller: str = "", *, look: bool = False
) -> list[Answer]:
    """The verdict on starting a program, by its resolved path.

    Args:
        policy: what is asked.
        target: the program, or `FORK`.
        caller: whose code starts it.
        look: also inspect the file, if this machine has it. A policy's tests do not, because
            results would differ between machines.
    """
    path = target if target == FORK else clean_path(target)
    verdict = policy.decide(Family.PROCESS, path=path, caller=caller)
    if path == FORK:
        note = _CHILD if verdict.source else _PROBATION if verdict.mode is Mode.BLOCK else None
        return [Answer(RULES[Family.PROCESS], verdict, note)]
    found = programs.unguardable(path) if look else programs.known(path)
    blocked = verdict.mode is Mode.BLOCK
    if found is None or (blocked and not found.sure) or Mode.ALLOW is max(policy.modes.values()):
        return [Answer(RULES[Family.PROCESS], verdict)]
    reason = f"{found.why}; instead: {found.instead}"
    if not found.sure:
        note = f"refused where the guard cannot be loaded into it: {reason}"
        return [Answer(RULES[Family.PROCESS], verdict, note)]
    # As guard_integrity() of the core: blocked where any rule blocks.
    verdict = replace(verdict, mode=max(policy.modes.values()), reason="unguardable")
    return [Answer(RULES[Family.PROCESS], verdict, reason)]


def look_up(
    policy: native.Compiled, target: str, facts: native.Facts, caller: str = ""
) -> list[Answer]:
    """The verdict on a lookup of a name. Raises CouldNotRun for other text."""
    try:
        key, wildcard = host_key(target)
    except ValueError as error:
        context = getattr(error, "context", None) or {}
        raise CouldNotRun(str(error), context.get("fix") or None) from None
    if wildcard:
        raise CouldNotRun(f"{shown(target)} is a pattern", "name one host")
    verdict = policy.decide(Family.OUTBOUND, names=(key,), facts=facts, caller=caller, look_up=True)
    return [Answer(RULES[Family.OUTBOUND], verdict, by="name" if verdict.text else None)]


def load_code(policy: native.Compiled, target: str, caller: str = "") -> list[Answer]:
    """The verdict on loading machine code: a module by its name (and its parents' names), or a
    library by its resolved path.
    """
    names = [target]
    if "/" in target:
        names = [clean_path(target)]
    else:
        names += [target.rsplit(".", count)[0] for count in range(1, target.count(".") + 1)]
    verdicts = [policy.decide(Family.NATIVE, path=name, caller=caller) for name in names]
    chosen = next((one for one in verdicts if one.mode is Mode.ALLOW), verdicts[0])
    return [Answer(RULES[Family.NATIVE], chosen)]


def read_source(policy: native.Compiled, target: str, caller: str = "") -> list[Answer]:
    """The verdict on reading a file of the handler's own source."""
    verdict = policy.decide(Family.HANDLER, path=clean_path(target))
    return [Answer(RULES[Family.HANDLER], verdict, "where this is the handler's own source")]


def split_target(target: str) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT``, ``ADDRESS`` or ``[ADDRESS]:PORT``; the default port is 443.
    Raises CouldNotRun."""
    form = "HOST:PORT, as in api.stripe.com:443 or [2001:db8::1]:443"
    host, port = target, str(DEFAULT_PORT)
    if "://" in target:
        raise CouldNotRun(f"{shown(target)} is a URL", form)
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(.*))?", target)
    if bracketed:
        host, port = bracketed[1], port if bracketed[2] is None else bracketed[2]
    elif target.count(":") == 1:
        host, _, port = target.partition(":")
    elif ":" in target and (not _is_address(target) or _is_address(target.rpartition(":")[0])):
        raise CouldNotRun(f"{shown(target)} can be read in two ways", form)
    if not host:
        raise CouldNotRun(f"{shown(target)} has no host", form)
    if not port.isascii() or not port.isdigit() or not 1 <= int(port[:6]) <= 65535:
        raise CouldNotRun(f"{shown(port)} is not a port", "a number from 1 to 65535")
    return host, int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def plain_address(text: str) -> Address:
    """Normalise an address as the engine does: IPv4-mapped IPv6 becomes IPv4, and 'any' becomes
    loopback. Raises ValueError.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if int(address) == 0:
        return ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return address


def clean_path(text: str) -> str:
    """`text` without ``.``, ``..`` and doubled slashes. Raises CouldNotRun if it is not
    absolute.
    """
    if not text.startswith("/") or "\0" in text:
        raise CouldNotRun(
            f"{shown(text)} is not an absolute path",
            "the path as the function sees it: /usr/bin/uname",
        )
    return "/" + posixpath.normpath(text).lstrip("/")
