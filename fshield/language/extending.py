"""``extends:``: a policy that inherits from another one.

Settings that the extending policy leaves out are inherited. Its allow entries and tests are added
to the inherited ones. So an entry cannot be removed, and a test of the base applies to every policy
that extends it. One kind of entry is not inherited: modules under `native_code`, if the base has
`alert` and the extending policy has `block`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fshield.errors import CouldNotRun, PolicyError
from fshield.language.model import PolicyFile
from fshield.language.policy import Allow, Family, Mode, Policy
from fshield.language.reader import Document, read

MAX_DEPTH = 8


def extended(
    document: Document,
    named: str,
    below: tuple[Path, ...],
    resolve: Callable[[Document, str, tuple[Path, ...]], Policy],
) -> Policy:
    """The policy that `document` extends.

    Args:
        document: the extending file.
        named: the value of `extends`.
        below: the files that extend `document`.
        resolve: makes a policy of a file.

    Raises:
        PolicyError: it does not exist, extends itself in a circle, or is wrong.
        CouldNotRun: it cannot be read.
    """
    node = document.find(("extends",))

    def refuse(message: str, allowed: str, fix: str | None = None) -> PolicyError:
        return PolicyError(document.finding("error", node, message, allowed, fix))

    own = Path(document.file)
    path = own.parent / named
    chain = (*below, own.resolve())
    if not path.is_file():
        raise refuse(
            f"there is no file {path}",
            "a policy in YAML, relative to this file",
            "extends: default.yaml",
        )
    if path.resolve() in chain:
        raise refuse(
            "the policies extend each other in a circle",
            "a chain that ends in a policy without `extends`",
        )
    if len(chain) >= MAX_DEPTH:
        raise refuse(
            f"the chain of extended policies is longer than {MAX_DEPTH}",
            f"at most {MAX_DEPTH} policies",
        )
    if path.name in {file.name for file in chain}:
        raise refuse(
            f"both policies are called {path.name}, and an event names the file of the line that"
            " decided",
            "files of different names",
            "rename one of the two",
        )
    try:
        found = read(path)
    except CouldNotRun as error:
        raise refuse(error.message, error.fix or "a policy in YAML") from None
    base = resolve(found, path.stem, chain)
    if "version" not in found.root.plain():
        raise refuse(
            f"{path.name} is a FunctionShield options dictionary", "a policy with `version: 1`"
        )
    return base


def inherit(policy: Policy, parsed: PolicyFile, base: Policy) -> Policy:
    """`policy`, with settings that its file leaves out taken from `base`. Its modes are complete
    already.
    """
    present = parsed.model_fields_set
    policy.extended = [*base.extended, base.document]
    events = parsed.events.model_fields_set if "events" in present else set()
    policy.allows[:0] = [
        replace(entry, inherited_from=entry.home(base))
        for entry in base.allows
        if not _only_quiet(entry, policy, base)
    ]
    policy.loopback_listed |= base.loopback_listed
    tmp = parsed.policy.read_write_tmp
    if tmp is None or tmp.mode is None:
        policy.tmp_ephemeral = base.tmp_ephemeral
    policy.also_source = (*base.also_source, *policy.also_source)
    policy.quiet_readers = (*base.quiet_readers, *policy.quiet_readers)
    policy.tests[:0] = [replace(test, inherited_from=test.home(base)) for test in base.tests]
    if "allow_reconfigure" not in present:
        policy.allow_reconfigure = base.allow_reconfigure
    if "allow_mode_override" not in present:
        policy.mode_overrides = base.mode_overrides
    if "format" not in events:
        policy.events_format = base.events_format
    if "allowed" not in events:
        policy.events_allowed_first = base.events_allowed_first
    if "emf_namespace" not in events:
        policy.emf_namespace = base.emf_namespace
    if "kernel" not in present or "file_size" not in parsed.kernel.model_fields_set:
        policy.kernel_file_size = base.kernel_file_size
    return policy


def _only_quiet(entry: Allow, policy: Policy, base: Policy) -> bool:
    """Whether an entry must not be inherited. Under `native_code: alert` an entry only suppresses
    an event. Under `block` it would let code with that name run machine code.
    """
    now, before = policy.modes[Family.NATIVE].mode, base.modes[Family.NATIVE].mode
    return entry.family is Family.NATIVE and (now, before) == (Mode.BLOCK, Mode.ALERT)
