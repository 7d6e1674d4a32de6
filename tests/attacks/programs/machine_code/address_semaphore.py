# class: machine_code
# rule: native_code
# success: memory at an address is read and written through a semaphore made from an integer
# proof: word
import _multiprocessing
import struct

from attack import attempt

SEMAPHORE = 1

kept = []


@attempt
def write():
    target = struct.pack("QQQQ", 4321, 0, 0, 0) + bytes(32)
    semaphore = _multiprocessing.SemLock._rebuild(id(target) + 32, SEMAPHORE, 1 << 30, None)
    got = semaphore._get_value()
    semaphore.release()
    changed = struct.unpack_from("Q", target)[0]
    kept.append(semaphore)
    return got == 4321 and changed == 4322
