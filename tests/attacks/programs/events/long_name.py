# class: events
# rule: read_write_tmp
# success: a file is made in /tmp by a name of nearly four thousand bytes
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    name = "/tmp/" + "./" * 1900 + os.path.basename(NEW)
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    return True
