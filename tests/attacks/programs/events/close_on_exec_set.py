# class: events
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: every fd is marked close-on-exec, and no event tells of a child's act
# proof: read
import fcntl
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    for name in os.listdir("/proc/self/fd"):
        try:
            fcntl.fcntl(int(name), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        except OSError:
            continue
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
