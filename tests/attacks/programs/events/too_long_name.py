# class: events
# rule: read_write_tmp
# success: a folder is made in /tmp after names that are too long to judge were tried
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    for name in ("/tmp/" + "x" * 5000, "/tmp/" + "a/" * 5000, "\n" * 9000, "/tmp/\0x"):
        try:
            os.mkdir(name)
        except (OSError, ValueError):
            continue
    os.mkdir(NEW)
    return True
