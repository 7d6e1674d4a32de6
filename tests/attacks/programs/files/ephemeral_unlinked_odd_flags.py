# class: files
# rule: read_write_tmp
# success: a file without a name in /tmp is read through the /proc of the process that made it, with
#   bits in the flags that the kernel ignores, one after the other
# proof: read
# policy: ephemeral.yaml
import os

from attack import UNLINKED, attempt


@attempt
def read():
    for bit in range(23, 31):
        try:
            fd = os.open(UNLINKED, os.O_RDONLY | 1 << bit)
        except PermissionError:
            continue
        return os.read(fd, 1000).decode()
