# class: files
# rule: read_write_tmp
# success: a file of /tmp is renamed to elsewhere and read there
# proof: read
# needs: one-filesystem
import os

from attack import FILE, attempt


@attempt
def steal():
    os.replace(FILE, "taken")
    with open("taken") as opened:
        return opened.read()
