# class: files
# rule: read_write_tmp
# success: a file in /tmp is written by its fd while the guard inspects the open object
# proof: changed
# timeout: 40
import os
import threading
import time

from attack import FILE, attempt


@attempt
def keep():
    os.symlink(FILE, "innocent.txt")
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    end = time.monotonic() + 3
    done = []

    def ask():
        while not done and time.monotonic() < end:
            try:
                opened = os.open("innocent.txt", os.O_WRONLY)
            except OSError:
                continue
            done.append(os.pwrite(opened, b"kept", 0))
            os.close(opened)

    thread = threading.Thread(target=ask)
    thread.start()
    while not done and time.monotonic() < end:
        try:
            done.append(os.pwrite(number, b"kept", 0))
        except OSError:
            continue
    thread.join()
    return done
