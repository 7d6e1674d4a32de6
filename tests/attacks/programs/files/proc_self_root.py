# class: files
# rule: read_write_tmp
# success: a file in /tmp is read through /proc/self/root
# proof: read
from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/root" + FILE) as opened:
        return opened.read()
