# class: files
# rule: read_write_tmp
# success: a file in /tmp is read when the interpreter ends
# proof: read
import atexit
import os

from attack import FILE, show


def steal():
    try:
        found = open(FILE).read()
    except OSError as error:
        found = str(error)
    os._exit(0 if show(found) else 1)


atexit.register(steal)
