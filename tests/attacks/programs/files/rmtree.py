# class: files
# rule: read_write_tmp
# success: a folder in /tmp is removed with all that is in it
# proof: changed
import shutil

from attack import DIR, attempt


@attempt
def spoil():
    shutil.rmtree(DIR)
    return True
