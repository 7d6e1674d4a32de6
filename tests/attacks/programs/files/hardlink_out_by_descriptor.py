# class: files
# rule: read_write_tmp
# success: a file of /tmp gets a second name elsewhere by an O_PATH fd
# proof: read
# needs: one-filesystem
import os

from attack import FILE, attempt


@attempt
def steal():
    fd = os.open(FILE, os.O_PATH)
    os.link("/proc/self/fd/%d" % fd, "here", src_dir_fd=fd, follow_symlinks=True)
    with open("here") as opened:
        return opened.read()
