# class: events
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: every fd is marked close-on-exec by ioctl, and no event tells of the act of a child whose
#   standard error is thrown away
# proof: read
import fcntl
import os
import subprocess

from attack import FILE, attempt

FIOCLEX = 0x5451


@attempt
def steal():
    for name in os.listdir("/proc/self/fd"):
        try:
            fcntl.ioctl(int(name), FIOCLEX)
        except OSError:
            continue
    pipe, away = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.run(["/bin/cat", FILE], stdout=pipe, stderr=away).stdout
