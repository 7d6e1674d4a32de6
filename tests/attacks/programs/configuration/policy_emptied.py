# class: configuration
# rule: guard_integrity read_write_tmp
# policy: own
# success: the policy's file is cut to nothing, so that the guard's mapped pages vanish, and a file
#   in /tmp read
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    path = os.environ.get("ATTACK_POLICY")
    if path:
        os.truncate(path, 0)
    with open(FILE) as opened:
        return opened.read()
