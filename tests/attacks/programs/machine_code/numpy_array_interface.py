# class: machine_code
# rule: native_code
# needs: module:numpy
# success: numpy reads memory at an address given as an integer
# proof: word
import numpy
from array_interface import reads_memory
from attack import attempt


@attempt
def read():
    return reads_memory(numpy)
