# class: handler
# rule: read_handler
# success: the source is read as mapped memory
# proof: read
# when: import
import mmap
import os

from attack import HANDLER, attempt


@attempt
def steal():
    return mmap.mmap(os.open(HANDLER, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:]
