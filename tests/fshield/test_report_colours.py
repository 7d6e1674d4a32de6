"""The report's colours, light and dark: text has a contrast of at least 4.5:1 by WCAG 2's
formula."""

from __future__ import annotations

import re

import pytest

from fshield.report.style import CSS

# Which text colours appear on which backgrounds, according to the style sheet.
TEXTS = [
    *(("ink", ground) for ground in ("ground", "card")),
    *(("soft", ground) for ground in ("ground", "card")),
    *(("link", ground) for ground in ("ground", "card")),
    *(
        (colour, ground)
        for colour in ("red", "amber", "green")
        for ground in (f"{colour}-g", "card")
    ),
]


def themes() -> dict[str, dict[str, str]]:
    """The custom properties of each theme. The dark theme overrides the light one."""
    light, dark = re.findall(r":root\{([^}]*)\}", CSS)
    read = [dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[0] | read[1]}


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_the_formula() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("colour", "ground"), TEXTS)
def test_text_is_readable(theme: str, colour: str, ground: str) -> None:
    colours = themes()[theme]
    assert contrast(colours[colour], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_is_looked_at(theme: str) -> None:
    """Every colour in the style sheet is in the table above, and the dark theme defines each."""
    light, dark = re.findall(r":root\{([^}]*)\}", CSS)
    named = {name for pair in TEXTS for name in pair} | {"line"}
    assert set(re.findall(r"--([a-z-]+):", light if theme == "light" else dark)) == named


def test_no_other_colour_is_written() -> None:
    sheet = re.sub(r":root\{[^}]*\}", "", CSS)
    assert re.findall(r"#[0-9a-f]{3,6}\b|rgba?\(", sheet) == []
