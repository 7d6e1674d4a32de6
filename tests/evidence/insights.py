"""A stand-in for CloudWatch Logs Insights: the semantics of its query language as the user guide
documents them (CWL_QuerySyntax*), for the commands and functions that fshield uses.

- Fields are discovered in lines of JSON, nested ones with dots. A missing field has no value;
  `coalesce` returns the first of its arguments that has one.
- `parse` with a regular expression sets a field for each named group. Lines that do not match are
  kept, without those fields.
- Values are text. Arithmetic uses their numeric value.
- An aggregate over no values has no value. A query returns at most 10,000 rows.

moto serves the API. This module replaces moto's own query engine, which has no `stats`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from moto.logs import models

Row = dict[str, Any]
Value = Any
Expression = Callable[[Row], Value]
MAX_ROWS = 10_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<regex>/(?:[^/\\]|\\.)*/)"
    r"|(?P<name>[@A-Za-z_][@A-Za-z0-9_.]*)|(?P<sign><=|>=|!=|[-+*=<>(),\[\]]))"
)


class MalformedQuery(Exception):
    """CloudWatch answers it as a MalformedQueryException."""


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        if token is None:
            raise MalformedQuery(text[at:])
        assert token.lastgroup
        found.append((token.lastgroup, token[token.lastgroup]))
        at = token.end()
    return [*found, ("end", "")]


def _commands(text: str) -> Iterator[str]:
    """Split a query into commands at each bar outside a string and a regular expression."""
    begin = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/|\|', text):
        if token[0] == "|":
            yield text[begin : token.start()].strip()
            begin = token.end()
    yield text[begin:].strip()


def _number(value: Value) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e7 else repr(value).upper()
    return str(value)


def _regex(text: str) -> re.Pattern[str]:
    return re.compile(text[1:-1].replace("(?<", "(?P<").replace("\\/", "/"))


def _arithmetic(sign: str, one: Value, two: Value) -> float | None:
    left, right = _number(one), _number(two)
    if left is None or right is None:
        return None
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def _compared(sign: str, one: Value, two: Value) -> bool:
    left, right = _number(one), _number(two)
    if left is None or right is None:
        if one is None or two is None:
            return False
        return _ordered(sign, str(one), str(two))
    return _ordered(sign, left, right)


def _ordered(sign: str, left: Any, right: Any) -> bool:
    return bool({
        "=": left == right, "!=": left != right, "<": left < right, "<=": left <= right,
        ">": left > right, ">=": left >= right,
    }[sign])  # fmt: skip


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _strcontains(text: Value, part: Value) -> Value:
    return None if text is None or part is None else float(_shown(part) in _shown(text))


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "coalesce": _coalesce,
    "concat": lambda *values: "".join(_shown(value) for value in values if value is not None),
    "strcontains": _strcontains,
    "toMillis": _number,
    "ispresent": lambda value: value is not None,
}


def _either(one: Expression, two: Expression) -> Expression:
    return lambda row: one(row) or two(row)


def _both(one: Expression, two: Expression) -> Expression:
    return lambda row: one(row) and two(row)


def _calculated(sign: str, one: Expression, two: Expression) -> Expression:
    return lambda row: _arithmetic(sign, one(row), two(row))


class _Parser:
    """A recursive descent parser for expressions."""

    def __init__(self, text: str) -> None:
        self._tokens, self._at = _tokens(text), 0

    @property
    def next(self) -> str:
        return self._tokens[self._at][1]

    def take(self, wanted: str = "") -> tuple[str, str]:
        kind, text = self._tokens[self._at]
        if wanted and text != wanted:
            raise MalformedQuery(f"{text!r} where {wanted!r} should be")
        self._at += 1
        return kind, text

    def end(self) -> None:
        if self._tokens[self._at][0] != "end":
            raise MalformedQuery(f"{self.next!r} is too much")

    def expression(self) -> Expression:
        found = self._and()
        while self.next == "or":
            self.take()
            one, two = found, self._and()
            found = _either(one, two)
        return found

    def _and(self) -> Expression:
        found = self._not()
        while self.next == "and":
            self.take()
            one, two = found, self._not()
            found = _both(one, two)
        return found

    def _not(self) -> Expression:
        if self.next == "not":
            self.take()
            inner = self._not()
            return lambda row: not inner(row)
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        sign = self.next
        if sign in ("=", "!=", "<", "<=", ">", ">="):
            self.take()
            right = self._sum()
            return lambda row: _compared(sign, left(row), right(row))
        if sign == "like":
            self.take()
            kind, text = self.take()
            if kind == "regex":
                pattern = _regex(text)
                return lambda row: pattern.search(str(left(row) or "")) is not None
            part = json.loads(text)
            return lambda row: part in str(left(row) or "")
        if sign == "in":
            self.take()
            among = self._list()
            return lambda row: left(row) in among
        return left

    def _list(self) -> set[str]:
        self.take("[")
        found = set()
        while self.next != "]":
            found.add(json.loads(self.take()[1]))
            if self.next == ",":
                self.take()
        self.take("]")
        return found

    def _sum(self) -> Expression:
        found = self._product()
        while self.next in ("+", "-"):
            _, sign = self.take()
            one, two = found, self._product()
            found = _calculated(sign, one, two)
        return found

    def _product(self) -> Expression:
        found = self._one()
        while self.next == "*":
            self.take()
            one, two = found, self._one()
            found = _calculated("*", one, two)
        return found

    def _one(self) -> Expression:
        kind, text = self.take()
        if kind == "number":
            return lambda _row: float(text)
        if kind == "text":
            value = json.loads(text)
            return lambda _row: value
        if text == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if kind != "name":
            raise MalformedQuery(f"{text!r} is no value")
        if self.next != "(":
            return lambda row: row.get(text)
        values = self.arguments()
        if text not in _FUNCTIONS:
            raise MalformedQuery(f"no function {text}")
        function = _FUNCTIONS[text]
        return lambda row: function(*(value(row) for value in values))

    def arguments(self) -> list[Expression]:
        self.take("(")
        values = []
        while self.next != ")":
            values.append(self.expression())
            if self.next == ",":
                self.take()
        self.take(")")
        return values


# ---- commands ----


def _filter(text: str, rows: list[Row]) -> list[Row]:
    parser = _Parser(text)
    wanted = parser.expression()
    parser.end()
    return [row for row in rows if wanted(row)]


def _parse(text: str, rows: list[Row]) -> list[Row]:
    field, pattern = text.split(" ", 1)
    regex = _regex(pattern.strip())
    if not regex.groupindex or len(regex.groupindex) != regex.groups:
        raise MalformedQuery("parse takes named groups")
    for row in rows:
        value = row.get(field)
        if value is not None and (found := regex.search(_shown(value))):
            row.update({name: part for name, part in found.groupdict().items() if part is not None})
    return rows


def _fields(text: str, rows: list[Row]) -> list[Row]:
    parser = _Parser(text)
    while True:
        begin = parser.next
        value = parser.expression()
        name = begin
        if parser.next == "as":
            parser.take()
            name = parser.take()[1]
        for row in rows:
            row[name] = value(row)
            row.setdefault("", []).append(name)
        if parser.next != ",":
            parser.end()
            return rows
        parser.take(",")


def _aggregate(name: str, values: list[Value]) -> Value:
    if name == "count":
        return float(len(values))
    known = [value for value in values if value is not None]
    if name == "count_distinct":
        return float(len({_shown(value) for value in known}))
    if not known:
        return None
    if name in ("sortsFirst", "sortsLast"):
        return (min if name == "sortsFirst" else max)(_shown(value) for value in known)
    numbers = [number for value in known if (number := _number(value)) is not None]
    functions: dict[str, Callable[[list[float]], float]] = {"min": min, "max": max, "sum": sum}
    return functions[name](numbers) if numbers else None


def _stats(text: str, rows: list[Row]) -> list[Row]:
    parser = _Parser(text)
    wanted: list[tuple[str, Expression, str]] = []
    while True:
        function = parser.take()[1]
        parser.take("(")
        if parser.next == "*":
            parser.take()
            value: Expression = lambda _row: 1  # noqa: E731
        else:
            value = parser.expression()
        parser.take(")")
        parser.take("as")
        wanted.append((function, value, parser.take()[1]))
        if parser.next != ",":
            break
        parser.take(",")
    parser.take("by")
    by = [parser.take()[1]]
    while parser.next == ",":
        parser.take()
        by.append(parser.take()[1])
    parser.end()
    groups: dict[tuple[Value, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(name) for name in by), []).append(row)
    return [
        {
            **dict(zip(by, key, strict=True)),
            **{as_: _aggregate(name, [value(row) for row in of]) for name, value, as_ in wanted},
            "": [*by, *(as_ for _, _, as_ in wanted)],
        }
        for key, of in groups.items()
    ]


def _sort(text: str, rows: list[Row]) -> list[Row]:
    field, order = text.split()
    return sorted(rows, key=lambda row: row[field], reverse=order == "desc")


def _limit(text: str, rows: list[Row]) -> list[Row]:
    if int(text) > 10_000:
        raise MalformedQuery("limit")
    return rows[: min(int(text), MAX_ROWS)]


_COMMANDS = {
    "filter": _filter, "parse": _parse, "fields": _fields, "stats": _stats, "sort": _sort,
    "limit": _limit,
}  # fmt: skip


def _discovered(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _discovered(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _discovered(inner, f"{name}.{number}")
    elif value is not None and name:
        yield name, str(value)


@dataclass(frozen=True)
class Line:
    """A line of a log group: its ingestion time in milliseconds, and its message."""

    log: str
    at: int
    message: str

    def fields(self) -> Row:
        """The fields that CloudWatch discovers in the line."""
        found: Row = {}
        with suppress(ValueError, RecursionError):
            found = dict(_discovered(json.loads(self.message), ""))
        return {**found, "@log": self.log, "@timestamp": float(self.at), "@message": self.message}


def answer(query: str, lines: Sequence[Line]) -> list[dict[str, str]]:
    """The rows that a query returns. Raises MalformedQuery."""
    if len(query) > 10_000:
        raise MalformedQuery("too long")
    rows = [line.fields() for line in lines]
    for command in _commands(query):
        name, _, rest = command.partition(" ")
        if name.strip() not in _COMMANDS:
            raise MalformedQuery(f"no command {name}")
        rows = _COMMANDS[name](" ".join(rest.split("\n")), rows)
    return [
        {name: _shown(row[name]) for name in row.get("", ()) if row.get(name) is not None}
        for row in rows[:MAX_ROWS]
    ]


@contextmanager
def insights(patch: pytest.MonkeyPatch, others: bool = False) -> Iterator[list[str]]:
    """Replace moto's query engine by this one. Yields the list of queries that were run.

    Args:
        others: people ask their own queries, in words that this engine does not know. They get no
            rows.
    """
    asked: list[str] = []

    def execute(log_groups: Any, query: str, start_time: int, end_time: int) -> list[Any]:
        asked.append(query)
        account = "123456789012"
        found = [
            Line(f"{account}:{group.name}", event.timestamp, event.message)
            for group in log_groups
            for stream in group.streams.values()
            for event in stream.events
            if start_time * 1000 <= event.timestamp < (end_time + 1) * 1000
        ]
        try:
            rows = answer(query, found)
        except MalformedQuery:
            if not others:
                raise
            rows = []
        whole = sum(len(line.message) for line in found)
        return [*rows, whole]

    def results(query: Any) -> dict[str, Any]:
        *rows, whole = query.results
        return {
            "results": [
                [{"field": name, "value": value} for name, value in row.items()] for row in rows
            ],
            "statistics": {"bytesScanned": float(whole)},
            "status": query.status,
        }

    with patch.context() as patched:
        patched.setattr(models, "execute_query", execute)
        patched.setattr(models.LogQuery, "to_result_json", results)
        yield asked
