# class: files
# rule: read_write_tmp
# success: a file of /tmp is read, and another made, through a second mount of /tmp from before the
#   start
# proof: read
# needs: namespace mounted
import contextlib
import os

from attack import FILE, NEW, attempt


@attempt
def steal():
    other = os.environ["ATTACK_MOUNT"]
    with contextlib.suppress(PermissionError):
        os.close(os.open(other + NEW[len("/tmp") :], os.O_WRONLY | os.O_CREAT))
    with open(other + FILE[len("/tmp") :]) as opened:
        return opened.read()
