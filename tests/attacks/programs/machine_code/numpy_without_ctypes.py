# class: machine_code
# rule: native_code
# needs: module:numpy
# success: numpy, which does without ctypes, reads memory at an address given as an integer
# proof: word
# unreported: an honest import of numpy does the same, and is reported by its import of ctypes
import sys

from array_interface import reads_memory
from attack import attempt


@attempt
def read():
    sys.modules["ctypes"] = None
    import numpy

    return reads_memory(numpy)
