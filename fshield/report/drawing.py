"""Functions, dependencies and hosts, and the connections between them, as a drawing in three
columns."""

from __future__ import annotations

from collections import Counter

from fshield.report.html import Markup, tag

#: The most to draw; the tables have the rest.
MAX_NODES = 14
_ROW, _WIDE, _HIGH = 34, 260, 26
_COLUMNS = (0, 380, 760)
_WORDS = ("block", "alert", "allow")
_LONG = 34


def drawing(edges: list[tuple[str, str, str, Counter[str]]]) -> Markup:
    """The drawing, and a note about what is left out. A line's colour and dashes show the
    result.
    """
    columns: list[list[str]] = [[], [], []]
    drawn = []
    for edge in edges:
        missing = [at for at, name in enumerate(edge[:3]) if name not in columns[at]]
        if any(len(columns[at]) >= MAX_NODES for at in missing):
            continue
        for at in missing:
            columns[at].append(str(edge[at]))
        drawn.append(edge)
    height = _ROW * max(map(len, columns)) + 34
    lines: dict[tuple[int, int, int], Counter[str]] = {}
    for function, dependency, host, done in drawn:
        middle = columns[1].index(dependency)
        for key in (
            (0, columns[0].index(function), middle),
            (1, middle, columns[2].index(host)),
        ):
            lines.setdefault(key, Counter()).update(done)
    parts = [_line(*ends, done) for ends, done in lines.items()]
    for at, names in enumerate(columns):
        title = ("function", "dependency", "host")[at]
        parts.append(tag("text", title, x=str(_COLUMNS[at]), y="16", class_="head"))
        parts += [_node(at, row, name) for row, name in enumerate(names)]
    words = (
        f"{len(drawn)} connections of {len(columns[0])} functions through {len(columns[1])}"
        f" dependencies to {len(columns[2])} hosts. The tables below say the same."
    )
    picture = tag(
        "svg",
        *parts,
        viewBox=f"0 0 {_COLUMNS[2] + _WIDE} {height}",
        role="img",
        aria_label=words,
        class_="drawing",
    )
    left = len(edges) - len(drawn)
    note = tag("p", f"and {left:,} more, in the tables", class_="soft") if left else ""
    legend = tag(
        "p",
        Markup(
            " ".join(
                tag("span", word, class_=f"badge {mode}")
                for mode, word in zip(_WORDS, ("blocked", "reported", "allowed"), strict=True)
                if any(done[mode] for *_, done in drawn)
            )
        ),
    )
    frame = tag("div", picture, class_="wide", tabindex="0", role="region", aria_label="Drawing")
    return Markup(frame + legend + note)


def _mode(done: Counter[str]) -> str:
    return next((mode for mode in _WORDS if done[mode]), "other")


def _line(column: int, start: int, end: int, done: Counter[str]) -> Markup:
    left, right = _COLUMNS[column] + _WIDE, _COLUMNS[column + 1]
    top, bottom = (24 + _ROW * row + _HIGH // 2 for row in (start, end))
    middle = (left + right) // 2
    return tag(
        "path",
        d=f"M{left} {top}C{middle} {top} {middle} {bottom} {right} {bottom}",
        class_=f"edge {_mode(done)}",
    )


def _node(column: int, row: int, name: str) -> Markup:
    x, y = _COLUMNS[column], 24 + _ROW * row
    short = name if len(name) <= _LONG else f"{name[: _LONG - 1]}…"
    return tag(
        "g",
        tag("title", name),
        tag("rect", x=str(x), y=str(y), width=str(_WIDE), height=str(_HIGH), rx="6"),
        tag("text", short, x=str(x + 10), y=str(y + 18)),
    )
