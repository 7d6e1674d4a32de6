"""Builds HTML safely: every text is escaped, only the tags listed here are made, and the only
script is a constant.

Texts come from logs, and logs from hostile code. Invisible characters (control characters,
bidirectional overrides) are shown as escapes, as on a terminal.
"""

from __future__ import annotations

import html
import re
from functools import cache

from fshield.evidence.events import harmless
from fshield.report.links import is_link
from fshield.report.script import SCRIPT

_TAGS = frozenset(
    (
        "a",
        "body",
        "caption",
        "code",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "footer",
        "g",
        "h1",
        "h2",
        "head",
        "header",
        "html",
        "li",
        "main",
        "meta",
        "p",
        "path",
        "rect",
        "section",
        "small",
        "span",
        "strong",
        "style",
        "svg",
        "summary",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    )
)
_VOID = frozenset({"meta"})
# No attribute that runs, fetches or styles: no on…, src, style, and href only within the page or to
# the pages that `fshield.report.links` names.
_ATTRIBUTES = frozenset(
    (
        "class",
        "data-n",
        "id",
        "rel",
        "href",
        "scope",
        "lang",
        "charset",
        "name",
        "content",
        "open",
        "http-equiv",
        "aria-label",
        "role",
        "tabindex",
        "d",
        "height",
        "rx",
        "viewBox",
        "width",
        "x",
        "y",
    )
)
_FRAGMENT = re.compile(r"#[A-Za-z0-9-]+\Z")


class Markup(str):
    """Text that is HTML already. Made by `tag` only, and of constants."""

    __slots__ = ()


Child = Markup | str | int


def text(value: Child) -> Markup:
    """`value` as HTML: itself if it is markup, else escaped."""
    return (
        value
        if isinstance(value, Markup)
        else Markup(html.escape(harmless(str(value)), quote=True))
    )


@cache
def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def tag(name: str, /, *children: Child, **attributes: str | bool) -> Markup:
    """One element.

    Args:
        name: the tag.
        children: markup, or texts that are escaped.
        attributes: ``class_`` for ``class``, ``_`` for ``-``; True for an attribute without a
            value, False for none.

    Raises:
        ValueError: a tag or attribute that is not on the list, or a link out of the page.
    """
    if name not in _TAGS:
        raise ValueError(f"<{name}> is not made here")
    written = []
    for key, value in attributes.items():
        attribute = _attribute(key)
        if attribute not in _ATTRIBUTES or (
            attribute == "href" and not (_FRAGMENT.match(str(value)) or is_link(str(value)))
        ):
            raise ValueError(f"{attribute}={value!r} is not made here")
        if value is not False:
            written.append(f" {attribute}" if value is True else f' {attribute}="{text(value)}"')
    inside = "".join(text(child) for child in children)
    return Markup(f"<{name}{''.join(written)}>" + ("" if name in _VOID else f"{inside}</{name}>"))


def script() -> Markup:
    """The page's script, and no other."""
    return Markup(f"<script>{SCRIPT}</script>")
