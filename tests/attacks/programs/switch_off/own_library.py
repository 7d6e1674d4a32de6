# class: switch_off
# rule: guard_integrity
# success: the guard's library is opened for writing, so that its code could be changed in place
# proof: word
# needs: root
import os

from attack import attempt


def library():
    with open("/proc/self/maps") as maps:
        for line in maps:
            if line.rstrip().endswith("/function-shield.so"):
                return line.split(maxsplit=5)[5].rstrip()
    return __file__


@attempt
def take():
    # Not written to: others run by it.
    for flags in (os.O_WRONLY, os.O_RDWR | os.O_CREAT):
        os.close(os.open(library(), flags))
    return True
