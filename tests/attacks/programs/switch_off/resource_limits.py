# class: switch_off
# rule: read_write_tmp
# success: a folder is made in /tmp while the guard can get no fd
# proof: new
import os
import resource

from attack import NEW, attempt


@attempt
def stash():
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os.mkdir(NEW)
    return True
