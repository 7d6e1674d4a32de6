# class: files
# rule: read_write_tmp
# success: a path to a file of the function's is pointed at another process's file while it is
#   opened
# proof: read
# policy: ephemeral.yaml
# timeout: 60
import os
import threading
import time

from attack import FILE, NEW, SECRET, attempt

OTHER = NEW + "-other"


def flip(stop):
    own, foreign = NEW + "-own", NEW + "-foreign"
    while not stop.is_set():
        for target, name in ((OTHER, own), (FILE, foreign)):
            try:
                os.symlink(target, name)
                os.replace(name, NEW)
            except OSError:
                pass


@attempt
def race():
    with open(OTHER, "w") as file:
        file.write("own")
    stop = threading.Event()
    thread = threading.Thread(target=flip, args=(stop,))
    thread.start()
    end = time.monotonic() + 3
    got = ""
    try:
        while SECRET not in got and time.monotonic() < end:
            try:
                with open(NEW) as file:
                    got = file.read()
            except OSError:
                pass
    finally:
        stop.set()
        thread.join()
    return got
