"""Adds allow entries to a policy file, and changes nothing else in it.

PyYAML's nodes have the position of everything. The text is changed line by line, so that comments,
quotes and columns stay as the author wrote them. The result is parsed again before it is used.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fshield.errors import CouldNotRun
from fshield.language.loader import resolve
from fshield.language.model import RULES
from fshield.language.policy import Policy
from fshield.language.reader import Document, parse


@dataclass(frozen=True)
class Addition:
    """An entry to add.

    Args:
        rule: the rule that gets it.
        entry: in one line of YAML, without the dash.
        comment: for the end of the line; "" for none.
    """

    rule: str
    entry: str
    comment: str = ""

    @property
    def line(self) -> str:
        """The line with the dash, without indentation."""
        return f"- {self.entry}" + (f"  # {self.comment}" if self.comment else "")


@dataclass(frozen=True)
class _Splice:
    """Replace the lines from `start` (counted from 0) to before `end` by `lines`. `order` sorts
    changes at the same place.
    """

    start: int
    end: int
    lines: list[str]
    order: int = 0


def with_entries(
    document: Document,
    name: str,
    additions: Iterable[Addition],
    without: Iterable[tuple[str, int]] = (),
    quiet: Sequence[str] = (),
) -> tuple[str, Policy]:
    """The file's text with `additions`, and the resulting policy.

    Args:
        document: the file.
        name: of the policy.
        additions: what to add.
        without: entries to remove, as rules and indices (from 0) in their `allow` lists. Each must
            be one line, in a rule that also gets an addition.
        quiet: distributions to add to the `quiet` of `read_handler`.

    Raises:
        CouldNotRun: the file is written in a form that a program cannot change.
        PolicyError: the policy would be wrong with these entries.
    """
    by_rule: dict[str, list[Addition]] = {}
    for addition in additions:
        by_rule.setdefault(addition.rule, []).append(addition)
    text = "\n".join(document.lines)
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    policy_node = _child(root, "policy")
    if _child(root, "version") is None:
        raise CouldNotRun(
            f"{document.file}: FunctionShield's options have no exceptions",
            "write it as a policy: `version: 1` on the first line, then docs/policy.md",
        )
    if policy_node is None or policy_node.flow_style or not policy_node.value:
        raise CouldNotRun(
            f"{document.file}: there is no `policy:` of several lines in it", "write one key a line"
        )
    gone: dict[str, set[int]] = {}
    for rule, at in without:
        gone.setdefault(rule, set()).add(at)
    splices = [
        _splice(document, policy_node, rule, added, gone.get(rule, set()))
        for rule, added in by_rule.items()
    ]
    splices += [cut for rule in by_rule for cut in _cuts(policy_node, rule, gone.get(rule, set()))]
    splices += [_with_quiet(document, policy_node, quiet)] if quiet else []
    lines = list(document.lines)
    # From the end of the file to its beginning, so that the lines still to change keep their
    # numbers. At the same line, replace before inserting.
    for splice in sorted(
        splices, key=lambda splice: (-splice.start, splice.start == splice.end, -splice.order)
    ):
        lines[splice.start : splice.end] = splice.lines
    changed = "\n".join(lines)
    return changed, resolve(parse(document.file, changed.encode("utf-8")), name)


def raw(path: Path) -> bytes:
    """The file's bytes, which show its line ends. Raises CouldNotRun."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CouldNotRun(f"{path}: {error.strerror}", "name a policy file") from error


def as_written(changed: str, before: bytes) -> bytes:
    """`changed`, with the file's byte order mark and line ends."""
    crlf = before.count(b"\r\n") * 2 > before.count(b"\n")
    content = changed.replace("\n", "\r\n") if crlf else changed
    return (b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b"") + content.encode(
        "utf-8"
    )


def difference(document: Document, changed: str) -> list[str]:
    """A unified diff as a list of lines, in the format of ``git diff`` and ``patch``."""
    old = "\n".join(document.lines)
    return list(
        difflib.unified_diff(
            old.splitlines(), changed.splitlines(), document.file, document.file, lineterm="", n=2
        )
    )


def _cuts(policy: Any, rule: str, gone: set[int]) -> list[_Splice]:
    """Remove entries from a list that has one entry per line."""
    value = _child(policy, rule)
    if value is None or not isinstance(value.value, list) or value.flow_style:
        return []
    allow = _child(value, "allow")
    if allow is None or allow.flow_style:
        return []
    return [
        _Splice(item.start_mark.line, item.start_mark.line + 1, [])
        for at, item in enumerate(allow.value)
        if at in gone and item.start_mark.line == _last_line(item)
    ]


def _splice(
    document: Document, policy: Any, rule: str, added: list[Addition], gone: set[int]
) -> _Splice:
    indent = policy.start_mark.column
    found = next(((key, value) for key, value in policy.value if key.value == rule), None)
    if found is None:
        end = _last_line(policy) + 1
        lines = [
            f"{' ' * indent}{rule}:",
            f"{' ' * (indent + 2)}allow:",
            *_items(indent + 4, added),
        ]
        return _Splice(end, end, lines, RULES.index(rule))
    key, value = found
    if not isinstance(value.value, list):
        return _from_scalar(document, key, value, added)
    if value.flow_style:
        return _from_flow(document, key, value, added, gone)
    allow = _child(value, "allow")
    inner = value.start_mark.column
    if allow is None:
        end = _last_line(value) + 1
        return _Splice(end, end, [f"{' ' * inner}allow:", *_items(inner + 2, added)])
    if allow.flow_style:
        allow_key = next(key for key, _ in value.value if key.value == "allow")
        items = [_slice(document, item) for at, item in enumerate(allow.value) if at not in gone]
        _refuse_comments(document, allow)
        rest = document.lines[allow.end_mark.line][allow.end_mark.column :].rstrip()
        lines = [
            f"{' ' * inner}{_slice(document, allow_key)}:{rest}",
            *(f"{' ' * (inner + 2)}- {item}" for item in items),
            *_items(inner + 2, added),
        ]
        return _Splice(allow_key.start_mark.line, allow.end_mark.line + 1, lines)
    at = allow.value[0].start_mark.line
    found_dash = re.match(r"( *)-(?: |$)", document.lines[at]) or re.match(
        r"( *)-$", document.lines[at - 1].rstrip()
    )
    if found_dash is None:
        raise CouldNotRun(
            f"{document.file}:{at + 1}: this list is written in a form that is not changed",
            "- ENTRY",
        )
    dash = len(found_dash[1])
    end = _last_line(allow) + 1
    return _Splice(end, end, _items(dash, added))


def _from_scalar(document: Document, key: Any, value: Any, added: list[Addition]) -> _Splice:
    """Turn ``rule: block`` into a mapping of several lines. A comment after it stays with the
    rule.
    """
    line, indent = key.start_mark.line, key.start_mark.column
    if value.end_mark.line != line:
        raise CouldNotRun(
            f"{document.file}:{line + 1}: this is written in a form that is not changed",
            "one line a key",
        )
    rest = document.lines[line][value.end_mark.column :].rstrip()
    lines = [
        f"{document.lines[line][: key.end_mark.column]}:{rest}",
        f"{' ' * (indent + 2)}mode: {_slice(document, value)}",
        f"{' ' * (indent + 2)}allow:",
        *_items(indent + 4, added),
    ]
    return _Splice(line, line + 1, lines)


def _from_flow(
    document: Document, key: Any, value: Any, added: list[Addition], gone: set[int]
) -> _Splice:
    """Turn ``rule: {mode: block, allow: […]}`` into a mapping of several lines."""
    _refuse_comments(document, value)
    indent = key.start_mark.column
    rest = document.lines[value.end_mark.line][value.end_mark.column :].rstrip()
    lines = [f"{document.lines[key.start_mark.line][: key.end_mark.column]}:{rest}"]
    entries: list[str] = []
    for inner, child in value.value:
        if inner.value == "allow":
            entries = [
                _slice(document, item) for at, item in enumerate(child.value) if at not in gone
            ]
        else:
            lines.append(
                f"{' ' * (indent + 2)}{_slice(document, inner)}: {_slice(document, child)}"
            )
    lines.append(f"{' ' * (indent + 2)}allow:")
    lines += [f"{' ' * (indent + 4)}- {entry}" for entry in entries]
    return _Splice(
        key.start_mark.line, value.end_mark.line + 1, [*lines, *_items(indent + 4, added)]
    )


def _with_quiet(document: Document, policy: Any, names: Sequence[str]) -> _Splice:
    """Add `names` to the `quiet` of `read_handler`; creates it if necessary."""
    rule = "read_handler"
    value = _child(policy, rule)
    added = ", ".join(names)
    if value is None:
        end = _last_line(policy) + 1
        line = f"{' ' * policy.start_mark.column}{rule}: {{quiet: [{added}]}}"
        return _Splice(end, end, [line], RULES.index(rule))
    if not isinstance(value.value, list):
        return _mode_with(document, value, f"quiet: [{added}]")
    there = _child(value, "quiet")
    if there is None and value.flow_style:
        return _inserted(document, value, f"quiet: [{added}]")
    if there is None:
        end = _last_line(value) + 1
        return _Splice(end, end, [f"{' ' * value.start_mark.column}quiet: [{added}]"])
    if there.flow_style:
        return _inserted(document, there, added)
    end = _last_line(there) + 1
    return _Splice(end, end, [f"{' ' * there.start_mark.column}- {name}" for name in names])


def _mode_with(document: Document, node: Any, text: str) -> _Splice:
    """Turn ``rule: block`` into ``rule: {mode: block, …}``."""
    number, line = node.start_mark.line, document.lines[node.start_mark.line]
    if node.end_mark.line != number:
        raise CouldNotRun(
            f"{document.file}:{number + 1}: this is written in a form that is not changed",
            "one line a key",
        )
    start, end = node.start_mark.column, node.end_mark.column
    value = f"{{mode: {line[start:end]}, {text}}}"
    return _Splice(number, number + 1, [line[:start] + value + line[end:]])


def _inserted(document: Document, node: Any, text: str) -> _Splice:
    """Insert `text` as the last element within the node's brackets."""
    number, at = node.end_mark.line, node.end_mark.column - 1
    line = document.lines[number]
    before = line[:at].rstrip()
    comma = ", " if node.value and before and not before.endswith(",") else ""
    space = " " if before.endswith(",") else ""
    return _Splice(number, number + 1, [f"{before}{comma}{space}{text}{line[at:]}"])


def _items(indent: int, added: list[Addition]) -> list[str]:
    return [f"{' ' * indent}{addition.line}" for addition in added]


def _child(node: Any, name: str) -> Any:
    if node is None or not isinstance(node.value, list):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _last_line(node: Any) -> int:
    """The line (from 0) of the node's last word. A block node itself ends only after the comments
    that follow it.
    """
    if isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    # A scalar of several lines ends where the next token begins.
    beyond = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return int(node.end_mark.line) - (1 if beyond else 0)


def _slice(document: Document, node: Any) -> str:
    """The node's source text, in one line."""
    start, end = node.start_mark, node.end_mark
    text: str
    if start.line == end.line:
        text = document.lines[start.line][start.column : end.column]
        return text
    middle = document.lines[start.line + 1 : end.line]
    parts = [
        document.lines[start.line][start.column :],
        *middle,
        document.lines[end.line][: end.column],
    ]
    return " ".join(part.strip() for part in parts if part.strip())


def _refuse_comments(document: Document, node: Any) -> None:
    """Comments within brackets would get lost, or end up next to something else."""
    for number in range(node.start_mark.line, node.end_mark.line):
        if "#" in document.lines[number]:
            raise CouldNotRun(
                f"{document.file}:{number + 1}: there is a `#` within brackets",
                "write the list with one `- ` a line first",
            )
