# class: machine_code
# rule: native_code
# success: SemLock changes memory that lies where the file of a semaphore was mapped before
# proof: word
import mmap

from attack import attempt
from mapped_semaphore import SIZE, mapped_semaphore


@attempt
def count():
    mapped, lock = mapped_semaphore("unmapped")
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
