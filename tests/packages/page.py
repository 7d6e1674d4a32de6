"""Writes docs/packages.md, from the rows and the lock file. A run writes the page only if each row
behaves as declared."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from tests import support
from tests.packages.rows import HERE, Expected, Quiet, Row

PAGE = support.ROOT / "docs" / "packages.md"
SAID = {
    "allowed": "Allowed by an entry of `default`",
    "quiet": "Blocked without an event",
    "reported": "Reported",
    "blocked": "Blocked, with an event",
    "unreached": "Not reached, because of what is blocked before",
}
ACCEPTED = (
    "`learn` holds back what a package does by itself, or with no caller on the stack; a person"
    " accepts it"
)
WHEN = {"import": "at import", "use": "in use"}
HEAD = """# What do the most used packages do, and what does `default` make of it?

Written by `make packages`, from `tests/packages/packages.yaml` and a run of each row: an import and
an ordinary use of the real package, by a handler under AWS's runtime client and emulator, invoked
twice, in a network and a `/tmp` of its own. Each row runs

- without the guard;
- under `monitor`: the answers are the same, and the events are exactly those below;
- under `default`: the events are those that `default` reports or blocks, and no others. Where it
  blocks none, the answers are the same;
- where `default` blocks something, under a policy that extends it by the entries at the end of
  this page: nothing is blocked, and the answers are the same;
- where `monitor` reports something, under the policy that `fshield learn` writes from that: nothing
  that was blocked makes an event, and the answers are the same.

All packages lie in one environment. A package that uses another one where it finds it, as pandas
uses pyarrow, does so here.
"""


def versions() -> dict[str, str]:
    """The versions of these packages in the lock file, or of the first one that it has."""
    found: dict[str, str] = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)", (HERE / "packages.lock").read_text(), re.MULTILINE
    ):
        found.setdefault(_normal(name), version)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _entry(text: str) -> str:
    return textwrap.fill(
        f"- {text}",
        100,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _title(row: Row, known: dict[str, str]) -> str:
    parts = [
        f"{name} {known[_normal(name)]}" if _normal(name) in known else name
        for name in row.package.split(", ")
    ]
    return ", ".join(parts)


def _flow(value: object) -> str:
    """YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    text = str(value)
    return f'"{text}"' if re.search(r"[*?{}\[\],#&!%@`]|: ", text) else text


def _quoted(pattern: str) -> str:
    shown = re.sub(r"\\(.)", r"\1", pattern)
    return f"`{shown}`"


def _decided(rows: Sequence[Row], word: str, known: dict[str, str]) -> list[str]:
    """The acts that `default` treats in the same way, each with the packages that perform it."""
    found: dict[Expected, list[str]] = {}
    for row in rows:
        for one in row.events:
            if one.default == word:
                found.setdefault(one, []).append(_title(row, known))
    return [
        _entry(f"{', '.join(names)}: `{one.rule}`, {_quoted(one.at)}, {WHEN[one.when]}: {one.why}.")
        for one, names in found.items()
    ]


def _silent(rows: Sequence[Row], known: dict[str, str]) -> list[str]:
    found: dict[Quiet, list[str]] = {}
    for row in rows:
        for one in row.quiet:
            found.setdefault(one, []).append(_title(row, known))
    return [_entry(f"{', '.join(names)}: `{one.path}`: {one.why}.") for one, names in found.items()]


def document(rows: Sequence[Row]) -> str:
    """The page."""
    known = versions()
    nothing = [row for row in rows if not row.expected() and not row.quiet]
    network = [row for row in rows if row.hosts]
    lines = [
        HEAD,
        _wrapped(
            f"{len(rows)} rows. {len(nothing)} do nothing that a rule is about, and"
            f" {len(network)} connect to a host of theirs, which `default` blocks: a policy names"
            " it. The rest is below."
        ),
        "",
        "## Nothing that a rule is about",
        "",
        *[_entry(_title(row, known)) for row in nothing],
        "",
    ]
    for word, title in SAID.items():
        acts = _decided(rows, word, known)
        if word == "quiet":
            acts += _silent(rows, known)
        lines += [f"## {title}", "", *acts, ""]
    lines += [
        "## Learnt with a person's help",
        "",
        *[_entry(f"{_title(row, known)}: {ACCEPTED}.") for row in rows if row.accept],
        *[_entry(f"{_title(row, known)}: {row.held}.") for row in rows if row.held],
        "",
    ]
    lines += ["## What a policy says besides", "", "```yaml"]
    for row in rows:
        if row.more():
            lines.append(f"# {_title(row, known)}")
            lines += [f"{rule}: {_flow(more)}" for rule, more in row.more().items()]
    return "\n".join([*lines, "```", ""])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
