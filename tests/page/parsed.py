"""Parses a page into a tree."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

_VOID = frozenset({"meta", "input"})


class Element:
    """One element and its content.

    Args:
        tag, attributes: as written.
    """

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.inside: list[Element | str] = []

    @property
    def text(self) -> str:
        """All text in the element, with runs of white space as one blank."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for each in self.inside:
            if isinstance(each, str):
                yield each
            elif each.tag not in ("script", "style"):
                yield from each._texts()
                yield " "

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """The elements below with this tag, whose attributes contain these words."""
        found = []
        for each in self.inside:
            if isinstance(each, Element):
                words = {
                    name: set(each.attributes.get(name.rstrip("_"), "").split())
                    for name in attributes
                }
                if tag in ("", each.tag) and all(
                    set(value.split()) <= words[name] for name, value in attributes.items()
                ):
                    found.append(each)
                found += each.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def rows(self) -> list[dict[str, str]]:
        """The rows of a table, by the headings of its columns."""
        heads = [head.text for head in self.one("thead").all("th")]
        return [
            dict(
                zip(
                    heads,
                    [
                        cell.text
                        for cell in row.inside
                        if isinstance(cell, Element) and cell.tag in ("td", "th")
                    ],
                    strict=True,
                )
            )
            for row in self.one("tbody").inside
            if isinstance(row, Element)
        ]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def parsed(content: str) -> Element:
    """Parse the page. Bad nesting is an error."""
    builder = _Builder()
    builder.feed(content)
    builder.close()
    assert len(builder.open) == 1
    return builder.open[0]
