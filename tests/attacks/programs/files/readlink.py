# class: files
# rule: read_write_tmp
# success: what an earlier invocation kept as a link's target is read
# proof: read
import os

from attack import LINK, attempt


@attempt
def steal():
    return os.readlink(LINK)
