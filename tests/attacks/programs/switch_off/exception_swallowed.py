# class: switch_off
# rule: read_write_tmp
# success: an object whose conversion raises and retries gets its name past the check
# proof: read
import os

from attack import FILE, attempt


class Name(str):
    """A string that is not equal to itself and hides what it is."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __str__(self):
        return "/dev/null"

    def encode(self, *a):
        return b"/dev/null"

    def __fspath__(self):
        return "/dev/null"


@attempt
def steal():
    return os.read(os.open(Name(FILE), os.O_RDONLY), 100)
