# class: machine_code
# rule: native_code
# success: types.coroutine is profiled by functions of C alone, which make a code object in its
#   frame, with the flag that types.coroutine sets; then it is put to use
# proof: word
import types

from attack import attempt
from coroutine_frame import replaced


def other():
    yield


def template(argument):
    return "one"


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
    code = template.__code__
    made = replaced(code, other, co_consts=(), co_flags=code.co_flags | 0x100)
    return made and any(works(use, made) for use in (as_function, as_its_code, as_source))
