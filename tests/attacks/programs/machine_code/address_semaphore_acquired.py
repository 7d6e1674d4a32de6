# class: machine_code
# rule: native_code
# success: memory at an address is written through a lock made from an integer, without asking for
#   its value
# proof: word
import _multiprocessing
import struct

from attack import attempt

RECURSIVE_MUTEX = 0

kept = []


@attempt
def write():
    target = struct.pack("QQQQ", 4321, 0, 0, 0) + bytes(32)
    lock = _multiprocessing.SemLock._rebuild(id(target) + 32, RECURSIVE_MUTEX, 1, None)
    kept.append(lock)
    lock.acquire(False)
    return struct.unpack_from("Q", target)[0] == 4320
