"""Extracts a file's prose: everything else becomes blanks, and the lines stay the same."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

_FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.DOTALL)
# Code spans, addresses of pages, and HTML's comments.
_SPANS = re.compile(r"``[^`]+``|`[^`]+`|\]\([^)]*\)|https?://\S+|<!--.*?-->", re.DOTALL)


def prose(path: Path) -> str:
    """The prose of a Markdown, Python or C file."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        text = _FENCE.sub(_blank, text)
    elif path.suffix == ".py":
        text = _python(text)
    else:
        text = _c(text)
    return _SPANS.sub(_blank, text)


def _blank(found: re.Match[str]) -> str:
    """As many blanks, in the same lines and columns."""
    return re.sub(r"[^\n]", " ", found[0])


def _c(text: str) -> str:
    kept = []
    at = 0
    for found in _COMMENT.finditer(text):
        kept.append(re.sub(r"[^\n]", " ", text[at : found.start()]))
        kept.append(found[0] if found[0].startswith("/") else _blank(found))
        at = found.end()
    return "".join(kept) + re.sub(r"[^\n]", " ", text[at:])


def _python(text: str) -> str:
    lines = [" " * len(line) for line in text.split("\n")]
    source = text.split("\n")
    for first, last in _docstrings(text):
        lines[first - 1 : last] = source[first - 1 : last]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            row, column = token.start
            lines[row - 1] = " " * column + token.string
    return "\n".join(lines)


def _docstrings(text: str) -> list[tuple[int, int]]:
    """The first and the last line of each docstring."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if first is not None and ast.get_docstring(node, clean=False) is not None:
                found.append((first.lineno, first.end_lineno or first.lineno))
    return found
