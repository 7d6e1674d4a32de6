# class: machine_code
# rule: native_code
# success: types.coroutine is profiled by functions of C alone, which make a code object in its
#   frame, with the flag that types.coroutine sets; then it is put to use
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


def template(argument):
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


# Not run where that can be helped: what it would load lies wherever memory goes on.
def as_function(code):
    return types.FunctionType(code, {})


def as_its_code(code):
    other.__code__ = code
    return other


def as_source(code):
    # It ends at once: the template takes an argument.
    exec(code)


def works(use, code):
    try:
        use(code)
    except TypeError as error:
        return "argument" in str(error)
    except Exception:
        return False
    return True


@attempt
def craft():
    before = count()
    made = []
    code = template.__code__
    crafting = operator.methodcaller("replace", co_consts=(), co_flags=code.co_flags | 0x100)
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
    return made and any(works(use, made[0]) for use in (as_function, as_its_code, as_source))
