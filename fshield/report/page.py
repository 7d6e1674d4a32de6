"""The report as one HTML page: no script, no network, nothing from a log but text.

Tables keep their roles for screen readers where narrow screens show them as cards, because roles
are written out.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from fshield.evidence.acts import Act, span
from fshield.evidence.replay import Outcome
from fshield.evidence.touched import Dependency, Touch, Touched, Use
from fshield.report.drawing import drawing
from fshield.report.html import Child, Markup, tag, text
from fshield.report.style import CSS
from fshield.report.summary import edges, folded, summary

#: What a page shows of many; `--json` has all.
MAX_DEPENDENCIES = 200
MAX_ROWS = 200
_OTHERS = 4
_DONE = (("block", "blocked"), ("alert", "reported"), ("allow", "allowed"))
_KINDS = (
    ("hosts", ("outbound_connectivity", "runtime_api")),
    ("paths", ("read_write_tmp", "read_handler")),
    ("programs", ("create_child_process",)),
    ("machine code", ("native_code",)),
    ("the guard", ("guard_integrity",)),
)
_KIND_OF = {rule: kind for kind, rules in _KINDS for rule in rules}


@dataclass(frozen=True)
class Report:
    """All that a page says.

    Args:
        evidence: what was read.
        dependencies: in the order they are shown.
        policy_name, uses: of ``--policy``; "" and none without it.
        against_name, against: of ``--against``.
        notes: what was skipped or is doubtful, one sentence each.
        today: for entries that have expired.
    """

    evidence: Touched
    dependencies: list[Dependency]
    policy_name: str = ""
    uses: list[Use] | None = None
    against_name: str = ""
    against: list[Outcome] | None = None
    notes: list[str] = field(default_factory=list)
    today: date = field(default_factory=date.today)


def page(report: Report) -> str:
    """The page."""
    digest = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    csp = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = "What each dependency touched"
    functions = ", ".join(sorted(report.evidence.functions)[:4])
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=csp),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{title}: {functions}" if functions else title),
        tag("style", Markup(CSS)),
    )
    body = tag(
        "body",
        tag("a", "To the table", href="#glance", class_="skip"),
        _header(report, title),
        tag(
            "main",
            *_drawn(report),
            _glance(report),
            _details(report),
            *_against(report),
            *_policy(report),
            *_notes(report),
        ),
        tag("footer", tag("p", _colophon(report), class_="soft")),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(report: Report, title: str) -> Markup:
    evidence = report.evidence
    total = _total(report)
    facts = [
        ", ".join(sorted(evidence.functions)[:4])
        + (" and others" if len(evidence.functions) > 4 else ""),
        f"under {', '.join(sorted(evidence.policies)[:4])}" if evidence.policies else "",
        f"{span(evidence.first, evidence.last)} UTC" if evidence.last else "",
        f"{evidence.events:,} events",
    ]
    tiles = [tag("div", tag("dt", "dependencies"), tag("dd", f"{_count_dependencies(report):,}"))]
    tiles += [
        tag(
            "div",
            tag("dt", word),
            tag("dd", f"{total[mode]:,}", class_=mode if total[mode] else "soft"),
        )
        for mode, word in _DONE
    ]
    return tag(
        "header",
        tag("h1", title),
        tag("p", " · ".join(fact for fact in facts if fact), class_="soft"),
        _lead(report),
        tag("dl", *tiles, class_="tiles"),
    )


def _lead(report: Report) -> Markup:
    """What happened, and what to do."""
    found = summary(report.evidence, report.dependencies, report.policy_name)
    todo = (
        (tag("p", "What to do"), tag("ul", *[tag("li", each) for each in found.advice]))
        if found.advice
        else ()
    )
    return tag(
        "section",
        tag("p", found.happened, class_="said"),
        tag("p", found.where, class_="soft"),
        *todo,
        class_=f"lead {found.mode}".strip(),
        aria_label="What happened",
    )


def _drawn(report: Report) -> Iterable[Markup]:
    found = edges(report.evidence, report.dependencies)
    if found:
        yield tag("section", tag("h2", "Connections"), drawing(found))


def _total(report: Report) -> Counter[str]:
    total: Counter[str] = Counter()
    for dependency in report.dependencies:
        total += dependency.done
    return total


def _count_dependencies(report: Report) -> int:
    return sum(bool(dependency.name) and not dependency.own for dependency in report.dependencies)


def _glance(report: Report) -> Markup:
    kinds = [
        (kind, rules)
        for kind, rules in _KINDS
        if any(dependency.of(*rules) for dependency in report.dependencies)
    ]
    rows = []
    for number, dependency in enumerate(report.dependencies[:MAX_DEPENDENCIES], 1):
        counts = [(kind, dependency.of(*rules)) for kind, rules in kinds]
        rows.append(
            _row(
                tag("a", dependency.label, href=f"#d{number}"),
                *[_number(kind, count) for kind, count in counts],
                _cell(_badges(dependency.done)),
                _cell(_when(dependency), class_="when"),
                own=dependency.own,
            )
        )
    heads = ["dependency", *[kind for kind, _ in kinds], "what became of it", "when (UTC)"]
    numbers = {kind for kind, _ in kinds}
    return tag(
        "section",
        tag("h2", "At a glance", id="glance", tabindex="-1"),
        _table("How many different things each one touched, and how often", heads, rows, numbers),
        _more(len(report.dependencies) - MAX_DEPENDENCIES, "dependencies"),
    )


def _details(report: Report) -> Markup:
    blocks = []
    for number, dependency in enumerate(report.dependencies[:MAX_DEPENDENCIES], 1):
        touches = folded(dependency)
        rows = [_touch(touch) for touch in touches[:MAX_ROWS]]
        own = " (the function's own code)" if dependency.own else ""
        heads = ["what", "to what", "became", "when (UTC)", "asked by"]
        blocks.append(
            tag(
                "details",
                tag("summary", tag("strong", f"{dependency.label}{own}"), _badges(dependency.done)),
                _table(f"What {dependency.label} touched", heads, rows),
                _more(len(touches) - MAX_ROWS, "rows"),
                id=f"d{number}",
                open=number == 1 or bool(dependency.done["block"]),
            )
        )
    return tag("section", tag("h2", "By dependency"), *blocks)


def _touch(touch: Touch) -> Markup:
    where = tag("div", tag("code", touch.tally.where), class_="soft") if touch.tally.where else ""
    others = tag("div", touch.tally.for_others) if touch.tally.for_others else ""
    return tag(
        "tr",
        _cell(_kind(touch.act)),
        tag("th", tag("code", _what(touch.act)), scope="row", role="rowheader"),
        _cell(_badges(touch.tally.done)),
        _cell(span(touch.tally.first, touch.tally.last), class_="when"),
        _cell(touch.asker.words, others, where),
        role="row",
    )


def _kind(act: Act) -> str:
    return "source" if act.rule == "read_handler" else _KIND_OF[act.rule].removesuffix("s")


def _what(act: Act) -> str:
    if act.rule in ("outbound_connectivity", "runtime_api"):
        return act.place if act.port else f"{act.place or 'a name'} (lookup)"
    verb = "" if act.operation in ("", "execute") else f"{act.operation} "
    return f"{verb}{act.target}".strip() or act.words


def _policy(report: Report) -> Iterable[Markup]:
    if report.uses is None:
        return
    unused = [use for use in report.uses if not use.count]
    known = uses_are_known(report)
    title = (
        f"Allowed by {report.policy_name}, and used by nobody"
        if known
        else f"Allowed by {report.policy_name}: whether it is used is not known"
    )
    said: Child
    if not report.uses:
        said = tag("p", "The policy has no allow entries.")
    elif not unused:
        said = tag("p", f"Each of its {len(report.uses):,} allow entries was used.")
    else:
        rows = [
            tag(
                "tr",
                tag("th", tag("code", use.entry.text), scope="row", role="rowheader"),
                _cell(_expiry(use, report.today)),
                _cell(tag("code", use.entry.source)),
                role="row",
            )
            for use in unused[:MAX_ROWS]
        ]
        caption = f"{len(unused):,} of {len(report.uses):,} allow entries" + (
            "" if known else ": no event says whether these were used"
        )
        said = _table(caption, ["entry", "why it is there", "line"], rows)
    yield tag(
        "section",
        tag("h2", title),
        said,
        _more(len(unused) - MAX_ROWS, "entries"),
        tag("p", _how_known(report), class_="soft"),
        *_expired(report, report.uses),
        *_for_some(report.uses),
    )


def uses_are_known(report: Report) -> bool:
    """Whether events say what was allowed under the policy of the report."""
    return any(name == report.policy_name for name, _ in report.evidence.rules)


def _expired(report: Report, found: list[Use]) -> Iterable[Markup]:
    """Entries that have expired and were used all the same."""
    used = [
        use for use in found if use.count and use.entry.expires and use.entry.expires < report.today
    ]
    if used:
        rows = [
            tag(
                "tr",
                tag("th", tag("code", use.entry.text), scope="row", role="rowheader"),
                _number("times", use.count),
                _cell(_expiry(use, report.today)),
                _cell(tag("code", use.entry.source)),
                role="row",
            )
            for use in used[:MAX_ROWS]
        ]
        caption = f"{len(used):,} that expired, and are in use"
        yield _table(caption, ["entry", "times", "why it is there", "line"], rows, {"times"})


def _for_some(found: list[Use]) -> Iterable[Markup]:
    """Entries that count for some callers, and the other callers that asked."""
    chosen = [use for use in found if use.entry.only_for]
    if not chosen:
        return
    rows = [
        tag(
            "tr",
            tag("th", tag("code", use.entry.target), scope="row", role="rowheader"),
            _cell(", ".join(use.entry.only_for)),
            _number("times", use.count),
            _cell(_asked_by(use)),
            _cell(tag("code", use.entry.source)),
            role="row",
        )
        for use in chosen[:MAX_ROWS]
    ]
    heads = ["entry", "only for", "times", "asked by others", "line"]
    yield tag("h2", "Entries for some packages")
    yield _table(f"{len(chosen):,} entries with only_for", heads, rows, {"times"})
    yield _more(len(chosen) - MAX_ROWS, "entries")


def _asked_by(use: Use) -> str:
    found = sorted(use.others.items(), key=lambda item: (-item[1], item[0]))
    if not found:
        return "nobody"
    names = ", ".join(use.entry.only_for)
    asked = ", ".join(f"{name} (×{count:,})" for name, count in found[:_OTHERS])
    more = f" and {len(found) - _OTHERS} more" if len(found) > _OTHERS else ""
    return f"allowed for {names}; asked by {asked}{more}"


def _how_known(report: Report) -> str:
    if uses_are_known(report):
        return (
            "By the first use of each entry in each process, as the events say. What did not run is"
            " not here."
        )
    return (
        "No event in this log says what was allowed. An entry counts as used only where what was"
        " blocked or reported needs it: run with events: {allowed: first} in the policy before you"
        " take one out."
    )


def _expiry(use: Use, today: date) -> Markup:
    reason = text(use.why)
    if use.entry.expires is None:
        return reason
    gone = use.entry.expires < today
    word = f"expired {use.entry.expires}" if gone else f"until {use.entry.expires}"
    return Markup(tag("span", word, class_="badge gone" if gone else "badge") + " " + reason)


def _against(report: Report) -> Iterable[Markup]:
    if report.against is None:
        return
    said: Child
    if not report.against:
        said = tag("p", f"Nothing that went through would be blocked under {report.against_name}.")
    else:
        askers = report.evidence.askers
        rows = [
            tag(
                "tr",
                _cell(_kind(outcome.act)),
                tag(
                    "th",
                    tag("code", outcome.target or _what(outcome.act)),
                    scope="row",
                    role="rowheader",
                ),
                _number("times", outcome.seen.passed),
                _cell(askers.of(next(iter(outcome.seen.chains), ())).words),
                _cell(tag("code", outcome.met.words)),
                role="row",
            )
            for outcome in report.against[:MAX_ROWS]
        ]
        caption = f"{len(report.against):,} kinds of acts that went through"
        said = _table(caption, ["what", "to what", "times", "asked by", "says so"], rows, {"times"})
    yield tag(
        "section",
        tag("h2", f"What {report.against_name} would block"),
        said,
        _more(len(report.against) - MAX_ROWS, "rows"),
    )


def _notes(report: Report) -> Iterable[Markup]:
    if report.notes:
        yield tag(
            "section", tag("h2", "Notes"), tag("ul", *[tag("li", note) for note in report.notes])
        )


def _colophon(report: Report) -> str:
    seen = ", ".join(sorted(report.evidence.interpreters)[:4])
    return (
        "Made by fshield report. Packages, files and versions are what code says of itself;"
        " verdicts are the engine's." + (f" Runtimes: {seen}." if seen else "")
    )


# ---- pieces ----


def _table(
    caption: str, heads: list[str], rows: list[Markup], numbers: Iterable[str] = ()
) -> Markup:
    head = [
        tag("th", each, scope="col", role="columnheader", class_=each in numbers and "n")
        for each in heads
    ]
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head, role="row"), role="rowgroup"),
        tag("tbody", *rows, role="rowgroup"),
        role="table",
    )
    # What scrolls must be reached by the keyboard.
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)


def _row(title: Markup, *cells: Markup, own: bool = False) -> Markup:
    note = tag("small", " the function's own code") if own else ""
    return tag("tr", tag("th", title, note, scope="row", role="rowheader"), *cells, role="row")


def _cell(*children: Child, class_: str = "") -> Markup:
    return tag("td", *children, role="cell", class_=class_ or False)


def _number(kind: str, count: int) -> Markup:
    # The unit is only for narrow screens; it is decoration there, the column's head names it.
    unit = kind.removesuffix("s") if count == 1 else kind
    return tag(
        "td",
        f"{count:,}",
        tag("span", f" {unit}", class_="unit"),
        role="cell",
        class_="n" if count else "n zero soft",
    )


def _badges(done: Counter[str]) -> Markup:
    found = [
        tag("span", f"{done[mode]:,} {word}", class_=f"badge {mode}")
        for mode, word in _DONE
        if done[mode]
    ]
    other = done.total() - sum(done[mode] for mode, _ in _DONE)
    found += [tag("span", f"{other:,} unknown", class_="badge")] if other else []
    return Markup(" ".join(found))


def _when(dependency: Dependency) -> str:
    first = min(
        (touch.tally.first for touch in dependency.touches if touch.tally.first), default=0.0
    )
    return span(first, max(touch.tally.last for touch in dependency.touches))


def _more(count: int, what: str) -> Markup:
    return (
        tag("p", f"and {count:,} more {what}: fshield report --json has all", class_="soft")
        if count > 0
        else text("")
    )
