# class: files
# rule: read_write_tmp
# success: a file without a name in /tmp is emptied by its path in /proc
# proof: word
# policy: ephemeral.yaml
import os

from attack import UNLINKED, attempt


@attempt
def empty():
    os.truncate(UNLINKED, 0)
    return True
