# class: files
# rule: read_write_tmp
# success: the target of a link, kept by an earlier invocation, is read
# proof: read
import os

from attack import LINK, attempt


@attempt
def steal():
    return os.readlink(LINK)
