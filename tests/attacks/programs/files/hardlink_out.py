# class: files
# rule: read_write_tmp
# success: a file of /tmp gets a second name elsewhere and is read by it
# proof: read
# needs: one-filesystem
import os

from attack import FILE, attempt


@attempt
def steal():
    os.link(FILE, "here")
    with open("here") as opened:
        return opened.read()
