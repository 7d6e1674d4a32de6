# class: files
# rule: read_write_tmp
# success: a temporary folder is made in /tmp
# proof: new
import os
import tempfile

from attack import NEW, attempt


@attempt
def stash():
    return tempfile.mkdtemp(dir="/tmp", prefix=os.path.basename(NEW)).startswith(NEW)
