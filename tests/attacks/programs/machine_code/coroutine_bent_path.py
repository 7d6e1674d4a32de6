# class: machine_code
# rule: native_code
# success: a code object is made by a function named coroutine, in a file named types.py that lies
#   below the interpreter's folder only as its name is spelt, with ".."
# proof: word
import os
import sys

from attack import attempt

SOURCE = """
def coroutine(func, changes):
    co = func.__code__
    return co.replace(**changes)
"""


def template():
    return "one"


@attempt
def craft():
    # The file is compared with the code that runs, so it must be there. It may be as new as this.
    place = os.path.join(os.getcwd(), "own")
    os.makedirs(place, exist_ok=True)
    path = os.path.join(place, "types.py")
    with open(path, "w") as file:
        file.write(SOURCE)
    bent = sys.base_prefix + "/lib" + "/.." * (sys.base_prefix.count("/") + 1) + path
    space = {}
    exec(compile(SOURCE, bent, "exec"), space)
    # Not run: what it would load lies wherever memory goes on. That it can be made is the attack.
    return space["coroutine"](template, {"co_consts": ()}).co_consts == ()
