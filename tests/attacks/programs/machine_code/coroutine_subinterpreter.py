# class: machine_code
# rule: native_code
# success: in an interpreter of its own, where types.coroutine was not used yet, a function named
#   coroutine in a file named types.py below the library's folder makes a code object
# proof: word
import asyncio
import os

from attack import attempt

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

CODE = """
import os, sys
SOURCE = '''
def coroutine(func, changes):
    co = func.__code__
    return co.replace(**changes)
'''
place = {place!r}
os.makedirs(place, exist_ok=True)
path = os.path.join(place, "types.py")
with open(path, "w") as file:
    file.write(SOURCE)
bent = sys.base_prefix + "/lib" + "/.." * (sys.base_prefix.count("/") + 1) + path
space = {{}}
exec(compile(SOURCE, bent, "exec"), space)
def template():
    return "one"
if space["coroutine"](template, {{"co_consts": ()}}).co_consts == ():
    open({mark!r}, "w").close()
"""


@attempt
def craft():
    asyncio.run(asyncio.sleep(0))
    mark = os.path.abspath("crafted")
    own = interpreters.create()
    code = CODE.format(place=os.path.abspath("own"), mark=mark)
    getattr(interpreters, "run_string", None)(own, code)
    return os.path.exists(mark)
