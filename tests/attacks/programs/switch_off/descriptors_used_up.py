# class: switch_off
# rule: read_write_tmp
# success: a file is read in /tmp while all fds but one are in use
# proof: read
import os
import resource

from attack import FILE, attempt


@attempt
def steal():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    taken = []
    while True:
        try:
            taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            break
    os.close(taken.pop())
    return os.read(os.open(FILE, os.O_RDONLY), 100)
