# class: events
# rule: guard_integrity
# success: the event pipe is opened for reading through an O_PATH fd
# proof: word
import os

from attack import attempt


@attempt
def steal():
    look = os.open("/proc/self/fd/2", os.O_PATH)
    folder = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    for open_again in (
        lambda: os.open("/proc/self/fd/%d" % look, os.O_RDONLY | os.O_NONBLOCK),
        lambda: os.open("%d" % look, os.O_RDWR | os.O_NONBLOCK, dir_fd=folder),
    ):
        try:
            os.close(open_again())
            return True
        except OSError:
            continue
    return False
