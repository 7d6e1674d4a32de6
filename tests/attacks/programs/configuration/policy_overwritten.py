# class: configuration
# rule: guard_integrity read_write_tmp
# policy: own
# success: the policy's file is overwritten with one that allows everything, and a file in /tmp read
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    path = os.environ.get("ATTACK_POLICY")
    if path:
        with open(path, "r+b") as opened:
            opened.seek(40)
            opened.write(bytes(8))
    with open(FILE) as opened:
        return opened.read()
