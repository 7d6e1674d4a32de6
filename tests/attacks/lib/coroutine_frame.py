"""Code objects that functions of C make in the frame of types.coroutine, while it is profiled."""

import functools
import itertools
import operator
import sys
import types


def _generator():
    yield


def _profiled(profile, function):
    sys.setprofile(profile)
    types.coroutine(function)
    sys.setprofile(None)


def _count():
    """How many events come before co.replace is called."""
    seen = []

    def note(frame, event, argument):
        seen.append(event == "c_call" and getattr(argument, "__name__", "") == "replace")

    _profiled(note, _generator)
    return seen.index(True)


def replaced(code, function, **parts):
    """`code` with other `parts`, made while types.coroutine treats `function`; None if it was not
    made.
    """
    before = _count()
    made = []
    make = map(made.append, map(operator.methodcaller("replace", **parts), [code]))
    ones = itertools.repeat
    numbers = itertools.chain(ones(1, 3 * before), make, ones(1))
    # Each event asks for three keys; what a profile function returns is dropped.
    profile = functools.partial(max, key=functools.partial(next, numbers))
    try:
        _profiled(profile, function)
    except TypeError:
        pass
    sys.setprofile(None)
    return made[0] if made else None
