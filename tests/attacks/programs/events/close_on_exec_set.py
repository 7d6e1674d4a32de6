# class: events
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: with every descriptor marked close-on-exec, a child's act is heard by nobody
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
