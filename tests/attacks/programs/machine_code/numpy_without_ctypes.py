# class: machine_code
# rule: native_code
# needs: module:numpy
# success: numpy, which does without ctypes, reads memory at an address given as an integer
# proof: word
# unreported: an honest import of numpy does the same, and is reported by its import of ctypes
import sys

from attack import attempt


@attempt
def read():
    sys.modules["ctypes"] = None
    import numpy

    target = b"read from it"
    anywhere = type("Anywhere", (), {})()
    anywhere.__array_interface__ = {
        "data": (id(target) + sys.getsizeof(b"") - 1, False),
        "shape": (len(target),),
        "typestr": "|u1",
        "version": 3,
    }
    return bytes(numpy.asarray(anywhere)) == target
