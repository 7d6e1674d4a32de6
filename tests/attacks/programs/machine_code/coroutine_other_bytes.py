# class: machine_code
# rule: native_code
# success: types.coroutine is profiled by functions of C alone, which make a code object with other
#   bytes in its frame; since 3.11 the interpreter writes beyond them, before anything runs them
# proof: word
import functools
import itertools
import operator
import sys
import types

from attack import attempt


def generator():
    yield


def other():
    yield


def template():
    return "one"


def profiled(profile, function):
    sys.setprofile(profile)
    types.coroutine(function)
    sys.setprofile(None)


def count():
    """How many events come before co.replace is called."""
    seen = []

    def note(frame, event, argument):
        seen.append(event == "c_call" and getattr(argument, "__name__", "") == "replace")

    profiled(note, generator)
    return seen.index(True)


@attempt
def craft():
    before = count()
    made = []
    code = template.__code__
    # Twice what it was. The last instruction could have room for caches that is not there.
    crafting = operator.methodcaller(
        "replace", co_code=code.co_code * 2, co_flags=code.co_flags | 0x100
    )
    make = map(made.append, map(crafting, [code]))
    ones = itertools.repeat
    numbers = itertools.chain(ones(1, 3 * before), make, ones(1))
    # Each event asks for three keys; what a profile function returns is dropped.
    profile = functools.partial(max, key=functools.partial(next, numbers))
    try:
        profiled(profile, other)
    except TypeError:
        pass
    sys.setprofile(None)
    return made[0].co_code == code.co_code * 2
