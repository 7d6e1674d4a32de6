# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: the process becomes cat, without an environment, and prints a file in /tmp
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    line = "/bin/cat %s && echo REACHED" % FILE
    os.execve("/bin/sh", ["sh", "-c", line], {})
