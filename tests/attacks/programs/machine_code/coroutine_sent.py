# class: machine_code
# rule: native_code
# needs: python>=3.13 python<3.14
# success: types.coroutine is profiled by functions of C alone, which make a code object in its
#   frame, with the flag that types.coroutine sets; then another interpreter runs it
# proof: word
import os

import _interpreters
from attack import attempt
from coroutine_frame import replaced

MARK = os.path.abspath("crafted")


def other():
    yield


template = compile('open("as it was", "w").close()', "<template>", "exec")


@attempt
def craft():
    own = _interpreters.create()
    constants = tuple(MARK if one == "as it was" else one for one in template.co_consts)
    flags = template.co_flags | 0x100
    _interpreters.exec(own, replaced(template, other, co_consts=constants, co_flags=flags))
    return os.path.exists(MARK)
