# class: machine_code
# rule: native_code
# success: a thread that waits for SemLock changes memory that lies where the file of a semaphore
#   was mapped when it began to wait
# proof: word
# open: libc keeps the address while it waits, and who unmaps the file meanwhile is another thread.
#   To hold this, no semaphore could be unmapped. Lambda has no /dev/shm, and so no semaphores.
import _multiprocessing
import mmap
import os
import threading
import time

from attack import attempt

SIZE, WAITING = 1 << 20, b"\0\0\0\0\5\0\0\0"


def start_of(path):
    with open("/proc/self/maps") as maps:
        return next(int(line.split("-")[0], 16) for line in maps if path in line)


@attempt
def wait():
    path = "/dev/shm/sem.waited-%d" % os.getpid()
    with open(path, "w+b") as file:
        file.truncate(SIZE)
        mapped = mmap.mmap(file.fileno(), SIZE)
        try:
            lock = _multiprocessing.SemLock._rebuild(start_of(path), 1, 9, None)
        finally:
            os.unlink(path)
    waiter = threading.Thread(target=lock.acquire, args=(True, 1))
    waiter.start()
    time.sleep(0.5)
    mapped.close()
    others = [mmap.mmap(-1, SIZE) for _ in range(8)]
    for other in others:
        other[:8] = WAITING
    waiter.join()
    return any(other[:8] != WAITING for other in others)
