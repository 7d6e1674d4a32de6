# class: events
# rule: guard_integrity
# success: the event pipe is opened for reading under one of its names
# proof: word
import os
import threading

from attack import attempt


@attempt
def steal():
    sink = os.fstat(2)
    names = [
        "/dev/stderr",
        "/dev/fd/2",
        "/proc/%d/task/%d/fd/2" % (os.getpid(), threading.get_native_id()),
    ]
    for folder in (
        "/proc/self/fd",
        "/proc/%d/fd" % os.getpid(),
        "/proc/thread-self/fd",
        "/proc/self/../self/fd",
    ):
        try:
            names += [folder + "/" + name for name in os.listdir(folder)]
        except OSError:
            continue
    opened = False
    for name in names:
        for flags in (
            os.O_RDONLY,
            os.O_RDWR,
            os.O_RDWR | os.O_CREAT,
            os.O_RDWR | os.O_TRUNC | os.O_APPEND,
        ):
            try:
                fd = os.open(name, flags | os.O_NONBLOCK)
            except OSError:
                continue
            found = os.fstat(fd)
            opened = opened or (found.st_dev, found.st_ino) == (sink.st_dev, sink.st_ino)
            os.close(fd)
    return opened
