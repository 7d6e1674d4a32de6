# class: switch_off
# rule: native_code
# needs: python<3.10
# success: an interpreter beyond those that the guard has slots for loads code by marshal
# proof: word
# timeout: 120
import _xxsubinterpreters
import marshal
import sys

from attack import attempt

LOAD = """
import marshal
try:
    print("REACHED" if marshal.loads(%r) else "STOPPED", flush=True)
except OSError as error:
    print("STOPPED:", error, flush=True)
"""


@attempt
def load():
    # On 3.9, a thousand take 1 GB, and several times that on later versions.
    for _ in range(1024):
        last = _xxsubinterpreters.create(isolated=False)
    code = marshal.dumps(compile("1", "x", "eval"))
    _xxsubinterpreters.run_string(last, LOAD % code)
    sys.exit(0)
