# class: files
# rule: read_write_tmp
# success: a file is copied into /tmp
# proof: new
import shutil

from attack import NEW, attempt


@attempt
def stash():
    shutil.copy2(__file__, NEW)
    return True
