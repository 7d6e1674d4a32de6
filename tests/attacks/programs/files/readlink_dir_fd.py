# class: files
# rule: read_write_tmp
# success: a link's target in /tmp is read relative to an fd
# proof: read
import os

from attack import DIR, attempt


@attempt
def steal():
    os.chdir("/")
    return os.readlink("link", dir_fd=os.open(DIR, os.O_PATH))
