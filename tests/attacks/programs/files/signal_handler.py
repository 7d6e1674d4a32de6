# class: files
# rule: read_write_tmp
# success: a signal's handler reads a file in /tmp
# proof: read
import os
import signal

from attack import FILE, attempt


@attempt
def steal():
    found = []
    signal.signal(signal.SIGUSR1, lambda number, frame: found.append(open(FILE).read()))
    os.kill(os.getpid(), signal.SIGUSR1)
    return found[0]
