# class: machine_code
# rule: native_code
# success: types.coroutine is profiled by functions of C alone, which make a code object with other
#   bytes in its frame; since 3.11 the interpreter writes beyond them, before anything runs them
# proof: word
from attack import attempt
from coroutine_frame import replaced


def other():
    yield


def template():
    return "one"


@attempt
def craft():
    code = template.__code__
    # Twice what it was. The last instruction could have room for caches that is not there.
    longer = code.co_code * 2
    made = replaced(code, other, co_code=longer, co_flags=code.co_flags | 0x100)
    return made.co_code == longer
