# class: no_event
# rule: read_write_tmp
# success: a node is made in /tmp
# proof: new
import os
import stat

from attack import NEW, attempt


@attempt
def stash():
    os.mknod(NEW, stat.S_IFREG | 0o600)
    return True
