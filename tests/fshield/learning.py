"""What the tests of `fshield learn` share."""

from __future__ import annotations

from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.tiers import Tiers
from fshield.language.loader import resolve
from fshield.language.policy import Policy
from fshield.language.reader import parse
from tests.fshield.recorded import Log

FRANKFURT = "eu-central-1"


def learnt(
    log: Log,
    *accept: str,
    trust: tuple[str, ...] = (),
    own: tuple[str, ...] = (),
    region: str | None = None,
) -> Learnt:
    evidence = log.evidence()
    evidence.packages.own |= set(own)
    return learn(evidence, Tiers(evidence, frozenset(accept), frozenset(trust)), region)


def policy_of(found: Learnt) -> Policy:
    return resolve(parse("p.yaml", found.text("p").encode()), "p")


def entries(found: Learnt) -> list[str]:
    return [line.text for line in found.lines]


def held(found: Learnt) -> dict[str, str]:
    return {item.act.place or item.act.words: item.why for item in found.held}


def tmp(*paths: str) -> Log:
    log = Log()
    for path in paths:
        log.add("read_write_tmp", path=path, operation="open")
    return log
