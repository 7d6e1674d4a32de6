# class: machine_code
# rule: native_code
# success: a thread that waits for SemLock changes memory that lies where the file of a semaphore
#   was mapped when it began to wait
# proof: word
# open: libc keeps the address while it waits, and another thread unmaps the file meanwhile. To stop
#   this, no semaphore could ever be unmapped. Lambda has no /dev/shm, and so no semaphores.
import mmap
import threading
import time

from attack import attempt
from mapped_semaphore import SIZE, mapped_semaphore

WAITING = b"\0\0\0\0\5\0\0\0"


@attempt
def wait():
    mapped, lock = mapped_semaphore("waited")
    waiter = threading.Thread(target=lock.acquire, args=(True, 1))
    waiter.start()
    time.sleep(0.5)
    mapped.close()
    others = [mmap.mmap(-1, SIZE) for _ in range(8)]
    for other in others:
        other[:8] = WAITING
    waiter.join()
    return any(other[:8] != WAITING for other in others)
