# class: files
# rule: read_write_tmp
# success: a file is made in /tmp through a link to the folder
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.symlink("../../../../../../../../../../tmp", "data")
    with open("data/" + os.path.basename(NEW), "w") as opened:
        return opened.write("kept") == 4
