"""The fleet: functions by rows, rules by columns, and what each function did, all in one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fshield.evidence.touched import InFunction, Place, Touch, Touched, gather
from fshield.language.model import RULES
from fshield.report.html import Child, Markup, tag
from fshield.report.pieces import badges, cell, more, row_of, table, touch_row, weight

#: The most functions with a row, and the most rows of acts for all of them.
MAX_FUNCTIONS = 2_000
MAX_ROWS = 5_000
_LEAST = 5
_RULES = {
    "outbound_connectivity": "connections",
    "runtime_api": "Runtime API",
    "read_write_tmp": "files in /tmp",
    "read_handler": "handler's source",
    "create_child_process": "programs",
    "native_code": "machine code",
    "guard_integrity": "the guard",
}


def fleet(evidence: Touched) -> Iterable[Markup]:
    """The table and its details; nothing if events name fewer than two functions."""
    found = evidence.places()
    if len(found) < 2:
        return
    order = sorted(found.items(), key=lambda item: (-weight(_done(item[1])), item[0]))
    seen = {rule for inside in found.values() for rule in inside.rules}
    rules = [rule for rule in (*RULES, "guard_integrity") if rule in seen]
    names = labels(found)
    rows = [
        row_of(
            tag("a", names[place], href=f"#f{at}"),
            *[_cell(_RULES.get(rule, rule), inside.rules.get(rule)) for rule in rules],
        )
        for at, (place, inside) in enumerate(order[:MAX_FUNCTIONS], 1)
    ]
    caption = f"{len(found):,} functions, by rule: what became of what they did"
    share = max(_LEAST, MAX_ROWS // len(found))
    yield tag(
        "section",
        tag("h2", "The fleet", id="fleet"),
        table(caption, ["function", *[_RULES.get(rule, rule) for rule in rules]], rows),
        more(len(found) - MAX_FUNCTIONS, "functions"),
        *_beyond(evidence),
        *[
            _inside(evidence, at, names[place], inside, share)
            for at, (place, inside) in enumerate(order[:MAX_FUNCTIONS], 1)
        ],
        class_="filter",
    )


def labels(found: Iterable[Place]) -> dict[Place, str]:
    """Functions' names, with account and region if there are several places."""
    places = list(found)
    spread = len({(place.account, place.region) for place in places if place.region}) > 1
    return {
        place: f"{place.function} ({place.account} {place.region})"
        if spread and place.region
        else place.function
        for place in places
    }


def touches(evidence: Touched, inside: InFunction) -> list[Touch]:
    """What one function did, names under /tmp as patterns."""
    callers = {chain: evidence.packages.of(chain) for chain in {chain for chain, _ in inside.by}}
    return gather(Touch(act, tally, callers[chain]) for (chain, act), tally in inside.by.items())


def _beyond(evidence: Touched) -> Iterable[Markup]:
    if evidence.elsewhere:
        yield tag("p", f"{evidence.elsewhere:,} acts were in functions beyond these", class_="soft")


def _done(inside: InFunction) -> Counter[str]:
    total: Counter[str] = Counter()
    for done in inside.rules.values():
        total.update(done)
    return total


def _cell(rule: str, done: Counter[str] | None) -> Markup:
    # Narrow screens show no headings: each cell names its rule, and empty cells are hidden.
    return (
        cell(tag("span", f"{rule}: ", class_="unit"), badges(done), order=weight(done))
        if done
        else cell(tag("span", "none", class_="soft"), class_="zero", order=0)
    )


def _inside(evidence: Touched, at: int, name: str, inside: InFunction, share: int) -> Markup:
    found = touches(evidence, inside)
    left = f"and {inside.left_out:,} acts of kinds beyond what is kept" if inside.left_out else ""
    heads = ["what", "to what", "became", "when (UTC)", "caller"]
    children: tuple[Child, ...] = (
        table(f"What {name} did", heads, [touch_row(touch) for touch in found[:share]]),
        more(len(found) - share, "rows"),
        tag("p", left, class_="soft") if left else "",
    )
    return tag(
        "details",
        tag("summary", tag("strong", name), badges(_done(inside))),
        *children,
        id=f"f{at}",
    )
