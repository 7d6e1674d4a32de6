# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by a relative name, from there
# proof: read
import os

from attack import DIR, FILE, attempt


@attempt
def steal():
    os.chdir(DIR)
    with open(os.path.basename(FILE)) as opened:
        return opened.read()
