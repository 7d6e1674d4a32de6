# class: files
# rule: read_write_tmp
# success: a file in /tmp is read through a chain of thirty links
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    os.symlink(FILE, "link0")
    for i in range(30):
        os.symlink("link%d" % i, "link%d" % (i + 1))
    with open("link30") as opened:
        return opened.read()
