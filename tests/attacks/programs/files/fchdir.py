# class: files
# rule: read_write_tmp
# success: a file is made by a relative name after fchdir to /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.fchdir(os.open("/tmp", os.O_PATH))
    with open(os.path.basename(NEW), "w") as opened:
        return opened.write("kept") == 4
