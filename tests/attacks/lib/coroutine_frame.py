"""Makes C functions create code objects in the frame of types.coroutine, while that is profiled."""

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
    """The number of profile events before types.coroutine calls co.replace."""
    seen = []

    def note(frame, event, argument):
        seen.append(event == "c_call" and getattr(argument, "__name__", "") == "replace")

    _profiled(note, _generator)
    return seen.index(True)


def replaced(code, function, **parts):
    """`code` with other `parts`, made while types.coroutine runs on `function`; None if that
    failed.
    """
    before = _count()
    made = []
    make = map(made.append, map(operator.methodcaller("replace", **parts), [code]))
    ones = itertools.repeat
    numbers = itertools.chain(ones(1, 3 * before), make, ones(1))
    # Each event evaluates three keys. The interpreter drops a profile function's result.
    profile = functools.partial(max, key=functools.partial(next, numbers))
    try:
        _profiled(profile, function)
    except TypeError:
        pass
    sys.setprofile(None)
    return made[0] if made else None
