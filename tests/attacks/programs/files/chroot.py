# class: files
# rule: guard_integrity read_write_tmp
# success: with /tmp as the root, a file of it gets a name that is not under /tmp
# proof: read
# needs: namespace
import os

from attack import FILE, attempt


@attempt
def steal():
    os.chroot("/tmp")
    with open(FILE[4:]) as opened:
        return opened.read()
