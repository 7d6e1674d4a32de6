# class: events
# rule: read_write_tmp
# success: a call of thousands of frames reads a file in /tmp
# proof: read
import sys

from attack import FILE, attempt


def deeper(n):
    if n == 0:
        with open(FILE) as opened:
            return opened.read()
    return deeper(n - 1)


@attempt
def steal():
    sys.setrecursionlimit(5000)
    return deeper(3000)
