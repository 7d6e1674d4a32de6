"""Reads YAML into a small tree in which every key and value has its line and column.

Stricter than YAML, because a policy is read by people in a hurry: no aliases, no tags, no duplicate
keys, one document. Words are words: YAML 1.1 would turn ``allow_mode_override: [alert, off]`` into
``[alert, False]``. Everything is bounded before it is parsed, and every error ends in one
PolicyError.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fshield.errors import CouldNotRun, Finding, Level, PolicyError, shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_NODES = 50_000
MAX_FILE_NAME = 128

Scalar = str | int | bool | None
Location = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
# What YAML 1.2 calls printable (https://yaml.org/spec/1.2.2/#51-character-set), less the byte order
# mark and the line breaks that editors do not count, so that our line numbers are theirs.
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    "|\r(?!\n)"
)


@dataclass
class Node:
    """A value with its position. `value` is a scalar, a dict of key to (key's node, value's node),
    or a list of nodes.
    """

    line: int
    column: int
    value: Scalar | dict[str, tuple[Node, Node]] | list[Node]

    def plain(self) -> Any:
        """The value as plain Python data."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, (_, child) in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


@dataclass
class Document:
    """A policy file that was read.

    Args:
        file: the path as the user named it, for messages.
        root: its tree.
        lines: its text, for excerpts.
    """

    file: str
    root: Node
    lines: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The file's name without folders. Sources in a compiled policy begin with it."""
        return Path(self.file).name

    def find(self, location: Location, key: bool = False) -> Node:
        """The node at `location`, or the deepest one on the way there.

        Args:
            location: keys and indices. Unknown ones are skipped, so that pydantic's locations can
                be used.
            key: return the last key instead of its value.
        """
        node = self.root
        for step in location:
            if isinstance(node.value, dict) and isinstance(step, str) and step in node.value:
                key_node, child = node.value[step]
                node = key_node if key and step == location[-1] else child
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
        return node

    def finding(
        self,
        level: Level,
        node: Node,
        message: str,
        allowed: str | None = None,
        fix: str | None = None,
    ) -> Finding:
        """A finding about `node`."""
        return make_finding(
            level, self.file, self.lines, (node.line, node.column), message, allowed, fix
        )

    def source(self, node: Node) -> str:
        """``FILE:LINE`` of `node`, as events show it."""
        return f"{self.base}:{node.line}"


def make_finding(
    level: Level,
    file: str,
    lines: list[str],
    place: tuple[int, int],
    message: str,
    allowed: str | None = None,
    fix: str | None = None,
) -> Finding:
    """A finding at `place` (line, column), with the text of that line."""
    line, column = place
    excerpt = lines[line - 1] if 0 < line <= len(lines) else None
    return Finding(level, file, line, column, message, allowed, fix, excerpt or None)


def read(path: Path) -> Document:
    """Read the policy file `path`.

    Raises:
        CouldNotRun: it cannot be read.
        PolicyError: it is not the YAML of a policy.
    """
    name = os.fsencode(path.name)
    if len(name) > MAX_FILE_NAME or not path.name.isprintable():
        raise CouldNotRun(
            f"{shown(str(path))}: this file name does not fit into events",
            f"give the policy a printable name of at most {MAX_FILE_NAME} bytes",
        )
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise CouldNotRun(f"{path}: is a folder", "name a policy file in it")
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CouldNotRun(
            f"{path}: {error.strerror}", "name a policy file that exists and can be read"
        ) from error
    except ValueError as error:  # an embedded NUL in the name
        raise CouldNotRun(f"{shown(str(path))}: {error}") from error
    return parse(str(path), content or b"")


def parse(file: str, content: bytes) -> Document:
    """Parse `content`, which came from `file`. Raises PolicyError."""
    text = _decode(file, content)
    lines = [line.rstrip("\r") for line in text.split("\n")]
    builder = _Builder(file, lines)
    try:
        root = builder.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        in_alias = "scanning an a" in (
            error.context or ""
        )  # an alias or an anchor: what begins it is what is wrong
        mark = (in_alias and error.context_mark) or error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise PolicyError(_syntax_finding(builder, place, error)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise builder.error((1, 1), f"this is not YAML: {str(error).splitlines()[0]}") from None
    return Document(file, root, lines)


def _decode(file: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _plain_error(
            file,
            content[:MAX_BYTES].decode("utf-8", "replace"),
            0,
            f"the file is larger than {MAX_BYTES // 1024} KB",
            "a policy file of at most 256 KB",
            "is this the right file? a policy of a thousand rules has about 60 KB",
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _plain_error(file, "", 0, "the file is UTF-16", "UTF-8 text", "save it as UTF-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        raise _plain_error(
            file,
            before,
            len(before),
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            "UTF-8 text",
            "save it as UTF-8",
        ) from None
    text = text.removeprefix("\ufeff")
    found = _UNPRINTABLE.search(text)
    if found:
        name = "a NUL byte" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
        raise _plain_error(
            file, text, found.start(), f"{name} in the text", "printable text", "take it out"
        )
    if not text.strip():
        raise _plain_error(
            file,
            text,
            0,
            "the file is empty",
            "a document with `version: 1` and `policy:`",
            "begin with a copy of policies/monitor.yaml",
        )
    return text


def _plain_error(
    file: str, text: str, at: int, message: str, allowed: str, fix: str
) -> PolicyError:
    """An error at character `at`, before there are lines and nodes."""
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return PolicyError(Finding("error", file, line, column, message, allowed, fix))


def _syntax_finding(
    builder: _Builder, place: tuple[int, int], error: yaml.MarkedYAMLError
) -> Finding:
    problem = " ".join((error.problem or "it cannot be read").split())
    context = f" {error.context}" if error.context else ""
    if "'\\t'" in problem:
        message, allowed, fix = (
            "a tab where YAML wants spaces",
            "spaces",
            "put two spaces in place of each tab",
        )
    elif "undefined alias" in problem or "scanning an a" in context:
        message, allowed, fix = _NO_ALIAS
    else:
        message = f"this is not YAML:{context} {problem}".rstrip()
        allowed = (
            "YAML: `key: value` lines, two spaces deeper for what belongs to a key, `- ` before"
            " list entries"
        )
        fix = "look at this line and the one before it"
        if "mapping values are not allowed" in problem:
            fix = "two keys on one line, or a wrong indentation: give each key a line of its own"
        elif "got '?'" in problem:
            fix = 'put the value in quotes: "/tmp/a?c"'
        elif "found character" in problem:
            fix = 'put the value in quotes: "*.example.org"'
    return make_finding(
        "error", builder.file, builder.lines, place, shown(message, 200)[1:-1], allowed, fix
    )


_NO_ALIAS = (
    "anchors and aliases (`&name`, `*name`) are not used in policies",
    "plain values",
    'write the value out, or quote it: "*.example.org"',
)


class _Builder:
    """Builds the tree from the parser's events, so that everything is counted before it is
    expanded.
    """

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file = file
        self.lines = lines
        self.nodes = 0

    def error(
        self,
        place: tuple[int, int],
        message: str,
        allowed: str | None = None,
        fix: str | None = None,
    ) -> PolicyError:
        return PolicyError(
            make_finding("error", self.file, self.lines, place, message, allowed, fix)
        )

    def document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self.error(
                        _place(event),
                        "a second document in one file",
                        "one policy a file",
                        "take out the `---`",
                    )
                root = self.node(next(events), events, 0)
        if root is None or root.value is None:
            raise self.error(
                (1, 1),
                "the file has nothing but comments",
                "a document with `version: 1` and `policy:`",
                "begin with a copy of policies/monitor.yaml",
            )
        return root

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        self.nodes += 1
        place = _place(event)
        if self.nodes > MAX_NODES:
            raise self.error(
                place, f"more than {MAX_NODES} values", "fewer rules", "is this the right file?"
            )
        if depth > MAX_DEPTH:
            raise self.error(
                place,
                "nested too deeply",
                f"at most {MAX_DEPTH} levels; a policy has five",
                "is this the right file?",
            )
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self.error(place, *_NO_ALIAS)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self.error(
                place,
                f"tags like {shown(tag)} are not used in policies",
                "plain values",
                "take the tag out",
            )
        if isinstance(event, yaml.MappingStartEvent):
            return Node(*place, self.mapping(events, depth + 1))
        if isinstance(event, yaml.SequenceStartEvent):
            children: list[Node] = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                children.append(self.node(event, events, depth + 1))
            return Node(*place, children)
        assert isinstance(event, yaml.ScalarEvent)
        return Node(*place, resolve(event.value) if event.implicit[0] else event.value)

    def mapping(self, events: Iterator[yaml.Event], depth: int) -> dict[str, tuple[Node, Node]]:
        found: dict[str, tuple[Node, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.node(event, events, depth)
            if isinstance(key.value, (dict, list)) or key.value is None:
                raise self.error(
                    (key.line, key.column),
                    "a key must be a word",
                    "`key: value`",
                    "quote the key, or take it out",
                )
            name = key.value if isinstance(key.value, str) else shown(key.value)
            if name in found:
                first = found[name][0].line
                raise self.error(
                    (key.line, key.column),
                    f"{shown(name)} stands here a second time (first on line {first})",
                    "each key once",
                    "join the two",
                )
            found[name] = (key, self.node(next(events), events, depth))
        return found


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar: null, true, false, a decimal integer, or the text as it
    stands."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _INTEGER.match(text) else text


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
