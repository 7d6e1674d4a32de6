# class: files
# rule: read_write_tmp
# success: a whole folder of /tmp is renamed to elsewhere, and its file read there
# proof: read
# needs: one-filesystem
import os

from attack import DIR, attempt


@attempt
def steal():
    os.rename(DIR, "taken")
    with open("taken/file") as opened:
        return opened.read()
