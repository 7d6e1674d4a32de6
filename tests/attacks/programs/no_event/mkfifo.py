# class: no_event
# rule: read_write_tmp
# success: a pipe with a name is made in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.mkfifo(NEW)
    return True
