# class: events
# rule: read_write_tmp
# success: error output is set to non-blocking and filled, and no event tells of a folder made in
#   /tmp
# proof: new
# quiet: an event that finds no room in a bounded time counts as lost; the act is stopped all the
#   same
import fcntl
import os
import threading

from attack import NEW, attempt


@attempt
def stash():
    fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_NONBLOCK)
    over = []

    def fill():
        while not over:
            try:
                os.write(2, b"x" * 65535 + b"\n")
            except OSError:
                continue

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        os.mkdir(NEW)
    finally:
        over.append(True)
        thread.join()
    return True
