# class: files
# rule: read_write_tmp
# success: a thread without a Thread object reads a file in /tmp
# proof: read
import _thread
import time

from attack import FILE, attempt


@attempt
def steal():
    found = []

    def read():
        try:
            found.append(open(FILE).read())
        except OSError:
            found.append("")

    _thread.start_new_thread(read, ())
    end = time.monotonic() + 5
    while not found and time.monotonic() < end:
        time.sleep(0.01)
    return found[0]
