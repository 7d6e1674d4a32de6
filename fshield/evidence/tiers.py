"""Decides what is learnt without asking, and what is held back until a person accepts it by name.

Acts are learnt if the function's own code asked for them, or if packages are known to do them. Acts
are held back if they allow more than they seem to (shells, interpreters, metadata addresses,
lookalikes), or if no known caller asked for them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from fshield.errors import shown
from fshield.evidence.acts import Act, Evidence, Seen, no_exception
from fshield.evidence.callers import Caller
from fshield.evidence.dependencies import CallerNames
from fshield.evidence.known import (
    ADAPTERS,
    ANYTHING,
    CALLERS,
    CARRIERS,
    CONNECTORS,
    DISTRIBUTIONS,
    FORKERS,
    HELPERS,
    HINTS,
    METADATA,
    NATIVE,
    PACKAGE_MANAGERS,
    POOLS,
    SHELLS,
    SOURCE_READERS,
    SPOOLERS,
    THREADED,
    VENDORS,
)
from fshield.evidence.lookalike import domain, imitated_host, imitated_package
from fshield.evidence.own_region import is_of_aws
from fshield.evidence.own_text import OwnText
from fshield.language.callers import ONLY_FOR_WORDS
from fshield.language.destinations import host_key
from fshield.language.model import Entry, LibraryEntry, ProgramEntry, TmpEntry
from fshield.language.patterns import FORK, TEMPFILE_PATTERNS

_LONG_LABEL = 40
_MANY_LABELS = 8
_MUCH_MORE = 10
#: `Caller.words` where not even a carrier is on the stack.
_NOBODY = Caller("", "nobody").words
#: What SQLite adds to a database's name. https://www.sqlite.org/tempfiles.html
SQLITE = ("-journal", "-wal", "-shm")


@dataclass(frozen=True)
class Held:
    """An act that is not learnt.

    Args:
        act, seen: the act, and how it was seen.
        why: in words.
        accept: the argument of ``--accept`` that learns it; None if no exception exists.
        own: the argument of ``--own``, if the caller may be the function's own code; else "".
    """

    act: Act
    seen: Seen
    why: str
    accept: str | None
    own: str = ""

    @property
    def hint(self) -> str:
        """What to do about it, if packages are known for the act; else ""."""
        names = sorted({name for chain in self.seen.chains for name in chain[:1]})
        names += sorted(self.seen.libraries)
        rule = self.act.rule
        if rule == "outbound_connectivity":  # the innermost package often only carries it
            names += sorted({name for chain in self.seen.chains for name in chain[1:]})
        return next((HINTS[rule, name] for name in names if (rule, name) in HINTS), "")


@dataclass
class Tiers:
    """Decides for each act of `evidence`.

    Args:
        evidence: all of it, because only its end shows which code is the function's and which names
            are common.
        accepted: acts that the user accepts, as `Act.place`.
        trusted: packages that the user lets act by themselves.
        text: what the function's own code and configuration name.
    """

    evidence: Evidence
    accepted: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    text: OwnText = field(default_factory=OwnText)
    used: set[str] = field(default_factory=set)
    _counts: dict[str, list[int]] | None = None
    _ranked: list[tuple[int, str]] = field(default_factory=list)
    _files: dict[str, Seen] | None = None
    _folders: dict[str, list[Seen]] = field(default_factory=dict)
    _made: set[str] | None = None

    @cached_property
    def caller_names(self) -> CallerNames:
        """What finds the names for ``only_for``."""
        return CallerNames(self.evidence, self.text.requires)

    def callers_of(self, seen: Seen) -> list[tuple[Caller, int]]:
        """The callers and their counts, the most frequent first."""
        found: dict[Caller, int] = {}
        for chain, count in seen.chains.items():
            caller = self.evidence.packages.of(chain)
            found[caller] = found.get(caller, 0) + count
        return sorted(found.items(), key=lambda item: (-item[1], item[0].words))

    def held(self, act: Act, seen: Seen) -> Held | None:
        """Why `act` is held back; None if it is learnt."""
        refused = no_exception(act)
        if refused:
            return Held(act, seen, refused, None)
        if act.rule in ("read_handler", "runtime_api"):
            if self.accepts(act.rule):
                return None
            return Held(
                act,
                seen,
                "this rule takes no exception: accepted, the rule's mode becomes alert",
                act.rule,
            )
        unfit = _unfit(act)
        if unfit:
            return Held(act, seen, unfit, None)
        by_target = self.by_target(act)
        why = by_target or self._why(act, seen)
        if why is None or self.accepts(act.place):
            return None
        if by_target:
            return Held(act, seen, why, act.place)
        callers = (caller for caller, _ in self.callers_of(seen))
        own = next(
            (
                c.driver or c.name
                for c in callers
                if c.kind != "own" and self.evidence.packages.unsure(c.driver or c.name)
            ),
            "",
        )
        return Held(act, seen, why, act.place, own if imitated_package(own) is None else "")

    def source_readers(self, act: Act, seen: Seen) -> set[str]:
        """The distributions that read the handler's source, if all of them are known to work
        without it. Empty if the user accepts the read.
        """
        packages = {chain[0] if chain else "" for chain in seen.chains}
        known = packages <= SOURCE_READERS.keys() and not seen.imported
        if act.rule != "read_handler" or not known:
            return set()
        return set() if self.accepts(act.rule) else {SOURCE_READERS[name] for name in packages}

    def unused(self) -> list[str]:
        """What was accepted but matched nothing: most likely a typing error."""
        return sorted(self.accepted - self.used)

    def accepts(self, place: str) -> bool:
        """Whether the user accepted it by name."""
        if place not in self.accepted:
            return False
        self.used.add(place)
        return True

    def _why(self, act: Act, seen: Seen) -> str | None:
        callers = [caller for caller, _ in self.callers_of(seen)]
        if self.text.names(act, seen) or any(
            caller.kind == "own"
            or {caller.driver, caller.name or "".join(caller.through[-1:])} & self.trusted
            or _usual(act, caller)
            or _by_library(act, seen, caller)
            for caller in callers
        ):
            driver = self._driver(act, seen)
            reason = f"an entry allows it to others, and {shown(driver)[1:-1]} asked for it"
            return reason if driver else None
        if (
            act.rule == "read_write_tmp"
            and all(caller.kind == "nobody" for caller in callers)
            and self.beside(act)
        ):
            return None
        return self._by_caller(seen) or _by_first(callers)

    def _by_caller(self, seen: Seen) -> str | None:
        """The reason to hold back an act of a dependency that may have acted by itself, although
        the function is on the stack.
        """
        for chain in seen.chains:
            caller = self.evidence.packages.of(chain)
            own = next((name for name in chain if name in self.evidence.packages.own), "")
            name = caller.driver or caller.name
            if own and name and caller.kind != "own" and imitated_package(name) is None:
                own, name = (shown(each)[1:-1] for each in (own, name))
                return f"only {name} asked for it: {own} called it, and may not have chosen this"
        return None

    def _driver(self, act: Act, seen: Seen) -> str:
        """A dependency that the engine names as the caller, if an entry is for others: it may have
        used one that the entry is for. "" if there is none.
        """
        return next(
            (
                name
                for name in sorted(seen.others)
                if name not in (*ONLY_FOR_WORDS, *_GO_BETWEENS, *map(_plain, self.trusted))
                and not _usual(act, Caller(name.replace("-", "_"), "dependency"))
            ),
            "",
        )

    def beside(self, act: Act) -> list[Seen]:
        """If `act` is about a file that a C library touches next to another one (sqlite's journal,
        the folder): the files of that kind that the function asked for. Files that a package asked
        for count only if they have a journal. Else empty.
        """
        if self._files is None:
            opened = {
                other.target: seen
                for other, seen in self.evidence.acts.items()
                if other.rule == "read_write_tmp"
            }
            self._files = {
                path: seen
                for path, seen in opened.items()
                if self.text.names(Act("read_write_tmp", path), seen)
                or any(
                    caller.kind == "own"
                    or (
                        _usual(Act("read_write_tmp", path), caller)
                        and any(path + end in opened for end in SQLITE)
                    )
                    for caller, _ in self.callers_of(seen)
                )
            }
            for path, seen in self._files.items():
                self._folders.setdefault(path.rpartition("/")[0], []).append(seen)
        base = next((act.target[: -len(end)] for end in SQLITE if act.target.endswith(end)), None)
        if base in self._files:
            return [self._files[base]]
        return self._folders.get(act.target, [])

    def is_in_own_folder(self, act: Act, seen: Seen) -> bool:
        """Whether nobody is known to have asked for a path in a folder that the function's own code
        made with a generated name, as by `mkdtemp`: children and Node's streams show no caller.
        """
        unknown = all(caller.words == _NOBODY for caller, _ in self.callers_of(seen))
        if act.rule != "read_write_tmp" or not unknown or self.by_target(act):
            return False
        if self._made is None:
            self._made = {
                other.target
                for other, one in self.evidence.acts.items()
                if other.rule == "read_write_tmp" and "?" in one.pattern == other.target
                if any(caller.kind == "own" for caller, _ in self.callers_of(one))
            }
        parts = act.target.split("/")
        return any("/".join(parts[:count]) in self._made for count in range(3, len(parts)))

    def by_target(self, act: Act) -> str | None:
        """Why the target itself is suspicious, regardless of the caller; else None."""
        if act.rule == "outbound_connectivity":
            return self._host(act)
        if act.rule == "create_child_process":
            return _program(act.target)
        if act.target.startswith(("/proc", "/sys", "/dev")):
            return "it is the kernel's, and shows or changes this process and others"
        if act.rule == "read_write_tmp" and ("*" in act.target or "?" in act.target):
            examples = [
                text for seen in (self.evidence.acts.get(act),) if seen for text in seen.examples
            ]
            if any(mark in text for text in examples for mark in "*?"):
                return "its name has a `*` or `?` in it, which a policy reads as a pattern"
        return None

    def _host(self, act: Act) -> str | None:
        if act.target in METADATA:
            return f"it is {METADATA[act.target]}: any code that reaches it has its credentials"
        address = act.address
        if address is not None:
            if address.is_link_local:
                return "a link-local address: metadata services have such"
            return (
                None
                if address.is_private or address.is_loopback
                else "an address outside that no name led to"
            )
        if (
            any(len(label) > _LONG_LABEL for label in act.target.split("."))
            or act.target.count(".") >= _MANY_LABELS
        ):
            return "names as long as this carry data to the domain's name server"
        like = imitated_host(act.target, self._more_frequent(domain(act.target)))
        return f"it looks like {like} and is not" if like else None

    def _more_frequent(self, name: str) -> frozenset[str]:
        """Domains that the function's own code asks for much more often than for `name`. Only those
        can be what `name` imitates.
        """
        if self._counts is None:
            self._counts = {}
            for act, seen in self.evidence.acts.items():
                if act.rule == "outbound_connectivity" and act.address is None and act.target:
                    own = any(caller.kind == "own" for caller, _ in self.callers_of(seen))
                    common = self._counts.setdefault(domain(act.target), [0, 0])
                    common[0] += seen.count
                    common[1] += seen.count if own else 0
            self._ranked = sorted((own, name) for name, (_, own) in self._counts.items())
        often = self._counts.get(name, [0, 0])[0] * _MUCH_MORE
        # A fleet has many names, but few that are so frequent.
        begin = bisect_left(self._ranked, (often, ""))
        return frozenset(other for _, other in self._ranked[begin:] if other != name)


def _plain(package: str) -> str:
    return DISTRIBUTIONS.get(package, package).replace("_", "-").lower()


#: Leave out packages that call functions, and carriers.
_GO_BETWEENS = frozenset(map(_plain, CALLERS | ADAPTERS | CARRIERS))


def _program(path: str) -> str | None:
    name = path.rpartition("/")[2]
    base = name.rstrip("0123456789.-") or name
    if path.startswith(("/tmp/", "/var/tmp/", "/dev/shm/", "/mnt/")):
        return "it lies where it can be written to: who writes there decides what runs"
    if path.startswith("/proc/"):
        return "/proc is not a place for programs"
    if base in SHELLS or name in SHELLS:
        return "a shell runs whatever it is told"
    if base in PACKAGE_MANAGERS or name in PACKAGE_MANAGERS:
        return "a package manager brings programs in and runs them"
    if base in ANYTHING or name in ANYTHING:
        return "it runs, fetches or sends whatever it is told"
    return None


def _is_told(act: Act) -> bool:
    """Whether a package does this where, or when, its caller says. Helper programs only report
    about the system, and libraries load when they are imported.
    """
    return act.rule in ("outbound_connectivity", "read_write_tmp") or act.target == FORK


def _usual(act: Act, caller: Caller) -> bool:
    """Whether packages are known to do this by themselves."""
    names = {caller.name, *caller.through} - {""}
    if caller.driver and _is_told(act):
        return False
    if act.rule == "native_code":
        return act.module in NATIVE
    if caller.kind == "nobody" and caller.through:
        # A transfer runs in a thread of the carrier, without other code on the stack. Of boto3's,
        # often only urllib3 is there. But urllib3 alone also runs in a thread that any code began.
        last = caller.through[-1]
        if last in THREADED or (last == "urllib3" and is_of_aws(act.target)):
            return True
    if act.rule == "create_child_process":
        if act.target == FORK:
            return not names.isdisjoint(FORKERS)
        program = act.target.rpartition("/")[2]
        return any(program in HELPERS.get(name, ()) for name in names)
    if act.rule == "read_write_tmp":
        if caller.kind == "nobody":
            return act.target in TEMPFILE_PATTERNS and not POOLS.isdisjoint(caller.through[-1:])
        return caller.name in SPOOLERS
    if act.rule == "outbound_connectivity" and act.address is None:
        if caller.name in CONNECTORS or (caller.through and caller.through[-1] in CONNECTORS):
            return True
        domains = [known for name in names for known in VENDORS.get(name, ())]
        return any(act.target == known or act.target.endswith("." + known) for known in domains)
    return False


def _by_library(act: Act, seen: Seen, caller: Caller) -> bool:
    """Whether a carrier's C library reached a host. It works without the interpreter, so no caller
    is on the stack.
    """
    carried = caller.kind == "nobody" and caller.through and caller.through[-1] in seen.libraries
    return bool(carried) and act.rule == "outbound_connectivity"


def _by_first(callers: Iterable[Caller]) -> str:
    caller = next(iter(callers), Caller("", "nobody"))
    name = caller.driver or caller.name
    like = imitated_package(name) if name else None
    if like:
        return f"only {shown(name)[1:-1]} asked for it, which looks like {like} and is not"
    if name:
        if name == "__main__":
            return "code without a file asked for it"
        return f"only {shown(name)[1:-1]} asked for it: no event shows that the function did"
    if caller.through:
        return f"{shown(caller.through[-1])[1:-1]} carried it, for an unknown caller"
    return "an unknown caller asked for it: a child, a thread or a library shows none on its stack"


def _unfit(act: Act) -> str | None:
    """Why no entry can allow it, or None."""
    if act.rule == "outbound_connectivity":
        if not act.target:
            return "neither name nor address is known"
        if not act.port:
            return (
                "only looked up, at no known port, and never dialled: `fshield fix` writes its"
                " entry"
            )
        return None if act.address is not None or _is_name(act.target) else "no entry can name it"
    models: dict[str, type[Entry]] = {
        "read_write_tmp": TmpEntry,
        "create_child_process": ProgramEntry,
        "native_code": LibraryEntry,
    }
    value = act.place if act.rule == "native_code" else act.target
    try:
        models[act.rule].model_validate(value)
    except ValueError:
        return "no entry can name it"
    return None


def _is_name(text: str) -> bool:
    try:
        return host_key(text) == (text, False)
    except ValueError:
        return False
