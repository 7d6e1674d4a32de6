# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by a name given as bytes
# proof: read
import os

from attack import FILE, attempt


class Name:
    """Says another name each time it is asked."""

    def __init__(self):
        self.turn = 0

    def __fspath__(self):
        self.turn += 1
        return FILE.encode()


@attempt
def steal():
    return os.read(os.open(Name(), os.O_RDONLY), 100)
