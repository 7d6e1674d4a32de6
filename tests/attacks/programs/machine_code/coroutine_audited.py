# class: machine_code
# rule: native_code
# success: an audit hook of functions of C alone makes a code object in the frame of
#   types.coroutine, with the flag that types.coroutine sets, and a function gets it
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


@attempt
def craft():
    made, seen = [], []

    def note(event, arguments):
        if seen is not None:
            seen.append(event)

    sys.addaudithook(note)
    types.coroutine(generator)
    before = seen.index("code.__new__")
    code = template.__code__
    crafting = operator.methodcaller("replace", co_consts=(), co_flags=code.co_flags | 0x100)
    make = map(made.append, map(crafting, [code]))
    # Each event asks for two keys. A hook that is added makes an event itself.
    numbers = itertools.chain(itertools.repeat(1, 2 * before), make, itertools.repeat(1))
    sys.addaudithook(functools.partial(max, key=functools.partial(next, numbers)))
    try:
        types.coroutine(other)
    except TypeError:
        pass
    # Not run: what it would load lies wherever memory goes on. That a function has it is enough.
    return made and types.FunctionType(made[0], {}).__code__.co_consts == ()
