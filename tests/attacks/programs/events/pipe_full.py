# class: events
# rule: read_write_tmp
# success: a folder is made in /tmp while the event pipe is full, and the event is lost before the
#   log reads it
# proof: new
import os
import select

from attack import NEW, attempt


@attempt
def stash():
    own = os.open("/proc/self/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    made = False
    for _ in range(20):
        for size in (65536, 4096, 1):
            # Bounded: a reader that is as fast as this would keep it here for good.
            try:
                for _ in range(64):
                    os.write(own, b"\n" * size)
            except OSError:
                pass
        try:
            os.mkdir(NEW)
            made = True
        except FileExistsError:
            pass
        except OSError:
            continue
    # Of a busy machine's log nothing is proved: a process that ends waits 4 ms for it (S31).
    select.select([], [own], [], 20)
    return made
