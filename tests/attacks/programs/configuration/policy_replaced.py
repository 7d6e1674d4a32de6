# class: configuration
# rule: guard_integrity read_write_tmp
# policy: own
# success: the policy's file is removed and another put in its place, and a file in /tmp read
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    path = os.environ.get("ATTACK_POLICY")
    if path:
        os.unlink(path)
        with open(path, "wb") as opened:
            opened.write(b"FSPOLICY")
    with open(FILE) as opened:
        return opened.read()
