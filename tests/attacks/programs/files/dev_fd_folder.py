# class: files
# rule: read_write_tmp
# success: a file in /tmp is read through /dev/fd and the folder's fd
# proof: read
import os

from attack import DIR, FILE, attempt


@attempt
def steal():
    fd = os.open(DIR, os.O_PATH)
    with open("/dev/fd/%d/%s" % (fd, os.path.basename(FILE))) as opened:
        return opened.read()
