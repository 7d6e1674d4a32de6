# class: files
# rule: read_write_tmp
# success: a file in /tmp is read through a link made elsewhere
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    os.symlink(FILE, "innocent.txt")
    with open("innocent.txt") as opened:
        return opened.read()
