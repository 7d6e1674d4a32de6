# class: files
# rule: read_write_tmp
# success: a file without a name in /tmp is written to through the /proc of the process that made it
# proof: word
# policy: ephemeral.yaml
import os

from attack import UNLINKED, attempt


@attempt
def write():
    return os.pwrite(os.open(UNLINKED, os.O_WRONLY), b"changed", 0) == 7
