"""``-k EXPRESSION``, as pytest has it."""

from __future__ import annotations

from collections.abc import Callable

from fshield.errors import CouldNotRun

#: Nested brackets and words in a row nest calls, and Python's recursion limit is some hundreds.
_MOST = 100


def keyword(expression: str) -> Callable[[str], bool]:
    """Parse ``-k``, as in pytest: words that a name must contain, with ``and``, ``or``, ``not`` and
    brackets.

    Raises:
        CouldNotRun: it is not an expression.
    """
    tokens = expression.replace("(", " ( ").replace(")", " ) ").split()
    if len(tokens) > _MOST:
        raise CouldNotRun(f"-k has {len(tokens):,} words and brackets", f"at most {_MOST}")
    parsed, rest = _either(tokens, expression)
    if rest:
        raise _no_expression(expression, rest[0])
    return parsed


_Test = Callable[[str], bool]


def _either(tokens: list[str], whole: str) -> tuple[_Test, list[str]]:
    left, tokens = _both(tokens, whole)
    while tokens[:1] == ["or"]:
        right, tokens = _both(tokens[1:], whole)
        left = _or(left, right)
    return left, tokens


def _both(tokens: list[str], whole: str) -> tuple[_Test, list[str]]:
    left, tokens = _single(tokens, whole)
    while tokens[:1] == ["and"]:
        right, tokens = _single(tokens[1:], whole)
        left = _and(left, right)
    return left, tokens


def _single(tokens: list[str], whole: str) -> tuple[_Test, list[str]]:
    if not tokens or tokens[0] in ("and", "or", ")"):
        raise _no_expression(whole, tokens[0] if tokens else "its end")
    if tokens[0] == "not":
        inner, tokens = _single(tokens[1:], whole)
        return (lambda name: not inner(name)), tokens
    if tokens[0] == "(":
        inner, tokens = _either(tokens[1:], whole)
        if tokens[:1] != [")"]:
            raise _no_expression(whole, "its end")
        return inner, tokens[1:]
    word = tokens[0].lower()
    return (lambda name: word in name.lower()), tokens[1:]


def _or(left: _Test, right: _Test) -> _Test:
    return lambda name: left(name) or right(name)


def _and(left: _Test, right: _Test) -> _Test:
    return lambda name: left(name) and right(name)


def _no_expression(whole: str, at: str) -> CouldNotRun:
    return CouldNotRun(
        f"-k {whole!r} cannot be read at {at!r}",
        "words with and, or, not and brackets: 'stripe or sqs'",
    )
