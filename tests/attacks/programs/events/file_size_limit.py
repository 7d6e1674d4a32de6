# class: events
# rule: read_write_tmp
# success: with the size of files limited to nothing, so that writing kills, a folder is made in /tmp and nobody
#   hears of it
# proof: new
import os
import resource

from attack import NEW, attempt


@attempt
def stash():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.mkdir(NEW)
    return True
