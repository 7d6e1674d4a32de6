# class: files
# rule: read_write_tmp
# success: a file without a name is made in /tmp and then given one
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"kept")
    os.link("/proc/self/fd/%d" % fd, NEW, src_dir_fd=fd, follow_symlinks=True)
    return True
