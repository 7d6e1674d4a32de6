# class: files
# rule: read_write_tmp
# success: a file is copied out of /tmp
# proof: read
import shutil

from attack import FILE, attempt


@attempt
def steal():
    shutil.copyfile(FILE, "copy")
    with open("copy") as opened:
        return opened.read()
