# class: files
# rule: read_write_tmp
# success: data is kept in /tmp as the target of a link that leads nowhere
# proof: new
import os

from attack import NEW, SECRET, attempt


@attempt
def stash():
    os.symlink("the data: " + SECRET, NEW)
    return True
