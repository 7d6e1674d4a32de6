# class: switch_off
# rule: read_write_tmp
# success: a thread with a small stack reads a file in /tmp
# proof: read
import threading

from attack import FILE, attempt

found = []


def read():
    try:
        found.append(open(FILE).read())
    except OSError as error:
        found.append(str(error))


@attempt
def steal():
    threading.stack_size(64 * 1024)
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return found[0]
