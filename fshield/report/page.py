"""The report as one HTML page: it loads nothing, its one script sorts and filters, and of a log it
has nothing but text.

Tables keep their roles for screen readers where narrow screens show them as cards, because roles
are written out.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from fshield.evidence.acts import span
from fshield.evidence.replay import Outcome
from fshield.evidence.touched import Dependency, Touched, Use
from fshield.report.drawing import drawing
from fshield.report.fleet import fleet
from fshield.report.html import Child, Markup, script, tag, text
from fshield.report.links import releases
from fshield.report.news import news
from fshield.report.news import section as news_section
from fshield.report.pieces import (
    DONE,
    KINDS,
    amount,
    badges,
    cell,
    kind_of,
    more,
    row_of,
    table,
    touch_row,
    weight,
    what,
)
from fshield.report.script import SCRIPT
from fshield.report.style import CSS
from fshield.report.summary import edges, function_names, summary
from fshield.report.timeline import timeline

#: The most rows on a page; `--json` has all.
MAX_DEPENDENCIES = 200
MAX_ROWS = 200
_OTHERS = 4
_SOURCE = re.compile(r"(.+):([0-9]+)")


@dataclass(frozen=True)
class Report:
    """The content of the page.

    Args:
        evidence: what was read.
        dependencies: in the order they are shown.
        policy_name, uses: of ``--policy``; "" and none without it.
        against_name, against: of ``--against``.
        notes: what was skipped or is doubtful, one sentence each.
        today: for entries that have expired.
        policy_text: the lines of the policy's files, by the name that a source begins with.
    """

    evidence: Touched
    dependencies: list[Dependency]
    policy_name: str = ""
    uses: list[Use] | None = None
    against_name: str = ""
    against: list[Outcome] | None = None
    notes: list[str] = field(default_factory=list)
    today: date = field(default_factory=date.today)
    policy_text: dict[str, list[str]] = field(default_factory=dict)


def page(report: Report) -> str:
    """The page."""
    csp = (
        f"default-src 'none'; style-src '{_digest(CSS)}'; script-src '{_digest(SCRIPT)}';"
        " base-uri 'none'; form-action 'none'"
    )
    title = "What each dependency touched"
    functions = ", ".join(function_names(report.evidence)[:4])
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
            *timeline(report.dependencies, report.evidence.first, report.evidence.last),
            *_news(report),
            *fleet(report.evidence),
            _glance(report),
            _details(report),
            *_against(report),
            *_policy(report),
            *_notes(report),
            *_policy_text(report),
        ),
        tag("footer", tag("p", _colophon(report), class_="soft")),
        script(),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _news(report: Report) -> Iterable[Markup]:
    evidence = report.evidence
    made = news(report.dependencies, evidence.first, evidence.last)
    return news_section(made, evidence.events)


def _header(report: Report, title: str) -> Markup:
    evidence = report.evidence
    total = _total(report)
    names = function_names(evidence)
    facts = [
        ", ".join(names[:4]) + (f" and {len(names) - 4:,} more" if len(names) > 4 else ""),
        f"under {', '.join(sorted(evidence.policies)[:4])}" if evidence.policies else "",
        f"{span(evidence.first, evidence.last)} UTC" if evidence.last else "",
        f"{evidence.events:,} events",
    ]
    tiles = [tag("div", tag("dt", "functions"), tag("dd", f"{len(names):,}"))] * (len(names) > 1)
    tiles += [tag("div", tag("dt", "dependencies"), tag("dd", f"{_count_dependencies(report):,}"))]
    tiles += [
        tag(
            "div",
            tag("dt", word),
            tag("dd", f"{total[mode]:,}", class_=mode if total[mode] else "soft"),
        )
        for mode, word in DONE
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
        for kind, rules in KINDS
        if any(dependency.of(*rules) for dependency in report.dependencies)
    ]
    rows = []
    for number, dependency in enumerate(report.dependencies[:MAX_DEPENDENCIES], 1):
        counts = [(kind, dependency.of(*rules)) for kind, rules in kinds]
        rows.append(
            row_of(
                tag("a", dependency.label, href=f"#d{number}"),
                *[amount(kind, count) for kind, count in counts],
                cell(badges(dependency.done), order=weight(dependency.done)),
                cell(_when(dependency), class_="when"),
                own=dependency.own,
            )
        )
    heads = ["dependency", *[kind for kind, _ in kinds], "what became of it", "when (UTC)"]
    numbers = {kind for kind, _ in kinds}
    return tag(
        "section",
        tag("h2", "At a glance", id="glance", tabindex="-1"),
        table("How many different things each one touched, and how often", heads, rows, numbers)
        if rows
        else tag("p", "Nothing was recorded."),
        more(len(report.dependencies) - MAX_DEPENDENCIES, "dependencies"),
    )


def _details(report: Report) -> Markup:
    blocks = []
    for number, dependency in enumerate(report.dependencies[:MAX_DEPENDENCIES], 1):
        touches = dependency.folded
        rows = [
            touch_row(touch, lines=bool(touch.tally.done["block"] + touch.tally.done["alert"]))
            for touch in touches[:MAX_ROWS]
        ]
        own = " (the function's own code)" if dependency.own else ""
        heads = ["what", "to what", "became", "when (UTC)", "caller"]
        blocks.append(
            tag(
                "details",
                tag("summary", tag("strong", f"{dependency.label}{own}"), badges(dependency.done)),
                _pages(dependency),
                table(f"What {dependency.label} touched", heads, rows),
                more(len(touches) - MAX_ROWS, "rows"),
                id=f"d{number}",
                open=number == 1 or bool(dependency.done["block"]),
            )
        )
    if not blocks:
        return text("")
    return tag("section", tag("h2", "By dependency"), *blocks, class_="filter")


def _pages(dependency: Dependency) -> Markup:
    """Links to its versions' pages."""
    files = [touch.tally.where.rpartition(":")[0] for touch in dependency.touches]
    node = any(file.endswith((".js", ".mjs", ".cjs")) for file in files)
    found = [] if dependency.own else releases(dependency.label, node)
    content = [
        part
        for each in found
        for part in (
            f"{each.name} {each.version}: ",
            tag("a", "in its package index", href=each.index, rel="noreferrer"),
            ", ",
            tag("a", "known advisories", href=each.advisories, rel="noreferrer"),
            ". ",
        )
    ]
    return tag("p", *content, class_="pages soft") if content else text("")


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
    content: Child
    if not report.uses:
        content = tag("p", "The policy has no allow entries.")
    elif not unused:
        content = tag("p", f"Each of its {len(report.uses):,} allow entries was used.")
    else:
        rows = [
            tag(
                "tr",
                tag("th", tag("code", use.entry.text), scope="row", role="rowheader"),
                cell(_expiry(use, report.today)),
                cell(_line(report, use.entry.source)),
                role="row",
            )
            for use in unused[:MAX_ROWS]
        ]
        caption = f"{len(unused):,} of {len(report.uses):,} allow entries" + (
            "" if known else ": no event says whether these were used"
        )
        content = table(caption, ["entry", "why it is there", "line"], rows)
    yield tag(
        "section",
        tag("h2", title),
        content,
        more(len(unused) - MAX_ROWS, "entries"),
        tag("p", _how_known(report), class_="soft"),
        *_expired(report, report.uses),
        *_for_some(report, report.uses),
    )


def uses_are_known(report: Report) -> bool:
    """Whether events show what the report's policy allowed."""
    return any(name == report.policy_name for name, _ in report.evidence.rules)


def _expired(report: Report, found: list[Use]) -> Iterable[Markup]:
    """Entries that have expired but were used."""
    used = [
        use for use in found if use.count and use.entry.expires and use.entry.expires < report.today
    ]
    if used:
        rows = [
            tag(
                "tr",
                tag("th", tag("code", use.entry.text), scope="row", role="rowheader"),
                amount("times", use.count),
                cell(_expiry(use, report.today)),
                cell(_line(report, use.entry.source)),
                role="row",
            )
            for use in used[:MAX_ROWS]
        ]
        caption = f"{len(used):,} that expired, and are in use"
        yield table(caption, ["entry", "times", "why it is there", "line"], rows, {"times"})


def _for_some(report: Report, found: list[Use]) -> Iterable[Markup]:
    """Entries with `only_for`, and the other callers that asked."""
    chosen = [use for use in found if use.entry.only_for]
    if not chosen:
        return
    rows = [
        tag(
            "tr",
            tag("th", tag("code", use.entry.target), scope="row", role="rowheader"),
            cell(", ".join(use.entry.only_for)),
            amount("times", use.count),
            cell(_other_callers(use)),
            cell(_line(report, use.entry.source)),
            role="row",
        )
        for use in chosen[:MAX_ROWS]
    ]
    heads = ["entry", "only for", "times", "other callers", "line"]
    yield tag("h2", "Entries for some packages")
    yield table(f"{len(chosen):,} entries with only_for", heads, rows, {"times"})
    yield more(len(chosen) - MAX_ROWS, "entries")


def _other_callers(use: Use) -> str:
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
    content: Child
    if not report.against:
        content = tag(
            "p", f"Nothing that went through would be blocked under {report.against_name}."
        )
    else:
        packages = report.evidence.packages
        rows = [
            tag(
                "tr",
                cell(kind_of(outcome.act)),
                tag(
                    "th",
                    tag("code", outcome.target or what(outcome.act)),
                    scope="row",
                    role="rowheader",
                ),
                amount("times", outcome.seen.passed),
                cell(packages.of(next(iter(outcome.seen.chains), ())).words),
                cell(tag("code", outcome.met.words)),
                role="row",
            )
            for outcome in report.against[:MAX_ROWS]
        ]
        caption = f"{len(report.against):,} kinds of acts that went through"
        content = table(caption, ["what", "to what", "times", "caller", "says so"], rows, {"times"})
    yield tag(
        "section",
        tag("h2", f"What {report.against_name} would block"),
        content,
        more(len(report.against) - MAX_ROWS, "rows"),
    )


def _notes(report: Report) -> Iterable[Markup]:
    if report.notes:
        yield tag(
            "section", tag("h2", "Notes"), tag("ul", *[tag("li", note) for note in report.notes])
        )


def _line(report: Report, source: str) -> Markup:
    """A line of the policy, with a link to it."""
    words = tag("code", source)
    match = _SOURCE.fullmatch(source)
    lines = report.policy_text.get(match[1], []) if match else []
    if not match or not 0 < int(match[2]) <= len(lines):
        return words
    return tag("a", words, href=f"#{_anchor(report, match[1], int(match[2]))}")


def _anchor(report: Report, name: str, line: int) -> str:
    return f"p{list(report.policy_text).index(name)}-{line}"


def _policy_text(report: Report) -> Iterable[Markup]:
    """The policy's files, line by line."""
    for name, lines in report.policy_text.items():
        content = [
            tag("div", tag("span", f"{at:4} ", class_="soft"), line, id=_anchor(report, name, at))
            for at, line in enumerate(lines, 1)
        ]
        yield tag(
            "section",
            tag("h2", f"The policy: {name}"),
            tag(
                "details",
                tag("summary", f"{len(lines):,} lines"),
                tag("code", *content, class_="file"),
            ),
        )


def _colophon(report: Report) -> str:
    seen = ", ".join(sorted(report.evidence.interpreters)[:4])
    return (
        "Made by fshield report. Packages, files and versions are what code says of itself;"
        " verdicts are the engine's." + (f" Runtimes: {seen}." if seen else "")
    )


def _when(dependency: Dependency) -> str:
    first = min(
        (touch.tally.first for touch in dependency.touches if touch.tally.first), default=0.0
    )
    return span(first, max(touch.tally.last for touch in dependency.touches))
