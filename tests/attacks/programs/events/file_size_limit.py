# class: events
# rule: read_write_tmp
# success: the file size limit is set to 0, so that writing kills, and no event tells of a folder
#   made in /tmp
# proof: new
import os
import resource

from attack import NEW, attempt


@attempt
def stash():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.mkdir(NEW)
    return True
