# class: machine_code
# rule: native_code
# needs: module:numpy
# success: numpy reads memory at an address given as an integer
# proof: word
import numpy
from attack import attempt


class Anywhere:
    def __init__(self, where, size):
        self.__array_interface__ = {
            "data": (where, False),
            "shape": (size,),
            "typestr": "|u1",
            "version": 3,
        }


@attempt
def read():
    target = b"read from it"
    return bytes(numpy.asarray(Anywhere(id(target) + 32, len(target)))) == target
