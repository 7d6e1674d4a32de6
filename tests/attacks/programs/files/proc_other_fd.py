# class: files
# rule: read_write_tmp guard_integrity
# success: a file in /tmp that another process holds open is read through that process's /proc
# proof: read
from attack import HELD, attempt


@attempt
def steal():
    pid, fd = HELD.split(":")
    with open("/proc/%s/fd/%s" % (pid, fd)) as opened:
        return opened.read()
