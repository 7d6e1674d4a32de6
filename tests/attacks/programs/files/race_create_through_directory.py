# class: files
# rule: read_write_tmp
# success: a file is made in a folder whose name another thread points at /tmp and back
# proof: new
# timeout: 40
import os
import threading
import time

from attack import NEW, attempt


@attempt
def stash():
    os.mkdir("real")
    os.symlink("real", "turning")
    end = time.monotonic() + 3
    over = []

    def turn():
        while not over and time.monotonic() < end:
            for target in ("/tmp", "real"):
                os.symlink(target, "next")
                os.replace("next", "turning")

    thread = threading.Thread(target=turn)
    thread.start()
    name = "turning/" + os.path.basename(NEW)
    while time.monotonic() < end and not os.path.lexists(NEW):
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except OSError:
            pass
        try:
            os.unlink("real/" + os.path.basename(NEW))
        except OSError:
            pass
    over.append(True)
    thread.join()
    return os.path.lexists(NEW)
