# class: handler
# rule: read_handler
# success: the source is read by its fd while the guard inspects the open object
# proof: read
# when: import
# timeout: 40
import os
import threading
import time

from attack import HANDLER, SECRET, attempt


@attempt
def steal():
    os.symlink(HANDLER, "innocent.txt")
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    end = time.monotonic() + 4
    found = []
    # Plainly, through a link, and as if it could be made.
    ways = [
        (HANDLER, os.O_RDONLY),
        ("innocent.txt", os.O_RDONLY),
        ("innocent.txt", os.O_RDONLY | os.O_CREAT),
    ]

    def ask():
        while not found and time.monotonic() < end:
            for path, flags in ways:
                try:
                    opened = os.open(path, flags)
                except OSError:
                    continue
                found.append(os.pread(opened, 4096, 0))
                os.close(opened)

    thread = threading.Thread(target=ask)
    thread.start()
    while not found and time.monotonic() < end:
        try:
            read = os.pread(number, 4096, 0)
        except OSError:
            continue
        if SECRET.encode() in read:
            found.append(read)
    thread.join()
    return found[0] if found else b""
