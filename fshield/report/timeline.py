"""The timeline: when each dependency acted, and when something was done for the first time.

It is drawn from first and last moments, because a table of evidence has no counts by day. So a long
bar does not mean many acts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from fshield.evidence.touched import Dependency, Touch
from fshield.report.html import Markup, tag
from fshield.report.news import WEEK_S
from fshield.report.pieces import DONE

MAX_ROWS = 14
_LEFT, _RIGHT, _ROW, _TOP = 270, 1000, 28, 34
_LONG = 34
_TICKS = 4
_MARK = 8
_DAY_S = 86400
_NAMED = 4


@dataclass(frozen=True)
class _Span:
    """From the first moment to the last, in seconds."""

    first: float
    last: float

    @property
    def seconds(self) -> float:
        return self.last - self.first

    def x(self, at: float) -> int:
        """Where a moment is drawn."""
        share = (at - self.first) / self.seconds
        return round(_LEFT + max(0.0, min(1.0, share)) * (_RIGHT - _LEFT))

    @property
    def week(self) -> float | None:
        """Where the last seven days begin; None if there are no more."""
        return self.last - WEEK_S if self.first < self.last - WEEK_S else None


def timeline(dependencies: Iterable[Dependency], first: float, last: float) -> Iterable[Markup]:
    """The section; nothing if everything happened in one moment."""
    dated = [
        (each, dates)
        for each in dependencies
        if (dates := [touch for touch in each.folded if touch.tally.first])
    ]
    if not dated or last <= first:
        return
    span = _Span(first, last)
    drawn = dated[:MAX_ROWS]
    height = _TOP + _ROW * len(drawn) + 8
    words = (
        f"From {_words(first)} to {_words(last)} UTC: when each of {len(drawn)} dependencies acted."
        " The tables below have the same moments."
    )
    picture = tag(
        "svg",
        *_scale(span, height),
        *(
            part
            for row, (dependency, touches) in enumerate(drawn)
            for part in _row(span, _TOP + _ROW * row, dependency.label, touches)
        ),
        viewBox=f"0 0 {_RIGHT + 20} {height}",
        role="img",
        aria_label=words,
        class_="drawing times",
    )
    shaded = "" if span.week is None else " The last seven days are shaded."
    left = len(dated) - len(drawn)
    modes = {mode for _, touches in drawn for touch in touches for mode in _mode(touch.tally.done)}
    yield tag(
        "section",
        tag("h2", "Timeline", id="times"),
        tag("div", picture, class_="wide", tabindex="0", role="region", aria_label="Timeline"),
        tag(
            "p",
            "A bar goes from the first act of a dependency to its last (UTC). A mark is the moment"
            f" in which it first did something.{shaded} ",
            Markup(
                " ".join(
                    tag("span", word, class_=f"badge {mode}")
                    for mode, word in DONE
                    if mode in modes
                )
            ),
            class_="soft",
        ),
        tag("p", f"and {left:,} more, in the tables", class_="soft") if left else "",
    )


def _scale(span: _Span, height: int) -> Iterable[Markup]:
    """The last seven days, shaded, and lines with their moments above."""
    if span.week is not None:
        week = span.x(span.week)
        yield tag(
            "rect",
            tag("title", "the last seven days"),
            x=str(week),
            y="22",
            width=str(_RIGHT - week),
            height=str(height - 22),
            class_="week",
        )
    for at in range(_TICKS + 1):
        moment = span.first + span.seconds * at / _TICKS
        x = span.x(moment)
        yield tag("path", d=f"M{x} 22V{height}", class_="tick")
        side = "head end" if at == _TICKS else "head" if at == 0 else "head mid"
        yield tag("text", _words(moment, span.seconds), x=str(x), y="16", class_=side)


def _row(span: _Span, y: int, name: str, touches: list[Touch]) -> Iterable[Markup]:
    """A dependency's name, its bar and its marks."""
    short = name if len(name) <= _LONG else f"{name[: _LONG - 1]}…"
    begin = span.x(min(touch.tally.first for touch in touches))
    end = span.x(max(touch.tally.last for touch in touches))
    yield tag("text", tag("title", name), short, x="0", y=str(y + 15))
    yield tag(
        "rect",
        x=str(begin),
        y=str(y + 8),
        width=str(max(2, end - begin)),
        height="4",
        class_="life",
    )
    for place, (mode, moment, words) in sorted(_marks(touches, span.x).items()):
        yield tag(
            "rect",
            tag("title", f"{_words(moment)}: {words}"),
            x=str(place - _MARK // 2),
            y=str(y + 10 - _MARK // 2 - (mode == "block") * 2),
            width=str(_MARK),
            height=str(_MARK + (mode == "block") * 4),
            class_=f"first {mode}",
        )


def _mode(done: Counter[str]) -> list[str]:
    return [mode for mode, _ in DONE if done[mode]][:1] or ["other"]


def _marks(
    touches: Iterable[Touch], x: Callable[[float], int]
) -> dict[int, tuple[str, float, str]]:
    """The marks by position. Of marks that would overlap, only the worst, with the other acts in
    its text.
    """
    order = [mode for mode, _ in DONE]
    found: dict[int, tuple[str, float, list[Touch]]] = {}
    places: dict[int, int] = {}
    for touch in sorted(touches, key=lambda touch: touch.tally.first):
        (mode,) = _mode(touch.tally.done)
        exact = x(touch.tally.first)
        place = places.setdefault(exact // _MARK, exact)
        known = found.get(place)
        if known is None:
            found[place] = (mode, touch.tally.first, [touch])
            continue
        known[2].append(touch)
        if mode != known[0]:
            worst = min(mode, known[0], key=lambda one: order.index(one) if one in order else 9)
            found[place] = (worst, *known[1:])
    return {
        place: (mode, moment, _first_of(touches))
        for place, (mode, moment, touches) in found.items()
    }


def _first_of(touches: list[Touch]) -> str:
    named = ", ".join(touch.act.words for touch in touches[:_NAMED])
    return named + _and_more(len(touches) - _NAMED)


def _and_more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def _words(at: float, length: float = 0) -> str:
    moment = datetime.fromtimestamp(at, timezone.utc)
    if length and length < _DAY_S:
        return f"{moment:%H:%M}" if length > 600 else f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if length else f"{moment:%Y-%m-%d %H:%M}"
