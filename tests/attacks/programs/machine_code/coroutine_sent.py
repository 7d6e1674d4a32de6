# class: machine_code
# rule: native_code
# needs: python>=3.13 python<3.14
# success: types.coroutine is profiled by functions of C alone, which make a code object in its
#   frame, with the flag that types.coroutine sets; then another interpreter runs it
# proof: word
import functools
import itertools
import operator
import os
import sys
import types

import _interpreters
from attack import attempt

MARK = os.path.abspath("crafted")


def generator():
    yield


def other():
    yield


template = compile('open("as it was", "w").close()', "<template>", "exec")


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
    own = _interpreters.create()
    made = []
    constants = tuple(MARK if one == "as it was" else one for one in template.co_consts)
    flags = template.co_flags | 0x100
    crafting = operator.methodcaller("replace", co_consts=constants, co_flags=flags)
    make = map(made.append, map(crafting, [template]))
    ones = itertools.repeat
    numbers = itertools.chain(ones(1, 3 * before), make, ones(1))
    # Each event asks for three keys; what a profile function returns is dropped.
    profile = functools.partial(max, key=functools.partial(next, numbers))
    try:
        profiled(profile, other)
    except TypeError:
        pass
    sys.setprofile(None)
    _interpreters.exec(own, made[0])
    return os.path.exists(MARK)
