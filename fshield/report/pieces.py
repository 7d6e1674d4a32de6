"""Parts of the report's sections: tables, cells, badges, rows of acts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fshield.evidence.acts import Act, span
from fshield.evidence.touched import Touch
from fshield.report.html import Child, Markup, tag, text
from fshield.report.links import query

DONE = (("block", "blocked"), ("alert", "reported"), ("allow", "allowed"))
KINDS = (
    ("hosts", ("outbound_connectivity", "runtime_api")),
    ("paths", ("read_write_tmp", "read_handler")),
    ("programs", ("create_child_process",)),
    ("machine code", ("native_code",)),
    ("the guard", ("guard_integrity",)),
)
_KIND_OF = {rule: kind for kind, rules in KINDS for rule in rules}


def touch_row(touch: Touch, lines: bool = False) -> Markup:
    """One act: what, to what, what became of it, when, and who asked. `lines` adds the query that
    finds its lines."""
    where = tag("div", tag("code", touch.tally.where), class_="soft") if touch.tally.where else ""
    others = tag("div", touch.tally.for_others) if touch.tally.for_others else ""
    return tag(
        "tr",
        cell(kind_of(touch.act)),
        tag("th", tag("code", what(touch.act)), scope="row", role="rowheader"),
        cell(badges(touch.tally.done), order=weight(touch.tally.done)),
        cell(span(touch.tally.first, touch.tally.last), class_="when"),
        cell(touch.caller.words, others, where, _lines(touch) if lines else ""),
        role="row",
    )


def _lines(touch: Touch) -> Markup:
    target = touch.act.target or touch.act.module
    return tag(
        "details",
        tag("summary", "its lines in CloudWatch"),
        tag("code", query(touch.act.rule, target)),
        class_="lines",
    )


def kind_of(act: Act) -> str:
    """The kind of thing that was touched."""
    return "source" if act.rule == "read_handler" else _KIND_OF[act.rule].removesuffix("s")


def what(act: Act) -> str:
    """The thing that was touched."""
    if act.rule in ("outbound_connectivity", "runtime_api"):
        return act.place if act.port else f"{act.place or 'a name'} (lookup)"
    verb = "" if act.operation in ("", "execute", act.target) else f"{act.operation} "
    return f"{verb}{act.target}".strip() or act.words


def table(
    caption: str, heads: list[str], rows: list[Markup], numbers: Iterable[str] = ()
) -> Markup:
    """A table that scrolls sideways if it is too wide."""
    head = [
        tag("th", each, scope="col", role="columnheader", class_=each in numbers and "n")
        for each in heads
    ]
    made = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head, role="row"), role="rowgroup"),
        tag("tbody", *rows, role="rowgroup"),
        role="table",
    )
    # A scrolling part must be reachable by keyboard.
    return tag("div", made, class_="wide", tabindex="0", role="region", aria_label=caption)


def row_of(title: Markup, *cells: Markup, own: bool = False) -> Markup:
    """A row with its head."""
    note = tag("small", " the function's own code") if own else ""
    return tag("tr", tag("th", title, note, scope="row", role="rowheader"), *cells, role="row")


def cell(*children: Child, class_: str = "", order: int | None = None) -> Markup:
    """A cell. `order` is its sort key for the script, if that is not its text."""
    attributes = {} if order is None else {"data_n": str(order)}
    return tag("td", *children, role="cell", class_=class_ or False, **attributes)


def amount(kind: str, count: int) -> Markup:
    """A cell with a number."""
    # The unit is only shown on narrow screens. It is decoration, because the column's heading names
    # it.
    unit = kind.removesuffix("s") if count == 1 else kind
    return tag(
        "td",
        f"{count:,}",
        tag("span", f" {unit}", class_="unit"),
        role="cell",
        class_="n" if count else "n zero soft",
        data_n=str(count),
    )


def weight(done: Counter[str]) -> int:
    """The sort key of a cell with badges: blocked, then reported, then the rest."""
    return done["block"] * 10**12 + done["alert"] * 10**6 + done.total()


def badges(done: Counter[str]) -> Markup:
    """The results of acts, with counts."""
    found = [
        tag("span", f"{done[mode]:,} {word}", class_=f"badge {mode}")
        for mode, word in DONE
        if done[mode]
    ]
    other = done.total() - sum(done[mode] for mode, _ in DONE)
    found += [tag("span", f"{other:,} unknown", class_="badge")] if other else []
    return Markup(" ".join(found))


def more(count: int, what: str) -> Markup:
    """A note about what is left out."""
    return (
        tag("p", f"and {count:,} more {what}: fshield report --json has all", class_="soft")
        if count > 0
        else text("")
    )
