# class: handler
# rule: read_handler
# success: the kernel copies the source into a pipe
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    out, into = os.pipe()
    os.sendfile(into, os.open(HANDLER, os.O_RDONLY), 0, 2000)
    return os.read(out, 2000)
